"""What goes wrong with the disks of VMs. The tree is that of `ovis.node.errors`; these are its leaves for disks.

Each text ends with what holds now.
"""

from __future__ import annotations

from ovis.node.errors import NodeError


class DiskError(NodeError):
    """Root of those below."""

    def __init__(self, vm_id: str, text: str) -> None:
        super().__init__(f"VM {vm_id}: {text}")
        self.vm_id = vm_id
        self.text = text


class DriveNotFound(DiskError):
    """No disk of the VM has these ids, or the volume is nowhere."""

    wire_name = "ImageFileNotFound"


class DiskBusy(DiskError):
    """Something else is at work on the disk; nothing was changed."""

    wire_name = "ResourceUnavailable"


class SnapshotFailed(DiskError):
    wire_name = "SnapshotFailed"


class MergeFailed(DiskError):
    wire_name = "MergeFailed"


class JobExists(DiskError):
    wire_name = "JobExists"


class ReplicaFailed(DiskError):
    wire_name = "ReplicaError"


class NotReplicating(DiskError):
    wire_name = "ReplicationNotInProgress"


class NotReady(DiskError):
    """The copy has not caught up with the guest yet; nothing was changed, ask again."""

    wire_name = "ResourceUnavailable"


class BadSize(DiskError):
    wire_name = "BadDiskResizeParameter"


class ResizeFailed(DiskError):
    wire_name = "UpdateDeviceFailed"


class CannotRefresh(DiskError):
    wire_name = "CannotRefreshDisk"


class Unsupported(DiskError):
    wire_name = "UnsupportedOperation"


class BackupFailed(DiskError):
    wire_name = "BackupError"


class NoSuchBackup(DiskError):
    wire_name = "NoSuchBackupError"


class CheckpointFailed(DiskError):
    wire_name = "CheckpointError"


class NoSuchCheckpoint(DiskError):
    wire_name = "NoSuchCheckpointError"


class InconsistentCheckpoint(DiskError):
    """A bitmap is missing in a disk or damaged: only a full backup can follow."""

    wire_name = "InconsistentCheckpointError"
