"""Every kind of work on the disks of a VM, each as a caller does it: begun, and ended or left by an error."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from disk_host import MIB, SIZE, DiskVm, until_async, write_qcow2

from ovis.node.vm.backup import backup, checkpoints
from ovis.node.vm.block_jobs import merge, replica
from ovis.node.vm.disks import sizes
from ovis.node.vm.disks.errors import NotReady
from ovis.node.vm.saved_memory import Place
from ovis.node.vm.snapshots import snapshot
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

Work = Callable[[DiskVm, Vms, Vm], Awaitable[None]]
THERE = str(uuid.uuid4())


async def snapshots(vm: DiskVm, vms: Vms, found: Vm) -> None:
    await snapshot.take(vms, found, snapshot.Wish(_new_layers(vm)))


async def snapshots_with_memory(vm: DiskVm, vms: Vms, found: Vm) -> None:
    place = Place(str(vm.folder / "memory"), str(vm.folder / "parameters"))
    _touch(place.memory, place.parameters)
    await snapshot.take(vms, found, snapshot.Wish(_new_layers(vm), memory=place))


async def inner_merges(vm: DiskVm, vms: Vms, found: Vm) -> None:
    await merge.merge(vms, found, merge.Wish(vm.disk.ids(), vm.disk.volumes[0], vm.disk.volumes[1]))
    await until_async(lambda: not found.disk_work.merges or found.is_down)


async def active_merges(vm: DiskVm, vms: Vms, found: Vm) -> None:
    await merge.merge(vms, found, merge.Wish(vm.disk.ids(), vm.disk.volumes[0], vm.disk.volumes[2]))
    await until_async(lambda: not found.disk_work.merges or found.is_down)


async def replications(vm: DiskVm, vms: Vms, found: Vm) -> None:
    volume_id = str(uuid.uuid4())
    write_qcow2(vm.folder / THERE / "images" / vm.disk.image_id / volume_id)
    copy = vm.disk.ids(volume_id, domain=THERE)
    await replica.start(vms, found, vm.disk.ids(), copy)
    while True:
        try:
            return await replica.finish(vms, found, vm.disk.ids(), copy)
        except NotReady:
            await asyncio.sleep(0.001)


async def extensions(vm: DiskVm, vms: Vms, found: Vm) -> None:
    drive = await vms.drives.find(found, vm.disk.ids())
    await sizes.extend(vms, found, drive, SIZE + MIB)


async def backups(vm: DiskVm, vms: Vms, found: Vm) -> None:
    backup_id = str(uuid.uuid4())
    disks = [backup.DiskWish(disk.ids(), tracks=True) for disk in vm.disks]
    await backup.start(vms, found, backup.Wish(backup_id, disks, checkpoint=str(uuid.uuid4())))
    noted = found.disk_work.backup
    _touch(*() if noted is None else (noted.socket, *noted.scratch))  # as QEMU makes them
    await backup.stop(vms, found, backup_id)


async def deleted_checkpoints(vm: DiskVm, vms: Vms, found: Vm) -> None:
    await backups(vm, vms, found)
    await checkpoints.delete(vms, found, await checkpoints.names(vms, found))


ALL: list[Work] = [
    snapshots,
    snapshots_with_memory,
    inner_merges,
    active_merges,
    replications,
    extensions,
    backups,
    deleted_checkpoints,
]
CHANGES_OVER: list[Work] = [active_merges, replications]


def _touch(*paths: str) -> None:
    for path in paths:
        Path(path).touch()


def _new_layers(vm: DiskVm) -> list[snapshot.DiskWish]:
    wished = [snapshot.DiskWish(disk.ids(), disk.ids(disk.prepare())) for disk in vm.disks]
    for wish, disk in zip(wished, vm.disks, strict=True):  # as the header says, whether QEMU comes to use it or not
        vm.images[str(disk.folder / wish.then.volume)].backing = str(disk.path(-1))
    return wished
