"""Thin disks grow before, or at the latest when, their guests fill them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from vm_host import ID, VmHost, vm_host

from ovis.client.types import VmStatus
from ovis.node.errors import NodeError
from ovis.node.hypervisor.block_jobs import DiskSize
from ovis.node.hypervisor.simulated.block_jobs import SimulatedBlockJobs
from ovis.node.vm import thin_disks
from ovis.node.vm.disks.keeping import Kept, KeptLayer
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.vm import Vm

DOMAIN, IMAGE, VOLUME = (f"{digit}0000000-0000-4000-8000-00000000000{digit}" for digit in "123")
METADATA = (
    f"<ovirt-vm:device devtype='disk' name='vda'><ovirt-vm:domainID>{DOMAIN}</ovirt-vm:domainID>"
    f"<ovirt-vm:imageID>{IMAGE}</ovirt-vm:imageID><ovirt-vm:volumeID>{VOLUME}</ovirt-vm:volumeID></ovirt-vm:device>"
)
SOURCE = "<driver name='qemu' type='qcow2'/><source dev='/nowhere'/>"
DISK = f"<disk type='block'>{SOURCE}<target dev='vda' bus='virtio'/></disk>"
MIB = 1 << 20
STEP = 1000 * MIB


class Domain:
    """A block domain with one thin volume. `limit`: what its capacity can need; `full`: it cannot be extended now."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.path = folder / VOLUME
        self.path.touch()
        self.limit = limit
        self.is_full = False
        self.asked: list[int] = []
        self.jobs: SimulatedBlockJobs

    async def take(self, vm_id: str, ids: VolumeIds, *, transient: bool = False) -> Kept | None:
        return Kept(str(self.path), True, "qcow2", (KeptLayer(VOLUME, IMAGE, str(self.path)),))

    async def keep_only(self, vm_id: str, ids: VolumeIds) -> None:
        raise AssertionError

    async def grow(self, ids: VolumeIds, size: int) -> None:
        assert (ids.domain, ids.image, ids.volume) == (DOMAIN, IMAGE, VOLUME)
        self.asked.append(size)
        await asyncio.sleep(0)
        if self.is_full:
            raise NodeError("the domain is full")
        self.physical = max(self.physical, min(size, self.limit))

    async def give_back(self, vm_id: str, image: str | None = None) -> None:
        pass

    async def give_back_of_others(self, is_used: Callable[[str], bool]) -> None:
        pass

    @property
    def physical(self) -> int:
        return self.jobs.devices[ID, "vda"].physical

    @physical.setter
    def physical(self, size: int) -> None:
        self.jobs.devices[ID, "vda"] = replace(self.jobs.devices[ID, "vda"], physical=size)


class Thin:
    def __init__(self, host: VmHost, domain: Domain, vm: Vm) -> None:
        self.host, self.domain, self.vm = host, domain, vm

    def write(self, mib: int) -> None:
        self.domain.jobs.fill(ID, "vda", mib * MIB)

    @property
    def threshold(self) -> int:
        return self.domain.jobs.thresholds.get((ID, "vda"), 0)

    async def until(self, mib: int) -> None:
        """The volume has this size, and what follows from that is done."""
        thin = self.host.vms.thin_disks._known[ID, "vda"]
        await self.host.until(lambda: self.domain.physical == mib * MIB and not thin.is_busy)


@asynccontextmanager
async def thin(folder: Path, *, limit_mib: int = 100_000) -> AsyncIterator[Thin]:
    domain = Domain(folder, limit_mib * MIB)
    settings = VmSettings(allowed_paths=(folder,), payload_folder=folder / "payloads", thin_step=STEP, thin_room=0.8)
    async with vm_host(folder, settings=settings, volumes=domain) as host:
        domain.jobs = host.hypervisor.block_jobs
        domain.jobs.devices[ID, "vda"] = DiskSize(50_000 * MIB, 0, STEP)
        vm = await host.started(metadata=METADATA, devices=DISK)
        host.vms.thin_disks._begin(vm, host.vms.thin_disks._thin(vm)[0])
        found = Thin(host, domain, vm)
        await host.until(lambda: found.threshold)
        yield found


