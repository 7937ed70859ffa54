"""The verbs of backups and checkpoints. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import (
    BackupConfig,
    BackupInfo,
    BlockScratchDisk,
    Checkpoint,
    CheckpointInfo,
    CheckpointsResponse,
    DiskBackupMode,
    ErrorInfo,
    FileScratchDisk,
)
from ovis.client.types import BackupDisk as WireDisk
from ovis.client.verbs import (
    VMBackupInfoArgs,
    VMDeleteCheckpointsArgs,
    VMDumpCheckpointArgs,
    VMListCheckpointsArgs,
    VMRedefineCheckpointsArgs,
    VMStartBackupArgs,
    VMStopBackupArgs,
)
from ovis.node.errors import MissingParameter
from ovis.node.registry import verb
from ovis.node.vm.backup import backup, checkpoints
from ovis.node.vm.disks.verbs import to_its_end
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.prepare import canonical_id
from ovis.node.wire_errors import code_of

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("VM.start_backup")
async def vm_start_backup(node: Node, args: VMStartBackupArgs) -> BackupInfo:
    vm = node.vms.find(args.vm_id)
    config = args.config
    wish = backup.Wish(
        id=canonical_id(config.backup_id, "config.backup_id"),
        disks=[_disk(disk) for disk in config.disks],
        since=_optional(config.from_checkpoint_id, "config.from_checkpoint_id"),
        checkpoint=_optional(config.to_checkpoint_id, "config.to_checkpoint_id"),
        require_consistency=config.require_consistency,
    )
    found = await to_its_end(node.vms, backup.start(node.vms, vm, wish), f"begin a backup of VM {vm.id}")
    return BackupInfo(checkpoint=found.checkpoint, disks=found.addresses)


@verb("VM.stop_backup")
async def vm_stop_backup(node: Node, args: VMStopBackupArgs) -> None:
    vm = node.vms.find(args.vm_id)
    work = backup.stop(node.vms, vm, canonical_id(args.backup_id, "backup_id"))
    await to_its_end(node.vms, work, f"stop a backup of VM {vm.id}")


@verb("VM.backup_info")
async def vm_backup_info(node: Node, args: VMBackupInfoArgs) -> BackupInfo:
    vm = node.vms.find(args.vm_id)
    backup_id = canonical_id(args.backup_id, "backup_id")
    found = await backup.info(node.vms, vm, backup_id, _optional(args.checkpoint_id, "checkpoint_id"))
    return BackupInfo(checkpoint=found.checkpoint, disks=found.addresses)


@verb("VM.list_checkpoints")
async def vm_list_checkpoints(node: Node, args: VMListCheckpointsArgs) -> list[str]:
    return await checkpoints.names(node.vms, node.vms.find(args.vm_id))


@verb("VM.dump_checkpoint")
async def vm_dump_checkpoint(node: Node, args: VMDumpCheckpointArgs) -> CheckpointInfo:
    vm = node.vms.find(args.vm_id)
    checkpoint_id = canonical_id(args.checkpoint_id, "checkpoint_id")
    return CheckpointInfo(checkpoint=await checkpoints.dump(node.vms, vm, checkpoint_id))


@verb("VM.redefine_checkpoints")
async def vm_redefine_checkpoints(node: Node, args: VMRedefineCheckpointsArgs) -> CheckpointsResponse:
    vm = node.vms.find(args.vm_id)
    work = checkpoints.redefine(node.vms, vm, [_known(checkpoint) for checkpoint in args.checkpoints])
    return _response(await to_its_end(node.vms, work, f"redefine checkpoints of VM {vm.id}"))


@verb("VM.delete_checkpoints")
async def vm_delete_checkpoints(node: Node, args: VMDeleteCheckpointsArgs) -> CheckpointsResponse:
    vm = node.vms.find(args.vm_id)
    ids = [canonical_id(checkpoint_id, "checkpoint_ids") for checkpoint_id in args.checkpoint_ids]
    return _response(
        await to_its_end(node.vms, checkpoints.delete(node.vms, vm, ids), f"delete checkpoints of VM {vm.id}")
    )


def _disk(disk: WireDisk) -> backup.DiskWish:
    scratch = disk.scratch_disk
    return backup.DiskWish(
        ids=VolumeIds.of(disk.vol_id, disk.img_id, disk.sd_id),
        tracks=disk.checkpoint,
        full=disk.backup_mode is DiskBackupMode.FULL,
        scratch=scratch.path if isinstance(scratch, FileScratchDisk | BlockScratchDisk) else None,
    )


def _known(checkpoint: Checkpoint) -> checkpoints.Known:
    name = canonical_id(checkpoint.id, "checkpoints.id")
    config = checkpoint.config
    return checkpoints.Known(name, checkpoint.xml, None if config is None else _data(config))


def _data(config: BackupConfig) -> checkpoints.Data:
    if config.creation_time is None:
        raise MissingParameter("checkpoints.config.creation_time", "a checkpoint is built from it")
    return checkpoints.Data(
        disks=[VolumeIds.of(d.vol_id, d.img_id, d.sd_id) for d in config.disks if d.checkpoint],
        parent=_optional(config.parent_checkpoint_id, "checkpoints.config.parent_checkpoint_id"),
        creation_time=config.creation_time,
    )


def _response(outcome: checkpoints.Outcome) -> CheckpointsResponse:
    error = outcome.error
    told = None if error is None else ErrorInfo(code=code_of(error.wire_name), message=str(error))
    return CheckpointsResponse(checkpoint_ids=outcome.done, error=told)


def _optional(text: str | None, field: str) -> str | None:
    return None if text is None else canonical_id(text, field)
