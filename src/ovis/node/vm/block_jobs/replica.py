"""VM.diskReplicateStart and Finish: a disk is mirrored to another file, and the VM changes over to it or not.

| noted | mirror in QEMU | layer in use | it is                                                      |
|-------|----------------|--------------|------------------------------------------------------------|
| any   | yes            | any          | running: the caller ends it                                |
| any   | no             | destination  | over: the VM has changed over                              |
| any   | no             | source       | over: the VM has stayed, the destination is of no use      |
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import msgspec
from lxml import etree

from ovis.node.hypervisor.block_jobs import NewLayer
from ovis.node.hypervisor.errors import DomainBusy, HypervisorError
from ovis.node.vm import live_metadata
from ovis.node.vm.block_jobs import room
from ovis.node.vm.disks.drives import Drive, device_groups
from ovis.node.vm.disks.errors import DiskBusy, DriveNotFound, NotReady, NotReplicating, ReplicaFailed
from ovis.node.vm.disks.exclusive import require_exclusive
from ovis.node.vm.disks.truth import conclude, note, put, remember, settle, undo
from ovis.node.vm.disks.volumes import Volume, VolumeIds
from ovis.node.vm.disks.work import Replica, Step
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)


async def start(vms: Vms, vm: Vm, source: VolumeIds, destination: VolumeIds) -> None:
    """Begin to mirror. A destination with a backing file gets the layer in use only, any other the whole disk.

    Raises VmNotRunning, VmBusy, DriveNotFound, DiskBusy, ReplicaFailed, BadParameter: the VM uses the source only.
    """
    vm.require_qemu()
    async with vm.claim("start a replication"):
        drive = await vms.drives.find(vm, source)
        if (holder := vm.disk_work.holder_of(drive.target)) is not None:
            raise DiskBusy(vm.id, f"{holder} is at work on {drive.target}")
        volume = await vms.drives.volume(vm.id, destination, drive=drive)
        await _check(vms, vm, drive, volume)
        replica = Replica(
            disk=drive.target,
            source=drive.active.path,
            destination=volume.path,
            volume_id=destination.volume,
            domain_id=destination.domain,
            pool_id=destination.pool,
        )
        await _noted(vms, vm, replica)
        try:
            await vms.hypervisor.block_jobs.copy(
                vm.id,
                drive.target,
                NewLayer(drive.target, volume.path, volume.header.format, volume.is_block),
                is_shallow=volume.header.backing is not None,
            )
        except HypervisorError as error:
            await undo(vms, vm, lambda: _give_up(vms, vm, replica), "give up a replication")
            raise ReplicaFailed(vm.id, f"{drive.target}: {error}; the VM uses {replica.source} only") from error
        begun = msgspec.structs.replace(replica, step=Step.COPY)
        await settle(vms, vm, lambda work: work.with_replica(begun))


async def finish(vms: Vms, vm: Vm, source: VolumeIds, destination: VolumeIds) -> None:
    """End the mirror. Equal ids give it up; else the VM changes over.

    Raises VmNotRunning, VmBusy, NotReplicating, NotReady (nothing has changed), ReplicaFailed, HypervisorError.
    """
    vm.require_qemu()
    async with vm.claim("finish a replication"):
        drive, replica = await _find(vms, vm, source)
        if destination.volume != replica.volume_id and destination.volume != source.volume:
            raise ReplicaFailed(
                vm.id, f"{drive.target} is mirrored to volume {replica.volume_id}, not {destination.volume}"
            )
        if destination == source:
            await _ask(vms, vm, replica, vms.hypervisor.block_jobs.cancel(vm.id, drive.target), replica.source)
            return
        if drive.mirror is None or not drive.mirror.is_ready:
            raise NotReady(vm.id, f"the copy of {drive.target} has not caught up yet")
        await _noted(vms, vm, msgspec.structs.replace(replica, step=Step.PIVOT))
        await _ask(vms, vm, replica, vms.hypervisor.block_jobs.pivot(vm.id, drive.target), replica.destination)


async def look_after(vms: Vms, vm: Vm, replica: Replica) -> None:
    """At the start of the agent: settle what has ended meanwhile. Raises HypervisorError."""
    drive = await _drive(vms, vm, replica.disk)
    if drive is None or drive.mirror is None:
        used = "the disk is gone" if drive is None else f"the VM uses {drive.active.path}"
        log.info("VM %s: the replication of %s is over, %s", vm.id, replica.disk, used)
        if drive is not None and drive.active.path == replica.destination:
            await _tell_new_home(vms, vm, replica)
        await conclude(vms, vm, lambda work: work.without_replica(replica.disk))


async def _check(vms: Vms, vm: Vm, drive: Drive, volume: Volume) -> None:
    if volume.path in drive.paths:
        raise ReplicaFailed(vm.id, f"{volume.path} is in use by {drive.target} already")
    require_exclusive(vms, vm, volume.path)
    await vms.drives.check_chain(volume.path, "dstDisk")
    size = await vms.hypervisor.block_jobs.size(vm.id, drive.target)
    if volume.header.virtual_size < size.capacity:
        raise ReplicaFailed(
            vm.id,
            f"{volume.path} holds {volume.header.virtual_size} bytes, {drive.target} has {size.capacity}",
        )


async def _noted(vms: Vms, vm: Vm, replica: Replica) -> None:
    try:
        await note(vms, vm, lambda work: work.with_replica(replica))
    except OSError as error:
        raise ReplicaFailed(vm.id, f"its record could not be written: {error}; nothing has changed") from error


async def _find(vms: Vms, vm: Vm, source: VolumeIds) -> tuple[Drive, Replica]:
    try:
        drive = await vms.drives.find(vm, source)
    except DriveNotFound as error:
        raise NotReplicating(vm.id, f"no disk of it is image {source.image} with volume {source.volume}") from error
    replica = vm.disk_work.replica(drive.target)
    if replica is None:
        raise NotReplicating(vm.id, f"{drive.target} is not being mirrored")
    if drive.mirror is None:
        await conclude(vms, vm, lambda work: work.without_replica(drive.target))
        raise NotReplicating(vm.id, f"the mirror of {drive.target} has failed; the VM uses {drive.active.path}")
    return drive, replica


async def _ask(vms: Vms, vm: Vm, replica: Replica, call: Awaitable[None], wanted: str) -> None:
    """Pivot or cancel, then look where the VM is: only that counts."""
    failure: HypervisorError | None = None
    try:
        await call
        if wanted == replica.destination:
            await _remember(vms, vm, replica, Step.CHANGED)
    except DomainBusy as error:
        await _remember(vms, vm, replica, Step.COPY)
        raise NotReady(vm.id, f"{replica.disk}: {error}") from error
    except HypervisorError as error:
        failure = error
    drive = await _drive(vms, vm, replica.disk)
    if drive is not None and drive.mirror is not None:
        raise ReplicaFailed(vm.id, f"{replica.disk} is still being mirrored: {failure}") from failure
    await look_after(vms, vm, replica)
    await room.let_go_of_others(vms, vm, replica.disk)
    if drive is None or drive.active.path != wanted:
        used = "is gone" if drive is None else f"uses {drive.active.path}"
        raise ReplicaFailed(vm.id, f"{replica.disk} {used}: {failure}") from failure


async def _remember(vms: Vms, vm: Vm, replica: Replica, step: Step) -> None:
    await remember(vms, vm, lambda work: work.with_replica(msgspec.structs.replace(replica, step=step)))


async def _tell_new_home(vms: Vms, vm: Vm, replica: Replica) -> None:
    """Into the metadata, before the replication is forgotten. Raises HypervisorError."""

    def change(holder: etree._Element) -> None:
        for group in device_groups(holder):
            if group.get("name") == replica.disk:
                for name, value in (("domainID", replica.domain_id), ("poolID", replica.pool_id)):
                    if value is not None:
                        put(group, name, value)

    await live_metadata.edit(vms, vm, change)


async def _give_up(vms: Vms, vm: Vm, replica: Replica) -> None:
    """A start that failed, or whose outcome is not known, leaves no mirror behind. Raises HypervisorError."""
    await vms.hypervisor.block_jobs.cancel(vm.id, replica.disk)
    await conclude(vms, vm, lambda work: work.without_replica(replica.disk))


async def _drive(vms: Vms, vm: Vm, target: str) -> Drive | None:
    return next((drive for drive in await vms.drives.drives(vm) if drive.target == target), None)
