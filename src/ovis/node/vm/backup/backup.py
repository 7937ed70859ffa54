"""VM.start_backup, stop_backup and backup_info: QEMU offers the disks as they were in one moment, over NBD.

What the guest overwrites meanwhile goes to a scratch file of each disk first. The backup with all its files is in the
VM's record before libvirt is asked; it ends with `stop`, with the VM, or when QEMU gives it up, and its files go with
it. An agent that starts again finds it running, or removes what is left.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import CheckpointBroken, DomainNotFound, HypervisorError
from ovis.node.vm.backup import description
from ovis.node.vm.backup.description import BackupDisk
from ovis.node.vm.disks.drives import Drive
from ovis.node.vm.disks.errors import (
    BackupFailed,
    DiskBusy,
    InconsistentCheckpoint,
    NoSuchBackup,
    NoSuchCheckpoint,
    Unsupported,
)
from ovis.node.vm.disks.exclusive import require_exclusive
from ovis.node.vm.disks.truth import Change, note, settle, undo
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.disks.work import Backup
from ovis.node.vm.snapshots import freezing
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

SOCKET_LIMIT = 107  # sockaddr_un.sun_path without its NUL


@dataclass(frozen=True)
class DiskWish:
    """`scratch`: a prepared qcow2 file or block device; None: the host makes a file. `full`: all data, whatever `since`
    of the backup says. `tracks`: changes are tracked from the new checkpoint on."""

    ids: VolumeIds
    tracks: bool
    full: bool = False
    scratch: str | None = None


@dataclass(frozen=True)
class Wish:
    """`since` is the checkpoint to build on, `checkpoint` the one to make; ids in libvirt's spelling."""

    id: str
    disks: Sequence[DiskWish]
    since: str | None = None
    checkpoint: str | None = None
    require_consistency: bool = False


@dataclass(frozen=True)
class Running:
    """`addresses`: of each image, as qemu-img understands them. `checkpoint`: libvirt's XML."""

    addresses: dict[str, str]
    checkpoint: str | None = None


async def start(vms: Vms, vm: Vm, wish: Wish) -> Running:
    """Begin a backup. After an error none runs, and no checkpoint was made.

    Raises VmNotRunning, VmBusy, DiskBusy, DriveNotFound, BadParameter, Unsupported, NoSuchCheckpoint,
    InconsistentCheckpoint, BackupFailed.
    """
    vm.require_qemu()
    async with vm.claim("start a backup"):
        if (holder := vm.disk_work.holder) is not None:
            raise DiskBusy(vm.id, f"{holder} is at work on its disks")
        if not wish.disks:
            raise BadParameter("config.disks", "is empty")
        drives = await vms.drives.drives(vm)
        found = [await vms.drives.find(vm, disk.ids) for disk in wish.disks]
        await _check_checkpoints(vms, vm, wish, found)
        planned = _plan(vms, vm, wish, found)
        reuses = await _prepare_scratch(vms, vm, wish, planned)
        try:
            await note(vms, vm, _with(planned))
        except OSError as error:
            raise BackupFailed(vm.id, f"its record could not be written: {error}; no backup runs") from error
        try:
            await _begin(vms, vm, wish, _disks(wish, found, planned), drives, planned, reuse_scratch=reuses)
        except BaseException:
            await undo(vms, vm, lambda: _end(vms, vm, planned), "end what there is of a backup")
            raise
        return Running(_addresses(planned), await _checkpoint_xml(vms, vm, wish.checkpoint))


async def stop(vms: Vms, vm: Vm, backup_id: str) -> None:
    """End a backup; its checkpoint stays. Safe to repeat. Raises BackupFailed: it may still run."""
    found = vm.disk_work.backup
    if found is None or found.id != backup_id:
        return
    try:
        await _end(vms, vm, found)
    except HypervisorError as error:
        raise BackupFailed(vm.id, f"backup {backup_id} may still run: {error}") from error


