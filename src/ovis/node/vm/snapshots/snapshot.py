"""VM.snapshot: each named disk goes on writing to a new layer, all in one moment or none.

The new layers exist: the caller has made them, with the present layers as backing files. Their paths are in the VM's
record before libvirt is asked. Whatever happens then, a chain that begins with a new layer is right: if the VM never
came to use it, it is empty and shows what lies below.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import VmStatus
from ovis.node.hypervisor.block_jobs import NewLayer
from ovis.node.hypervisor.errors import DeadlineExceeded, DomainNotFound, HypervisorError
from ovis.node.vm import statistics
from ovis.node.vm.disks import image_header
from ovis.node.vm.disks.drives import Drive
from ovis.node.vm.disks.errors import DiskBusy, SnapshotFailed
from ovis.node.vm.disks.exclusive import require_exclusive
from ovis.node.vm.disks.truth import Change, conclude, in_the_end, note
from ovis.node.vm.disks.volumes import Volume, VolumeIds
from ovis.node.vm.disks.work import Snapshot
from ovis.node.vm.migration.errors import MigrationInProgress
from ovis.node.vm.saved_memory import Parameters, Place, write_parameters
from ovis.node.vm.snapshots import freezing
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

SWITCH = 60.0  # libvirt's transaction takes milliseconds; storage that is slow to open files takes longer


@dataclass(frozen=True)
class DiskWish:
    """The disk's active volume now, and the volume that is to be it."""

    now: VolumeIds
    then: VolumeIds


@dataclass(frozen=True)
class Wish:
    """Times in seconds. `is_frozen`: the caller has frozen the guest and will thaw it."""

    disks: Sequence[DiskWish]
    memory: Place | None = None
    is_frozen: bool = False
    timeout: float = 30 * 60.0
    freeze_timeout: float = 8 * 60.0


async def take(vms: Vms, vm: Vm, wish: Wish) -> None:
    """Take the snapshot; on return the VM writes to the new layers.

    Raises VmNotRunning, VmBusy, MigrationInProgress, DriveNotFound, DiskBusy, BadParameter, SnapshotFailed: the text
    says which layers the VM uses.
    """
    vm.require_qemu()
    if vm.departure is not None and vm.departure.is_active:
        raise MigrationInProgress(vm.id, vm.departure.destination)
    async with vm.claim("snapshot"):
        layers = await _prepare(vms, vm, wish)
        known = _parameters(vms, vm)
        freezes = wish.memory is None and not wish.is_frozen and vm.status is not VmStatus.PAUSED
        try:
            await note(vms, vm, _with(Snapshot(layers={x.disk: x.path for x in layers}, freezes=freezes)))
        except OSError as error:
            raise SnapshotFailed(vm.id, f"its record could not be written: {error}; nothing was changed") from error
        try:
            await _switch(vms, vm, wish, layers, freezes=freezes)
        except LayersUnknown:
            vms.own(in_the_end(vm, lambda: clean_up(vms, vm)), f"find out which layers VM {vm.id} uses")
            raise
        except BaseException:
            await conclude(vms, vm, _with(None))
            raise
        await conclude(vms, vm, _with(None))
        if wish.memory is not None:
            await _write_parameters(vms, vm, wish.memory, known)


class LayersUnknown(SnapshotFailed):
    """libvirt cannot be asked now. The note stays until it can."""


async def clean_up(vms: Vms, vm: Vm) -> None:
    """After an agent that ended in the middle: the VM uses the new layers or the old ones, and must not stay frozen.

    Raises HypervisorError.
    """
    found = vm.disk_work.snapshot
    if found is None:
        return
    await vms.drives.drives(vm)
    if found.freezes:
        await freezing.thaw(vms, vm)
    await conclude(vms, vm, _with(None))
    log.info("VM %s: a snapshot that the agent did not see the end of is settled", vm.id)


