"""Where a volume is looked for."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from disk_host import DOMAIN_ID, DiskVm, write_qcow2

from ovis.node.errors import BadParameter
from ovis.node.vm.disks.errors import DriveNotFound
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms


def with_vm(tmp_path: Path, body: Callable[[DiskVm, Vms, Vm], Awaitable[None]]) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=2)
        await vm.start()
        await vm.live(lambda vms, found: body(vm, vms, found))
        await vm.close()

    asyncio.run(main())


def test_beside_the_active_layer_and_below_the_allowed_places(tmp_path: Path) -> None:
    async def body(vm: DiskVm, vms: Vms, found: Vm) -> None:
        drive = await vms.drives.find(found, vm.disk.ids())
        beside = vm.disk.prepare()
        assert (await vms.drives.volume(found.id, vm.disk.ids(beside), drive=drive)).path == str(
            vm.disk.folder / beside
        )
        other = VolumeIds(*(str(uuid.uuid4()) for _ in range(4)))
        place = tmp_path / str(other.domain) / "images" / str(other.image) / other.volume
        write_qcow2(place, size=4096)
        volume = await vms.drives.volume(found.id, other, drive=drive)
        assert (volume.path, volume.header.virtual_size, volume.is_block) == (str(place), 4096, False)
        with pytest.raises(DriveNotFound, match="is at none of"):
            await vms.drives.volume(found.id, VolumeIds(str(uuid.uuid4())), drive=drive)

    with_vm(tmp_path, body)


def test_disk_is_found_by_image_and_active_volume_only(tmp_path: Path) -> None:
    async def body(vm: DiskVm, vms: Vms, found: Vm) -> None:
        assert (await vms.drives.find(found, vm.disk.ids())).domain_id == DOMAIN_ID
        for wrong in (vm.disk.ids(vm.disk.volumes[0]), VolumeIds(vm.disk.volumes[1], str(uuid.uuid4()))):
            with pytest.raises(DriveNotFound):
                await vms.drives.find(found, wrong)

    with_vm(tmp_path, body)


def test_link_out_of_the_allowed_places_is_refused(tmp_path: Path) -> None:
    async def body(vm: DiskVm, vms: Vms, found: Vm) -> None:
        drive = await vms.drives.find(found, vm.disk.ids())
        volume_id = str(uuid.uuid4())
        (vm.disk.folder / volume_id).symlink_to("/etc/passwd")
        with pytest.raises(BadParameter, match="outside"):
            await vms.drives.volume(found.id, vm.disk.ids(volume_id), drive=drive)

    with_vm(tmp_path, body)


def test_circle_of_backing_files_is_refused(tmp_path: Path) -> None:
    async def body(vm: DiskVm, vms: Vms, _: Vm) -> None:
        path = vm.disk.folder / "circle"
        write_qcow2(path, backing=path)
        with pytest.raises(BadParameter, match="more than 200 layers"):
            await vms.drives.check_chain(str(path), "disk")

    with_vm(tmp_path, body)