async def info(vms: Vms, vm: Vm, backup_id: str, checkpoint_id: str | None) -> Running:
    """Raises NoSuchBackup, NoSuchCheckpoint, HypervisorError."""
    found = vm.disk_work.backup
    if found is None or found.id != backup_id or not vm.has_qemu:
        raise NoSuchBackup(vm.id, f"no backup {backup_id} runs")
    if await vms.hypervisor.backups.running(vm.id) is None:
        raise NoSuchBackup(vm.id, f"backup {backup_id} has ended by itself; stop it to be done with it")
    xml = await _checkpoint_xml(vms, vm, checkpoint_id)
    if checkpoint_id is not None and xml is None:
        raise NoSuchCheckpoint(vm.id, f"no checkpoint {checkpoint_id}")
    return Running(_addresses(found), xml)


async def take_up(vms: Vms, vm: Vm) -> None:
    """At the start of the agent. Raises HypervisorError."""
    found = vm.disk_work.backup
    if found is None:
        return
    await freezing.thaw(vms, vm)  # the agent may have ended while the guest was frozen for it
    if await vms.hypervisor.backups.running(vm.id) is None:
        log.info("VM %s: backup %s is over, its files are removed", vm.id, found.id)
        await _end(vms, vm, found)


async def remove_files(vms: Vms, found: Backup) -> None:
    """The socket and our own scratch files. Safe to repeat."""

    def remove() -> None:
        for path in (*found.scratch, found.socket):
            Path(path).unlink(missing_ok=True)

    try:
        await vms.drives.run(remove, "remove the files of a backup")
    except (OSError, BadParameter) as error:
        log.warning("files of backup %s could not be removed: %s", found.id, error)


async def remove_leftovers(vms: Vms) -> None:
    """At the start of the agent: files of backups of which no VM knows. Safe to repeat."""
    known = {path for vm in vms if (found := vm.disk_work.backup) for path in (found.socket, *found.scratch)}

    def remove() -> None:
        for folder in (vms.settings.backup_folder, vms.settings.scratch_folder):
            for path in folder.glob("*"):
                if str(path) not in known:
                    path.unlink(missing_ok=True)

    try:
        await vms.drives.run(remove, "remove files of old backups")
    except (OSError, BadParameter) as error:
        log.warning("files of old backups could not be removed: %s", error)


async def _check_checkpoints(vms: Vms, vm: Vm, wish: Wish, drives: list[Drive]) -> None:
    for disk, drive in zip(wish.disks, drives, strict=True):
        if disk.tracks and wish.checkpoint is not None and drive.active.format != "qcow2":
            raise Unsupported(
                vm.id, f"{drive.target} is {drive.active.format}: only qcow2 disks keep track of their changes"
            )
    known = set(await vms.hypervisor.backups.checkpoints(vm.id)) if wish.since or wish.checkpoint else set()
    if wish.since is not None and wish.since not in known:
        raise NoSuchCheckpoint(vm.id, f"no checkpoint {wish.since}; it may have to be defined again first")
    if wish.checkpoint is not None and wish.checkpoint in known:
        raise BackupFailed(vm.id, f"checkpoint {wish.checkpoint} exists already; no backup runs")


def _plan(vms: Vms, vm: Vm, wish: Wish, drives: list[Drive]) -> Backup:
    folder = vms.settings.backup_folder
    # Short: the address of a Unix socket has at most 107 bytes.
    name = hashlib.sha256(f"{vm.id} {wish.id}".encode()).hexdigest()[:12]
    return Backup(
        id=wish.id,
        exports={
            drive.image_id or disk.ids.volume: drive.target for disk, drive in zip(wish.disks, drives, strict=True)
        },
        socket=str(folder / f"{name}.nbd"),
        scratch=tuple(
            str(vms.settings.scratch_folder / f"{name}-{drive.target}.scratch")
            for disk, drive in zip(wish.disks, drives, strict=True)
            if disk.scratch is None
        ),
        checkpoint_id=wish.checkpoint,
    )


