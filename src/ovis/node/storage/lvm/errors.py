"""What LVM could not do.

StorageError
├── LvmFailed                      a command ended with an error; `tried` says what for
│   ├── PhysicalVolumeInitFailed, PhysicalVolumeResizeFailed, PhysicalVolumeMoveFailed
│   ├── GroupCreateFailed, GroupExtendFailed, GroupReduceFailed, GroupRemoveFailed, GroupTagsFailed
│   └── VolumeCreateFailed, VolumeRemoveFailed, VolumeExtendFailed, VolumeTagsFailed,
│       VolumeActivateFailed, VolumeDeactivateFailed, VolumeRefreshFailed
├── UnreadableReport               LVM answered something that is not its report
├── NoSuchGroup, GroupExists, NoSuchLogicalVolume, LogicalVolumeExists
├── NoSuchDevice                   a disk that this host does not see, or that is none of the group's
├── DeviceInUse                    a disk that somebody has, and `force` was not said
├── ForbiddenDevice                a disk that must stay: the group's own metadata lie on it
├── WrongBlockSize                 a disk with blocks that such a domain cannot lie on
└── TooManyDevices                 more disks than a domain can have
"""

from __future__ import annotations

from collections.abc import Sequence

from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats.errors import shown

LONGEST_TEXT = 600
"""Characters of LVM's own words in an error: it may list a thousand disks."""


class LvmFailed(StorageError):
    """`said`: what LVM wrote on its standard error. Whether something was changed is to be read from storage."""

    wire_name = "LVMCommandError"

    def __init__(self, tried: str, exit_code: int, said: str) -> None:
        text = " ".join(said.split())
        super().__init__(f"{tried}: LVM ended with {exit_code}: {text[:LONGEST_TEXT] or 'it said nothing'}")
        self.tried, self.exit_code, self.said = tried, exit_code, said


class PhysicalVolumeInitFailed(LvmFailed):
    wire_name = "PhysDevInitializationError"


class PhysicalVolumeResizeFailed(LvmFailed):
    wire_name = "CouldNotResizePhysicalVolume"


class PhysicalVolumeMoveFailed(LvmFailed):
    wire_name = "CouldNotMovePVData"


class GroupCreateFailed(LvmFailed):
    wire_name = "VolumeGroupCreateError"


class GroupExtendFailed(LvmFailed):
    wire_name = "VolumeGroupExtendError"


class GroupReduceFailed(LvmFailed):
    wire_name = "VolumeGroupReduceError"


class GroupRemoveFailed(LvmFailed):
    wire_name = "VolumeGroupRemoveError"


class GroupTagsFailed(LvmFailed):
    wire_name = "VolumeGroupReplaceTagError"


class VolumeCreateFailed(LvmFailed):
    wire_name = "CannotCreateLogicalVolume"


class VolumeRemoveFailed(LvmFailed):
    wire_name = "CannotRemoveLogicalVolume"


class VolumeExtendFailed(LvmFailed):
    wire_name = "LogicalVolumeExtendError"


class VolumeTagsFailed(LvmFailed):
    wire_name = "LogicalVolumeReplaceTagError"


class VolumeActivateFailed(LvmFailed):
    wire_name = "CannotActivateLogicalVolumes"


class VolumeDeactivateFailed(LvmFailed):
    wire_name = "CannotDeactivateLogicalVolume"


class VolumeRefreshFailed(LvmFailed):
    wire_name = "LogicalVolumeRefreshError"


class UnreadableReport(StorageError):
    wire_name = "LVMCommandError"

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"LVM's report cannot be read: {where}: {problem}")
        self.where = where


class NoSuchGroup(StorageError):
    wire_name = "VolumeGroupDoesNotExist"

    def __init__(self, group: str) -> None:
        super().__init__(f"no volume group {shown(group)} is seen on this host")
        self.group = group


class GroupExists(StorageError):
    wire_name = "VolumeGroupAlreadyExistsError"

    def __init__(self, group: str) -> None:
        super().__init__(f"a volume group {group} exists already")
        self.group = group


class DoubleGroup(StorageError):
    """As after a disk was copied by its array: nobody may choose one."""

    wire_name = "UnexpectedVolumeGroupMetadata"

    def __init__(self, group: str, uuids: Sequence[str]) -> None:
        super().__init__(f"this host sees {len(uuids)} volume groups {group}: {', '.join(uuids)}; none is touched")
        self.group, self.uuids = group, tuple(uuids)


class NoSuchLogicalVolume(StorageError):
    wire_name = "LogicalVolumeDoesNotExistError"

    def __init__(self, group: str, volume: str) -> None:
        super().__init__(f"volume group {group} has no logical volume {volume}")
        self.group, self.volume = group, volume


class LogicalVolumeExists(StorageError):
    wire_name = "LogicalVolumeAlreadyExists"

    def __init__(self, group: str, volume: str) -> None:
        super().__init__(f"volume group {group} has a logical volume {volume} already")
        self.group, self.volume = group, volume


class NoSuchDevice(StorageError):
    wire_name = "InaccessiblePhysDev"

    def __init__(self, devices: Sequence[str], where: str = "this host") -> None:
        super().__init__(f"{where} does not have {', '.join(devices)}")
        self.devices = tuple(devices)


class NoSuchDestination(NoSuchDevice):
    wire_name = "NoSuchDestinationPhysicalVolumes"


class DeviceInUse(StorageError):
    """`used`: each disk with what has it."""

    wire_name = "PhysDevInitializationError"

    def __init__(self, used: Sequence[tuple[str, str]]) -> None:
        listed = ", ".join(f"{device} ({why})" for device, why in used)
        super().__init__(f"disks that are in use cannot be taken: {listed}")
        self.used = tuple(used)


class ForbiddenDevice(StorageError):
    wire_name = "ForbiddenPhysicalVolumeOperation"

    def __init__(self, device: str, why: str) -> None:
        super().__init__(f"{device} must stay in its group: {why}")
        self.device = device


class WrongBlockSize(StorageError):
    wire_name = "DeviceBlockSizeError"

    def __init__(self, device: str, logical: int, physical: int) -> None:
        super().__init__(
            f"{device} has blocks of {logical} bytes (physical: {physical}); a block domain needs blocks of 512"
        )
        self.device, self.logical, self.physical = device, logical, physical


class TooManyDevices(StorageError):
    wire_name = "TooManyPVsInVG"

    def __init__(self, devices: int, at_most: int) -> None:
        super().__init__(f"{devices} disks are more than the {at_most} that a block domain can lie on")
        self.devices = devices