def test_volume_grows_when_a_write_passes_the_threshold(tmp_path: Path) -> None:
    async def main() -> None:
        async with thin(tmp_path) as disk:
            assert disk.threshold == 200 * MIB
            disk.write(150)
            assert disk.domain.asked == []
            disk.write(201)
            await disk.until(2000)
            assert disk.threshold > 1000 * MIB
            assert disk.vm.status is not VmStatus.PAUSED

    asyncio.run(main())


def test_growing_begins_before_a_busy_qemu_has_told_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with thin(tmp_path) as disk:
            may_tell = asyncio.Event()
            size = disk.domain.jobs.size

            async def slow(domain_id: str, name: str, *, deadline: float | None = None) -> DiskSize:
                await may_tell.wait()
                return await size(domain_id, name)

            monkeypatch.setattr(disk.domain.jobs, "size", slow)
            disk.write(201)
            await disk.host.until(lambda: disk.domain.asked)
            assert disk.domain.asked == [2000 * MIB]
            may_tell.set()
            await disk.until(2000)
            assert disk.threshold > 1000 * MIB

    asyncio.run(main())


def test_paused_guest_goes_on_once_there_is_room(tmp_path: Path) -> None:
    async def main() -> None:
        async with thin(tmp_path) as disk:
            disk.domain.is_full = True
            disk.write(1001)
            await disk.host.until(lambda: disk.vm.status is VmStatus.PAUSED)
            await disk.host.until(lambda: disk.domain.asked)
            assert disk.domain.physical == STEP
            disk.domain.is_full = False
            disk.host.vms.thin_disks.is_full(disk.vm, "vda")
            await disk.host.until(lambda: disk.vm.status is not VmStatus.PAUSED)
            assert disk.domain.physical >= 2 * STEP

    asyncio.run(main())


def test_volume_that_has_all_it_can_need_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with thin(tmp_path, limit_mib=1500) as disk:
            disk.write(900)
            await disk.until(1500)
            disk.write(1400)
            await disk.until(1500)
            asked = len(disk.domain.asked)
            disk.host.vms.thin_disks.look()
            assert len(disk.domain.asked) == asked

    asyncio.run(main())


def test_quick_writer_gets_larger_steps_earlier() -> None:
    vms = type("Vms", (), {"settings": VmSettings(thin_step=STEP, thin_room=0.8)})
    disks = thin_disks.ThinDisks(vms)  # type: ignore[arg-type]
    slow, quick = (thin_disks.Thin(VolumeIds(VOLUME), "/x") for _ in range(2))
    quick.see(0.0, 0)
    quick.see(2.0, 600 * MIB)
    quick.took = 2.0
    assert disks.step(slow) == STEP
    assert disks.wanted_free(slow) == 800 * MIB
    assert disks.step(quick) == 6000 * MIB
    assert disks.wanted_free(quick) == 1800 * MIB
    quick.see(3.0, 60_000 * MIB)
    assert disks.step(quick) == thin_disks.LARGEST_STEPS * STEP


def test_files_and_raw_disks_are_not_thin(tmp_path: Path) -> None:
    (tmp_path / "disk").touch()

    async def main() -> None:
        async with vm_host(tmp_path) as host:
            disk = f"<disk type='file'><source file='{tmp_path}/disk'/><target dev='vda' bus='virtio'/></disk>"
            vm = await host.started(devices=disk)
            assert host.vms.thin_disks._thin(vm) == []

    asyncio.run(main())


@pytest.mark.parametrize("event", ["lost", "told"])
def test_sample_finds_what_no_event_told(tmp_path: Path, event: str) -> None:
    async def main() -> None:
        async with thin(tmp_path) as disk:
            if event == "lost":
                disk.domain.jobs.thresholds.clear()
            disk.write(500)
            disk.host.vms.thin_disks._begin(disk.vm, "vda")  # as a sample does that shows too little room
            await disk.until(2000)

    asyncio.run(main())
