"""Sizes of disks, and VMs that wait for space."""

import asyncio
import uuid
from pathlib import Path

import pytest
from disk_host import DiskVm, write_qcow2
from vm_host import ID

from ovis.client.types import VmStatus
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm.disks import sizes
from ovis.node.vm.disks.errors import BadSize, ResizeFailed, Unsupported
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

GIB = 1 << 30


def test_disk_grows_to_whole_sectors_and_never_shrinks(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            drive = await vms.drives.find(found, vm.disk.ids())
            for _ in range(2):
                assert await sizes.extend(vms, found, drive, 12 * GIB - 1) == 12 * GIB
            with pytest.raises(BadSize, match="cannot shrink"):
                await sizes.extend(vms, found, drive, GIB)
            vm.hypervisor.faults.fail("resize", error=OperationFailed("no"))
            with pytest.raises(ResizeFailed):
                await sizes.extend(vms, found, drive, 13 * GIB)

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_refresh_resumes_a_vm_that_waits_for_space(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            drive = await vms.drives.find(found, vm.disk.ids())
            vm.hypervisor.io_error(ID, alias="virtio-disk0", path=drive.active.path, reason="enospc")
            assert await found.until(lambda: found.status is VmStatus.PAUSED, seconds=10)
            size = await sizes.refresh(vms, found, drive)
            assert size.apparent == vm.disk.path(-1).stat().st_size
            assert found.status is not VmStatus.PAUSED

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_volume_that_no_vm_uses_is_only_looked_at(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()
        ids = VolumeIds(*(str(uuid.uuid4()) for _ in range(4)))
        write_qcow2(tmp_path / str(ids.domain) / "images" / str(ids.image) / ids.volume, size=GIB)

        async def body(vms: Vms, _: Vm) -> None:
            assert await sizes.extended(vms, ids, GIB) == GIB
            with pytest.raises(BadSize):
                await sizes.extended(vms, ids, GIB + 1)

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_partitions_of_a_disk_in_use_are_not_read(tmp_path: Path) -> None:
    async def main() -> None:
        domain, image = str(uuid.uuid4()), str(uuid.uuid4())
        vm = DiskVm(tmp_path)
        vm.disk.folder, vm.disk.image_id, volumes = tmp_path / domain / "images" / image, image, vm.disk.volumes
        write_qcow2(vm.disk.folder / volumes[0])
        await vm.start()

        async def body(vms: Vms, _: Vm) -> None:
            with pytest.raises(Unsupported, match="it uses"):
                await sizes.aligned(vms, VolumeIds(volumes[0], image, domain))

        await vm.live(body)
        await vm.close()

    asyncio.run(main())
