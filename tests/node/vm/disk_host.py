"""A VM with disks on the simulated hypervisor, whose agent dies at any step."""

import asyncio
import struct
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from vm_host import ID, VmHost, parameters, vm_host

from ovis.node.hypervisor.errors import HypervisorError, HypervisorLost, OperationFailed
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm.disks.drives import Drive
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.store import Store
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

T = TypeVar("T")
MIB = 1 << 20
SIZE = 10 << 30  # what disks of the simulated hypervisor have
DOMAIN_ID, POOL_ID = str(uuid.uuid4()), str(uuid.uuid4())
READS = {"job", "size", "xml", "metadata", "info", "domains", "running", "checkpoints", "checkpoint", "sample"}
AREAS = {"block_jobs", "backups"}


class Killed(BaseException):
    """The process is gone: nothing of it runs any further."""


class Steps:
    """Counts the steps at which a process may die, and dies at one of them."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.taken = 0
        self.dead = asyncio.Event()

    def alive(self) -> None:
        if self.dead.is_set():
            raise Killed

    def step(self) -> None:
        self.alive()
        if self.taken == self.last:
            self.dead.set()
            raise Killed
        self.taken += 1

    def before(self, call: str) -> None:
        self.alive() if call in READS else self.step()

    def after(self, call: str) -> None:
        self.before(call)


class DyingStore(Store):
    """A step before and one after each piece of work on the disk."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        super().__init__(folder)
        self._steps = steps

    async def run(self, work: Callable[[], T]) -> T:
        self._steps.step()
        result = await super().run(work)
        self._steps.step()
        return result

    async def close(self) -> None:
        """What the dead process had given to its disk is on it before the next one looks."""
        await super().run(lambda: None)
        self._thread.close()


class DyingArea:
    """The hypervisor or a part of it; whoever counts the steps is told of each call, before and after it."""

    def __init__(self, real: object, steps: Any) -> None:
        self._real = real
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in AREAS:
            return DyingArea(found, self._steps)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any, **named: Any) -> Any:
            self._steps.before(name)
            result = await found(*arguments, **named)
            self._steps.after(name)
            return result

        return call


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    """Whatever runs by itself goes on meanwhile."""
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 - what is waited for is whatever the test says
            await asyncio.sleep(0.001)


async def until_async(is_so: Callable[[], object]) -> None:
    async def asked() -> object:
        return is_so()

    await until(asked)


def write_qcow2(path: Path, *, size: int = SIZE, backing: Path | str | None = None) -> None:
    """An image with nothing but a header."""
    name = str(backing or "").encode()
    head = struct.pack(">4sIQIIQ", b"QFI\xfb", 3, 104 if name else 0, len(name), 16, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head.ljust(104, b"\0") + name)


class Disk:
    """`volumes` from the base to the layer in use; files exist, their content is the simulated hypervisor's."""

    def __init__(self, folder: Path, target: str, layers: int = 1) -> None:
        self.folder = folder
        self.target = target
        self.image_id = str(uuid.uuid4())
        self.volumes: list[str] = []
        for _ in range(layers):
            self.volumes.append(self.prepare())

    def prepare(self, *, backed: bool = True, folder: Path | None = None) -> str:
        volume_id = str(uuid.uuid4())
        backing = self.path(-1) if self.volumes and backed else None
        write_qcow2((folder or self.folder) / volume_id, backing=backing)
        return volume_id

    def path(self, place: int) -> Path:
        return self.folder / self.volumes[place]

    def ids(self, volume_id: str | None = None, *, domain: str = DOMAIN_ID) -> VolumeIds:
        return VolumeIds(volume_id or self.volumes[-1], self.image_id, domain, POOL_ID)

    @property
    def xml(self) -> str:
        layers = "<backingStore/>"
        for place in range(len(self.volumes) - 1):
            layers = (
                f"<backingStore type='file'><format type='qcow2'/><source file='{self.path(place)}'/>{layers}"
                "</backingStore>"
            )
        return (
            f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{self.path(-1)}'/>"
            f"{layers}<target dev='{self.target}' bus='virtio'/><serial>{self.image_id}</serial></disk>"
        )

    @property
    def metadata(self) -> str:
        return (
            f"<ovirt-vm:device devtype='disk' name='{self.target}'><ovirt-vm:domainID>{DOMAIN_ID}</ovirt-vm:domainID>"
            f"<ovirt-vm:imageID>{self.image_id}</ovirt-vm:imageID></ovirt-vm:device>"
        )


class FreezingGuest:
    """Its file systems are frozen or not; `trace` says what it was told."""

    def __init__(self, *, fails: bool = False) -> None:
        self.is_frozen = False
        self.trace: list[str] = []
        self.fails = fails

    def freeze(self, _: Mapping[str, object]) -> object:
        self.trace.append("freeze")
        if self.fails:
            raise LookupError
        self.is_frozen = True
        return 2

    def thaw(self, _: Mapping[str, object]) -> object:
        self.trace.append("thaw")
        self.is_frozen = False
        return 2

    @property
    def guest(self) -> Guest:
        answers: dict[str, Any] = {"guest-fsfreeze-freeze": self.freeze, "guest-fsfreeze-thaw": self.thaw}
        return Guest(agent_after=0.0, answers=answers)