async def _prepare(vms: Vms, vm: Vm, wish: Wish) -> list[NewLayer]:
    layers = []
    for disk in wish.disks:
        drive = await vms.drives.find(vm, disk.now)
        if (holder := vm.disk_work.holder_of(drive.target)) is not None:
            raise DiskBusy(vm.id, f"{holder} is at work on {drive.target}")
        volume = await vms.drives.volume(vm.id, disk.then, drive=drive)
        _check_layer(vm, drive, volume)
        require_exclusive(vms, vm, volume.path)
        layers.append(NewLayer(drive.target, volume.path, "qcow2", volume.is_block))
    if len({layer.disk for layer in layers}) < len(layers):
        raise SnapshotFailed(vm.id, "a disk is named twice; nothing was changed")
    if not layers and wish.memory is None:
        raise SnapshotFailed(vm.id, "neither a disk nor memory is named; nothing was changed")
    return layers


def _check_layer(vm: Vm, drive: Drive, volume: Volume) -> None:
    """QEMU takes our word for what lies below; at the next start it reads it in the layer."""
    if volume.path in drive.paths:
        raise SnapshotFailed(vm.id, f"{volume.path} is in the chain of {drive.target} already; nothing was changed")
    if volume.header.format != "qcow2" or volume.header.has_external_data:
        raise SnapshotFailed(vm.id, f"{volume.path} is no plain qcow2 image; nothing was changed")
    below = image_header.backing_path(volume.path, volume.header)
    if below is None or os.path.realpath(below) != os.path.realpath(drive.active.path):
        raise SnapshotFailed(
            vm.id, f"{volume.path} lies on {below or 'nothing'}, not on {drive.active.path}; nothing was changed"
        )


async def _switch(vms: Vms, vm: Vm, wish: Wish, layers: list[NewLayer], *, freezes: bool) -> None:
    try:
        if freezes:
            async with freezing.frozen(vms, vm) as freeze:
                if freeze.file_systems is None:
                    log.warning("VM %s: its file systems are not frozen for the snapshot: %s", vm.id, freeze.why)
                left = max(wish.freeze_timeout - freeze.seconds, 0.1)
                await vms.hypervisor.block_jobs.snapshot(vm.id, layers, deadline=min(left, SWITCH))
            return
        memory = wish.memory.memory if wish.memory else None
        seconds = SWITCH if memory is None else wish.timeout
        await vms.hypervisor.block_jobs.snapshot(vm.id, layers, memory=memory, deadline=seconds)
    except DomainNotFound as error:
        raise SnapshotFailed(vm.id, "it ended meanwhile") from error
    except HypervisorError as error:
        if isinstance(error, DeadlineExceeded) and error.started:
            await _abort(vms, vm)
        if not await _has_switched(vms, vm, layers):
            raise SnapshotFailed(vm.id, f"{error}; it uses its old layers") from error
        if wish.memory is not None:
            raise SnapshotFailed(vm.id, f"{error}; it uses the new layers, its memory was not saved") from error
        log.warning("VM %s uses the new layers in spite of: %s", vm.id, error)


async def _abort(vms: Vms, vm: Vm) -> None:
    try:
        await vms.hypervisor.block_jobs.cancel_snapshot(vm.id)
    except HypervisorError as error:
        log.warning("VM %s: its snapshot could not be aborted: %s", vm.id, error)


async def _has_switched(vms: Vms, vm: Vm, layers: list[NewLayer]) -> bool:
    """Raises LayersUnknown."""
    try:
        used = {drive.target: drive.active.path for drive in await vms.drives.drives(vm)}
    except HypervisorError as error:
        raise LayersUnknown(vm.id, f"which layers it uses cannot be read now: {error}") from error
    return bool(layers) and all(used.get(layer.disk) == layer.path for layer in layers)


async def _write_parameters(vms: Vms, vm: Vm, place: Place, known: Parameters) -> None:
    """What belongs to the memory: the same as beside the memory of a VM that was saved."""
    try:
        await vms.drives.run(lambda: write_parameters(Path(place.parameters), known), "write beside the memory")
    except OSError as error:
        raise SnapshotFailed(
            vm.id, f"{place.parameters} could not be written: {error}; it uses its new layers"
        ) from error


def _parameters(vms: Vms, vm: Vm) -> Parameters:
    """Of the moment before the layers change: the memory goes with the old ones."""
    return Parameters(
        id=vm.id,
        name=vm.name,
        elapsed=vms.elapsed(vm),
        time_offset=vm.time_offset,
        paused=vm.status is VmStatus.PAUSED,
        xml=statistics.public_xml(vm),
    )


def _with(snapshot: Snapshot | None) -> Change:
    return lambda work: msgspec.structs.replace(work, snapshot=snapshot)
