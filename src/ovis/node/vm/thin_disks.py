"""Thin disks on block storage grow before their guests notice.

A qcow2 disk on a logical volume has only as much of it as it needed so far. QEMU tells when a write passes a threshold
that lies `thin_room` of a step below the end; then the volume is extended, and the threshold moves up.

    |------------- volume -------------------------|
    |--- written ---|.......... free ..............|
                              ^ threshold                    passed: extend by a step, or by what the guest
                                                             writes in AHEAD seconds where that is more

How quickly the guest writes, and how long extending took, decide how early to begin: a guest that writes 300 MB/s gets
larger steps, sooner. Where the device is full all the same QEMU has paused the guest: the volume is extended, and the
guest resumed at once.

Events may be lost (agent or libvirtd restarted), so every sample looks at all thin disks too.
Numbers: reference/vdsm.md (2,560 MiB, 80 %).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node.errors import NodeError
from ovis.node.hypervisor.block_jobs import DiskSize
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.vm import running, safe_xml
from ovis.node.vm.disks import drives
from ovis.node.vm.disks.drives import Drive
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

AHEAD = 20.0
"""Seconds of writing for which a step is enough."""
SHORTEST = 1.0
"""Seconds over which a rate of writing is measured at least."""
SAFETY = 3.0
"""How many times longer than before extending may take."""
RETRY = 2.0
"""Seconds between two tries of what could not be extended."""
LARGEST_STEPS = 8
"""A step grows to so many usual ones at most: a burst must not take the domain."""


@dataclass
class Thin:
    """Of one disk. Bytes, seconds of the monotonic clock; `rate` in bytes per second."""

    ids: VolumeIds
    path: str
    armed: int = 0
    is_busy: bool = False
    is_due: bool = False
    rate: float = 0.0
    took: float = 1.0
    passed_at: float | None = None
    """When the last threshold was passed, until the volume has grown."""
    passed: int = 0
    """The threshold that was passed then."""
    physical: int = 0
    """The volume's size when it was asked for last."""
    seen: tuple[float, int] | None = None
    not_before: float = 0.0

    def see(self, now: float, allocation: int) -> None:
        """Keep an eye on how quickly it fills; the largest of the last times fades slowly."""
        if self.seen is not None and now - self.seen[0] < SHORTEST:  # a burst says nothing yet
            return
        if self.seen is not None and allocation >= self.seen[1]:
            lately = (allocation - self.seen[1]) / (now - self.seen[0])
            self.rate = max(lately, self.rate * 0.7)
        self.seen = (now, allocation)