class Accident:
    """Something happens once: before a call, within one that changes something (it is done, the answer is lost), or
    after such a call. `at` is the number of that moment among `taken`; counted from `armed` on."""

    def __init__(self, at: int, happen: Callable[[], HypervisorError]) -> None:
        self.taken = 0
        self.at = at
        self.armed = False
        self._happen = happen

    def before(self, _: str) -> None:
        self._moment()

    def after(self, call: str) -> None:
        if call in READS:
            return
        if (lost := self._moment()) is not None:
            raise lost
        self._moment()

    def _moment(self) -> HypervisorError | None:
        if not self.armed:
            return None
        self.taken += 1
        return self._happen() if self.taken == self.at + 1 else None

    @property
    def happened(self) -> bool:
        return self.taken > self.at


class DiskVm:
    """One VM over several lives of the agent. `body` of each gets the agent's VMs and the VM."""

    def __init__(self, folder: Path, *, layers: int = 1, disks: int = 1, guest: Guest | None = None) -> None:
        self.folder = folder
        self.hypervisor = SimulatedHypervisor(guest=guest or Guest(agent_after=None))
        self.disks = [Disk(folder / "disks", f"vd{'abcd'[number]}", layers) for number in range(disks)]
        self.settings = VmSettings(
            allowed_paths=(folder,), backup_folder=folder / "sockets", scratch_folder=folder / "scratch"
        )
        for disk in self.disks:
            for place in range(1, layers):
                self.images[str(disk.path(place))].backing = str(disk.path(place - 1))

    @property
    def disk(self) -> Disk:
        return self.disks[0]

    @property
    def images(self) -> Any:
        return self.hypervisor.block_jobs.images

    def read(self, disk: Disk | None = None) -> dict[int, str]:
        return self.hypervisor.block_jobs.read(ID, (disk or self.disk).target)

    def write(self, block: int, data: str) -> None:
        for disk in self.disks:
            self.hypervisor.block_jobs.write(ID, disk.target, block, data)

    async def start(self) -> None:
        async with vm_host(self.folder, self.hypervisor, settings=self.settings) as host:
            await host.vms.create(
                ID,
                parameters(
                    devices="".join(disk.xml for disk in self.disks),
                    metadata="".join(disk.metadata for disk in self.disks),
                ),
            )
            await host.until(lambda: host.vms.find(ID).has_qemu)
            await host.written()

    async def live(self, body: Callable[[Vms, Vm], Awaitable[T]]) -> T:
        async with vm_host(self.folder, self.hypervisor, settings=self.settings) as host:
            return await body(host.vms, host.vms.find(ID))

    async def with_accident_at(
        self,
        step: int,
        happen: Callable[[], HypervisorError],
        work: Callable[[Vms, Vm], Awaitable[object]],
        look: Callable[[Vms, Vm], Awaitable[object]],
    ) -> bool:
        """A life of the agent in which something happens: whether `work` came to that step."""
        accident = Accident(step, happen)
        area: Any = DyingArea(self.hypervisor, accident)
        async with vm_host(self.folder, area, settings=self.settings) as host:
            accident.armed = True
            await work(host.vms, host.vms.find(ID))
            accident.armed = False
            await look(host.vms, host.vms.find(ID))
        return accident.happened

    def lose_libvirt(self) -> HypervisorError:
        """For a moment; the answer is what a call under way ends with."""
        self.hypervisor.disconnect()
        asyncio.get_running_loop().call_later(0.02, self.hypervisor.reconnect)
        return HypervisorLost("closed (eof)")

    def kill_qemu(self) -> HypervisorError:
        self.hypervisor.stop(ID, "crashed")
        return OperationFailed("Unable to read from monitor: Connection reset by peer")

    async def settled(self) -> list[Drive]:
        """A life in which everything that was begun ends; what its disks are then."""

        async def rest(vms: Vms, vm: Vm) -> list[Drive]:
            async with asyncio.timeout(10):
                while vm.disk_work.merges or vm.disk_work.snapshot:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            return list(await vms.drives.drives(vm))

        return await self.live(rest)

    async def die_at(self, last: int | None, body: Callable[[Vms, Vm], Awaitable[object]]) -> bool:
        """A life that ends at that step, or with its body: whether it died."""
        steps = Steps(last)
        dying: Any = DyingArea(self.hypervisor, steps)
        store = DyingStore(self.folder, steps)
        try:
            async with vm_host(self.folder, dying, settings=self.settings, store=store, recover=False) as host:
                steps.last = None
                await host.vms.recover()
                steps.taken, steps.last = 0, last
                await self._until_dead(host, body, steps)
        except Killed:
            pass
        return steps.dead.is_set()

    @staticmethod
    async def _until_dead(host: VmHost, body: Callable[[Vms, Vm], Awaitable[object]], steps: Steps) -> None:
        working = asyncio.ensure_future(body(host.vms, host.vms.find(ID)))
        dead = asyncio.ensure_future(steps.dead.wait())
        await asyncio.wait({working, dead}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        dying = steps.dead.is_set()
        for task in (working, dead):
            if dying or task is dead:
                task.cancel()
        results = await asyncio.gather(working, dead, return_exceptions=True)
        if not dying and isinstance(results[0], BaseException):
            raise results[0]

    async def close(self) -> None:
        await self.hypervisor.close()
