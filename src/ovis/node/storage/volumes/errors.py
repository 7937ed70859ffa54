"""What goes wrong with volumes and images. The tree is that of storage/errors.py; each text ends with what holds now.

StorageError
├── QemuImgFailed                      the program refused or broke; its own words are in the text
└── VolumeError                        a rule forbids it, nothing was changed
    ├── WrongFormat, WrongAllocation, WrongSize, BadVolumeParameter
    ├── IllegalParent, ParentNotShared, ParentNotLeaf
    ├── HasChildren, SharedInUse, NotWritable, TemplateNotWritable, VolumeInUse, CannotShrink
    ├── BrokenChain, NotInChain, WrongParent, UnexpectedState, IllegalVolume
    ├── InvalidUpdate
    ├── NoSuchBitmap, BitmapFailed, RemoveBitmapFailed, MergeBitmapFailed
    ├── CopyFailed, TransferFailed, MergeFailed, ImageExists, TransientExists, Unsupported
    └── Untrusted                      what came from outside is not what it says, or names other files
"""

from __future__ import annotations

from ovis.node.storage.errors import StorageError


class QemuImgFailed(StorageError):
    wire_name = "StorageException"

    def __init__(self, command: str, path: str, problem: str) -> None:
        super().__init__(f"qemu-img {command} of {path}: {problem}")
        self.command, self.path, self.problem = command, path, problem


class VolumeError(StorageError):
    """`subject`: the volume or image as the text names it."""

    wire_name = "VolumeGeneralException"

    def __init__(self, subject: str, problem: str) -> None:
        super().__init__(f"{subject}: {problem}")
        self.subject, self.problem = subject, problem


class WrongFormat(VolumeError):
    wire_name = "IncorrectFormat"


class WrongAllocation(VolumeError):
    wire_name = "IncorrectType"


class WrongSize(VolumeError):
    wire_name = "createVolumeSizeError"


class BadVolumeParameter(VolumeError):
    wire_name = "InvalidParameterException"


class IllegalParent(VolumeError):
    wire_name = "createIllegalVolumeSnapshotError"


class ParentNotShared(VolumeError):
    wire_name = "VolumeNonShareable"


class ParentNotLeaf(VolumeError):
    wire_name = "NonLeafVolumeNotWritable"


class HasChildren(VolumeError):
    wire_name = "VolumeImageHasChildren"


class SharedInUse(VolumeError):
    wire_name = "CannotDeleteSharedVolume"


class NotWritable(VolumeError):
    wire_name = "VolumeNonWritable"


class VolumeInUse(VolumeError):
    wire_name = "VolumeIsBusy"


class CannotShrink(VolumeError):
    wire_name = "VolumeResizeValueError"


class BrokenChain(VolumeError):
    wire_name = "ImageIsNotLegalChain"


class NotInChain(VolumeError):
    wire_name = "VolumeIsNotInChain"


class WrongParent(VolumeError):
    wire_name = "WrongParentVolume"


class UnexpectedState(VolumeError):
    wire_name = "UnexpectedVolumeState"


class IllegalVolume(VolumeError):
    wire_name = "prepareIllegalVolumeError"


class InvalidUpdate(VolumeError):
    wire_name = "InvalidVolumeUpdate"


class NoSuchBitmap(VolumeError):
    wire_name = "BitmapDoesNotExist"


class BitmapFailed(VolumeError):
    wire_name = "AddBitmapError"


class RemoveBitmapFailed(VolumeError):
    wire_name = "RemoveBitmapError"


class MergeBitmapFailed(VolumeError):
    wire_name = "MergeBitmapError"


class Untrusted(VolumeError):
    wire_name = "ImageVerificationError"


class TemplateNotWritable(VolumeError):
    wire_name = "SharedVolumeNonWritable"


class CopyFailed(VolumeError):
    wire_name = "CopyImageError"


class TransferFailed(VolumeError):
    wire_name = "ImagesActionError"


class MergeFailed(VolumeError):
    wire_name = "MergeSnapshotsError"


class ImageExists(VolumeError):
    wire_name = "OverwriteImageError"


class TransientExists(VolumeError):
    wire_name = "TransientDiskAlreadyExists"


class Unsupported(VolumeError):
    wire_name = "StorageUnsupportedOperation"