class ThinDisks:
    def __init__(self, vms: Vms) -> None:
        self._vms = vms
        self._known: dict[tuple[str, str], Thin] = {}
        self._read: dict[str, str] = {}
        """VM -> the description that was read last: reading it takes a millisecond."""

    def look(self) -> None:
        """Arm what is not, extend what is nearly full. Called after every sample; nothing waits here."""
        for key in [key for key in self._known if not self._has_qemu(key[0])]:
            self._forget(key)
        for vm in self._vms:
            if vm.has_qemu and vm.status in (VmStatus.UP, VmStatus.POWERING_UP, VmStatus.PAUSED):
                for target in self._thin(vm):
                    self._consider(vm, target)

    def passed(self, vm: Vm, disk: str) -> None:
        """A write has passed the threshold."""
        if disk in self._thin(vm):
            thin = self._known[vm.id, disk]
            thin.passed, thin.armed = thin.armed, 0
            thin.passed_at = self._vms.monotonic()
            self._begin(vm, disk)

    def is_full(self, vm: Vm, disk: str) -> None:
        """The guest wrote beyond the end and is, or will be, paused."""
        if disk in self._thin(vm):
            self._begin(vm, disk)

    def wanted_free(self, thin: Thin) -> int:
        """Below this it grows."""
        settings = self._vms.settings
        usual = settings.thin_step * settings.thin_room
        return int(min(max(usual, thin.rate * thin.took * SAFETY), self.step(thin)))

    def step(self, thin: Thin) -> int:
        usual = self._vms.settings.thin_step
        return int(min(max(usual, thin.rate * AHEAD), usual * LARGEST_STEPS))

    def _consider(self, vm: Vm, target: str) -> None:
        thin = self._known[vm.id, target]
        sample = next((disk for disk in vm.measured.full.disks if disk.name == target), None) if vm.measured else None
        if thin.is_busy or self._vms.monotonic() < thin.not_before:
            return
        if sample is None or sample.allocation is None or sample.physical is None or sample.path != thin.path:
            return
        is_low = sample.physical - sample.allocation < self.wanted_free(thin)
        if is_low or not thin.armed or vm.paused_by_disk:
            self._begin(vm, target)

    def _begin(self, vm: Vm, target: str) -> None:
        thin = self._known[vm.id, target]
        thin.is_due = True  # what is under way may have looked already
        if not thin.is_busy:
            thin.is_busy = True
            self._vms.own(self._work(vm, target, thin), f"extend disk {target} of VM {vm.id}")

    async def _work(self, vm: Vm, target: str, thin: Thin) -> None:
        try:
            while thin.is_due:
                thin.is_due = False
                await self._care(vm, target, thin)
        finally:
            thin.is_busy = False

    async def _care(self, vm: Vm, target: str, thin: Thin) -> None:
        try:
            told = self._as_told(thin)
            size = await (self._size(vm, target, thin) if told is None else self._grow(vm, target, thin, told))
            while size.physical - size.allocation < self.wanted_free(thin):
                grown = await self._grow(vm, target, thin, size)
                if grown.physical <= size.physical:  # it has all that its capacity can need
                    break
                size = grown
            if vm.status is VmStatus.PAUSED and self._is_full(vm, target):
                log.info("disk %s of VM %s has room again", target, vm.id)
                await running.resume(self._vms, vm)
            await self._arm(vm, target, thin, size)
        except (NodeError, HypervisorError) as error:
            thin.not_before = self._vms.monotonic() + RETRY
            log.warning("disk %s of VM %s could not be extended: %s", target, vm.id, error)

    def _as_told(self, thin: Thin) -> DiskSize | None:
        """What the event itself says is enough to begin: a busy QEMU takes its time to tell. None: nothing is to be
        done, or QEMU has to be asked."""
        if thin.passed_at is None or not thin.passed or thin.physical - thin.passed > self.wanted_free(thin):
            return None
        return DiskSize(0, thin.passed, thin.physical)

    async def _size(self, vm: Vm, target: str, thin: Thin) -> DiskSize:
        size = await self._vms.hypervisor.block_jobs.size(vm.id, target)
        thin.see(self._vms.monotonic(), size.allocation)
        thin.physical = size.physical
        return size

    async def _grow(self, vm: Vm, target: str, thin: Thin, size: DiskSize) -> DiskSize:
        began = self._vms.monotonic()
        await self._vms.volumes.grow(thin.ids, size.physical + self.step(thin))
        took = self._vms.monotonic() - began
        thin.took = max(took, thin.took * 0.7)
        if thin.passed_at is not None:  # QEMU can write there from now on, and will tell when it finds the time
            waited = self._vms.monotonic() - thin.passed_at
            log.info("disk %s of VM %s: room %.2f s after the threshold was passed", target, vm.id, waited)
            thin.passed_at = None
        grown = await self._size(vm, target, thin)
        log.info("disk %s of VM %s: %d -> %d bytes in %.2f s", target, vm.id, size.physical, grown.physical, took)
        return grown

    async def _arm(self, vm: Vm, target: str, thin: Thin, size: DiskSize) -> None:
        threshold = max(size.physical - self.wanted_free(thin), size.allocation + 1)
        if threshold >= size.physical:  # nothing is left to be warned of
            threshold = 0
        if threshold and threshold != thin.armed:
            await self._vms.hypervisor.block_jobs.watch(vm.id, target, threshold)
        thin.armed = threshold or size.physical

    @staticmethod
    def _is_full(vm: Vm, target: str) -> bool:
        error = vm.disk_error
        return vm.paused_by_disk and error is not None and error.reason == "enospc" and error.name in (target, "")

    def _thin(self, vm: Vm) -> list[str]:
        """The thin disks of a VM as its description has them now."""
        if self._read.get(vm.id) is not vm.xml:
            self._read[vm.id] = vm.xml
            found = {drive.target: drive for drive in _drives(vm.xml) if is_thin(drive)}
            for key in [key for key in self._known if key[0] == vm.id and key[1] not in found]:
                del self._known[key]
            for target, drive in found.items():
                known = self._known.get((vm.id, target))
                if known is None or known.path != drive.active.path:
                    ids = VolumeIds(drive.active.volume_id or "", drive.image_id, drive.domain_id, drive.pool_id)
                    self._known[vm.id, target] = Thin(ids, drive.active.path)
        return [target for vm_id, target in self._known if vm_id == vm.id]

    def _has_qemu(self, vm_id: str) -> bool:
        vm = self._vms.get(vm_id)
        return vm is not None and vm.has_qemu

    def _forget(self, key: tuple[str, str]) -> None:
        del self._known[key]
        self._read.pop(key[0], None)


def _drives(xml: str) -> tuple[Drive, ...]:
    return drives.read(safe_xml.parse_own(xml, "xml")) if "volumeID" in xml else ()


def is_thin(drive: Drive) -> bool:
    """Its volume is of a storage domain and may grow."""
    top = drive.active
    return top.is_block and top.format == "qcow2" and None not in (top.volume_id, drive.image_id, drive.domain_id)
