"""Block jobs in memory. They take `seconds` of the clock, or wait for `finish` when that is None."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lxml import etree

from ovis.node.hypervisor.block_jobs import BlockJobState, DiskSize, NewLayer
from ovis.node.hypervisor.errors import DomainBusy, OperationFailed, OperationRefused
from ovis.node.hypervisor.events import BlockJob, BlockThreshold
from ovis.node.hypervisor.simulated import layers as disk_layers
from ovis.node.hypervisor.simulated.domain import DISK_CAPACITY, SimulatedDomain
from ovis.node.hypervisor.simulated.images import Images
from ovis.node.hypervisor.simulated.layers import Layer

if TYPE_CHECKING:
    from ovis.node.hypervisor.simulated.hypervisor import SimulatedHypervisor

END = 1 << 20


@dataclass
class Job:
    """`to`: the chain that the disk has after a pivot; for a plain commit, the one it has at the end."""

    domain_id: str
    disk: str
    kind: str
    to: list[Layer]
    bandwidth: int = 0
    is_ready: bool = False

    @property
    def state(self) -> BlockJobState:
        return BlockJobState(self.kind, END if self.is_ready else END // 2, END, self.bandwidth)


class SimulatedBlockJobs:
    def __init__(self, hypervisor: SimulatedHypervisor) -> None:
        self._hypervisor = hypervisor
        self._jobs: dict[tuple[str, str], Job] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self.images = Images()
        self.devices: dict[tuple[str, str], DiskSize] = {}
        """What a test says of disks on devices."""
        self.thresholds: dict[tuple[str, str], int] = {}
        self.seconds: float | None = 0.0

    async def snapshot(
        self, domain_id: str, layers: Sequence[NewLayer], *, memory: str | None = None, deadline: float | None = None
    ) -> None:
        domain = await self._hypervisor.on_domain("snapshot", domain_id, deadline)
        if self._hypervisor.backups.is_active(domain_id):
            raise DomainBusy(domain_id, "cannot acquire state change lock")
        for layer in layers:
            self._require_idle(domain, layer.disk)
        for layer in layers:
            disk = _disk(domain, layer.disk)
            old = disk_layers.chain(disk)
            top = Layer(layer.path, layer.format, layer.is_block, disk_layers.free_index(disk))
            disk_layers.replace(disk, [top, *old])
            self.images[layer.path].backing = old[0].path
        self._hypervisor.faults.check("snapshot", domain_id, after=True)

    async def cancel_snapshot(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self._hypervisor.on_domain("cancel_snapshot", domain_id, deadline)

    async def commit(
        self,
        domain_id: str,
        disk: str,
        *,
        base: int,
        top: int,
        is_active: bool,
        bandwidth: int = 0,
        relative: bool = False,
        deadline: float | None = None,
    ) -> None:
        domain = await self._hypervisor.on_domain("commit", domain_id, deadline)
        self._require_idle(domain, disk)
        chain = disk_layers.chain(_disk(domain, disk))
        places = {layer.index: place for place, layer in enumerate(chain)}
        if base not in places or top not in places or places[base] <= places[top]:
            raise OperationRefused(f"could not find backing store index {base} below {top} in the chain of {disk}")
        if is_active is not (places[top] == 0):
            raise OperationRefused(f"commit of the active layer of {disk} needs the active flag, and only that")
        remaining = [*chain[: places[top]], *chain[places[base] :]]
        self._start(domain, Job(domain_id, disk, "active_commit" if is_active else "commit", remaining, bandwidth))
        self._hypervisor.faults.check("commit", domain_id, after=True)

    async def copy(
        self,
        domain_id: str,
        disk: str,
        to: NewLayer,
        *,
        is_shallow: bool,
        bandwidth: int = 0,
        deadline: float | None = None,
    ) -> None:
        domain = await self._hypervisor.on_domain("copy", domain_id, deadline)
        self._require_idle(domain, disk)
        element = _disk(domain, disk)
        top = Layer(to.path, to.format, to.is_block, disk_layers.free_index(element))
        below = disk_layers.chain(element)[1:] if is_shallow else []
        self._start(domain, Job(domain_id, disk, "copy", [top, *below], bandwidth))
        self._hypervisor.faults.check("copy", domain_id, after=True)

    async def job(self, domain_id: str, disk: str, *, deadline: float | None = None) -> BlockJobState | None:
        _disk(await self._hypervisor.on_domain("job", domain_id, deadline), disk)
        found = self._jobs.get((domain_id, disk))
        return None if found is None else found.state

    async def pivot(self, domain_id: str, disk: str, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor.on_domain("pivot", domain_id, deadline)
        job = self._jobs.get((domain_id, disk))
        if job is None or job.kind == "commit":
            raise OperationRefused(f"disk {disk} has no job to pivot")
        if not job.is_ready:
            raise DomainBusy(domain_id, f"disk {disk} is not ready for pivot yet")
        self._synchronise(domain, job)
        self._end(domain, job, "completed")
        self._hypervisor.faults.check("pivot", domain_id, after=True)

    async def cancel(self, domain_id: str, disk: str, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor.on_domain("cancel", domain_id, deadline)
        if job := self._jobs.get((domain_id, disk)):
            self._end(domain, job, "canceled")
        self._hypervisor.faults.check("cancel", domain_id, after=True)

    async def resize(self, domain_id: str, disk: str, size: int, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor.on_domain("resize", domain_id, deadline)
        _disk(domain, disk)
        self._sizes[domain_id, disk] = size

    async def size(self, domain_id: str, disk: str, *, deadline: float | None = None) -> DiskSize:
        domain = await self._hypervisor.on_domain("size", domain_id, deadline)
        _disk(domain, disk)
        capacity = self._sizes.get((domain_id, disk), DISK_CAPACITY)
        return self.devices.get((domain_id, disk), DiskSize(capacity, END, END))

    async def watch(self, domain_id: str, disk: str, threshold: int, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor.on_domain("watch", domain_id, deadline)
        _disk(domain, disk)
        self.thresholds[domain_id, disk] = threshold

    def fill(self, domain_id: str, disk: str, end: int) -> None:
        """The guest has written up to this byte of its device: what is beyond pauses it, a threshold is told."""
        domain = self._hypervisor.domain(domain_id)
        key = (domain_id, disk)
        physical = self.devices[key].physical
        self.devices[key] = replace(self.devices[key], allocation=min(end, physical))
        threshold = self.thresholds.get(key)
        if threshold is not None and end > threshold:
            del self.thresholds[key]
            self._hypervisor.publish(BlockThreshold(domain_id, disk, "", threshold, end - threshold))
        if end > physical:
            source = _disk(domain, disk).find("source")
            path = "" if source is None else source.get("dev", "")
            self._hypervisor.io_error(domain_id, alias=f"virtio-{disk}", path=path, reason="enospc")

    def finish(self, domain_id: str, disk: str, *, status: str = "completed") -> None:
        """All data is copied ("completed"), or the copy failed ("failed"). For tests that set `seconds` to None."""
        job = self._jobs[domain_id, disk]
        domain = self._hypervisor.domain(domain_id)
        if status != "completed":
            self._end(domain, job, status)
        elif job.kind == "commit":
            self._synchronise(domain, job)
            self._end(domain, job, status)
        else:
            job.is_ready = True
            self._show_mirror(domain, job)
            self._tell(job, "ready")

    def write(self, domain_id: str, disk: str, block: int, data: str) -> None:
        """As the guest does."""
        self.images.write(self._top(domain_id, disk), block, data)

    def read(self, domain_id: str, disk: str) -> dict[int, str]:
        return self.images.read(self._top(domain_id, disk))

    def forget(self, domain_id: str) -> None:
        """The domain is gone, and its jobs with it: destinations keep what they got."""
        for key in [key for key in self._jobs if key[0] == domain_id]:
            del self._jobs[key]

    def _top(self, domain_id: str, disk: str) -> str:
        return disk_layers.chain(_disk(self._hypervisor.domain(domain_id), disk))[0].path

    def _require_idle(self, domain: SimulatedDomain, disk: str) -> None:
        _disk(domain, disk)
        if (domain.id, disk) in self._jobs:
            raise OperationFailed(f"disk {disk} already in active block job")

    def _start(self, domain: SimulatedDomain, job: Job) -> None:
        self._jobs[domain.id, job.disk] = job
        self._show_mirror(domain, job)
        if self.seconds is not None:
            self._hypervisor.begin(self._run(job, self.seconds))

    async def _run(self, job: Job, seconds: float) -> None:
        await self._hypervisor.clock.sleep(seconds)
        if self._jobs.get((job.domain_id, job.disk)) is job:
            self.finish(job.domain_id, job.disk)

    def _synchronise(self, domain: SimulatedDomain, job: Job) -> None:
        chain = disk_layers.chain(_disk(domain, job.disk))
        if job.kind == "copy":
            to = self.images[job.to[0].path]
            own = self.images[chain[0].path].blocks
            to.blocks = dict(own) if len(job.to) > 1 else self.images.read(chain[0].path)
            to.backing = job.to[1].path if len(job.to) > 1 else None
            return
        paths = [layer.path for layer in chain]
        kept = [layer.path for layer in job.to]
        gone = [path for path in paths if path not in kept]
        for path, below in itertools.pairwise(paths):  # as libvirt told QEMU, whatever the images say
            self.images[path].backing = below
        base = paths[paths.index(gone[-1]) + 1]
        self.images.commit(gone[0], base)
        if job.kind == "commit":
            self.images[paths[paths.index(gone[0]) - 1]].backing = base

    def _end(self, domain: SimulatedDomain, job: Job, status: str) -> None:
        del self._jobs[domain.id, job.disk]
        disk = _disk(domain, job.disk)
        for mirror in disk.findall("mirror"):
            disk.remove(mirror)
        if status == "completed":
            disk_layers.replace(disk, job.to)
        self._tell(job, status)

    def _show_mirror(self, domain: SimulatedDomain, job: Job) -> None:
        """A plain commit is not shown."""
        if job.kind == "commit":
            return
        disk = _disk(domain, job.disk)
        for old in disk.findall("mirror"):
            disk.remove(old)
        word = "active-commit" if job.kind == "active_commit" else "copy"
        mirror = etree.SubElement(disk, "mirror", type="block" if job.to[0].is_block else "file", job=word)
        if job.is_ready:
            mirror.set("ready", "yes")
        mirror.append(disk_layers.source(replace(job.to[0])))

    def _tell(self, job: Job, status: str) -> None:
        self._hypervisor.publish(BlockJob(job.domain_id, job.disk, job.kind, status))


def _disk(domain: SimulatedDomain, name: str) -> etree._Element:
    for disk in domain.root.iterfind("devices/disk"):
        target = disk.find("target")
        if target is not None and target.get("dev") == name:
            return disk
    raise OperationRefused(f"no disk {name} in domain {domain.id}")