async def _prepare_scratch(vms: Vms, vm: Vm, wish: Wish, planned: Backup) -> bool:
    """Folders for what is ours; what is the caller's must exist. Whether scratch files are the caller's."""
    given = [disk.scratch for disk in wish.disks if disk.scratch is not None]
    if given and len(given) < len(wish.disks):
        raise BadParameter("config.disks", "either every disk has a scratch disk or none")
    for path in given:
        require_exclusive(vms, vm, path)
        await vms.drives.check_chain(path, "config.disks.scratch_disk")

    def make() -> None:
        for folder in (vms.settings.backup_folder, vms.settings.scratch_folder):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)  # QEMU may be another user: it knows the name
        for path in planned.scratch:  # of a backup that was lost with the record
            Path(path).unlink(missing_ok=True)

    try:
        await vms.drives.run(make, "make the folders of a backup")
    except OSError as error:
        raise BackupFailed(vm.id, f"its folders could not be made: {error}; no backup runs") from error
    if len(os.fsencode(planned.socket)) > SOCKET_LIMIT:
        raise BackupFailed(vm.id, f"{planned.socket} is too long for a socket; no backup runs")
    return bool(given)


def _disks(wish: Wish, drives: list[Drive], planned: Backup) -> list[BackupDisk]:
    own = iter(planned.scratch)
    return [
        BackupDisk(
            target=drive.target,
            scratch=disk.scratch or next(own),
            scratch_is_block=disk.scratch is not None and not os.path.isfile(disk.scratch),
            since=None if disk.full else wish.since,
            tracks=disk.tracks,
        )
        for disk, drive in zip(wish.disks, drives, strict=True)
    ]


async def _begin(
    vms: Vms,
    vm: Vm,
    wish: Wish,
    disks: list[BackupDisk],
    drives: tuple[Drive, ...],
    planned: Backup,
    *,
    reuse_scratch: bool,
) -> None:
    named = {disk.target for disk in disks}
    others = [drive.target for drive in drives if drive.target not in named]
    tracked = [disk.target for disk in disks if disk.tracks]
    checkpoint = None
    if wish.checkpoint is not None:
        rest = [drive.target for drive in drives if drive.target not in tracked]
        checkpoint = description.checkpoint(wish.checkpoint, tracked, rest)
    xml = description.backup(disks, others, planned.socket)
    try:
        async with freezing.frozen(vms, vm) as freeze:
            if freeze.file_systems is None and wish.require_consistency:
                raise BackupFailed(vm.id, f"its file systems cannot be frozen: {freeze.why}; no backup runs")
            await vms.hypervisor.backups.begin(vm.id, xml, checkpoint, reuse_scratch=reuse_scratch)
    except CheckpointBroken as error:
        raise InconsistentCheckpoint(vm.id, f"{error.message}; no backup runs") from error
    except DomainNotFound as error:
        raise BackupFailed(vm.id, "it ended meanwhile") from error
    except HypervisorError as error:
        raise BackupFailed(vm.id, f"{error}; no backup runs") from error


async def _end(vms: Vms, vm: Vm, found: Backup) -> None:
    """Raises HypervisorError; the backup is then still noted."""
    if vm.has_qemu:
        with contextlib.suppress(DomainNotFound):
            await vms.hypervisor.backups.end(vm.id)
    await remove_files(vms, found)
    if vm.disk_work.backup == found:
        await settle(vms, vm, _with(None))


async def _checkpoint_xml(vms: Vms, vm: Vm, checkpoint_id: str | None) -> str | None:
    return None if checkpoint_id is None else await vms.hypervisor.backups.checkpoint(vm.id, checkpoint_id)


def _addresses(found: Backup) -> dict[str, str]:
    return {image: f"nbd:unix:{found.socket}:exportname={target}" for image, target in found.exports.items()}


def _with(backup: Backup | None) -> Change:
    return lambda work: msgspec.structs.replace(work, backup=backup)
