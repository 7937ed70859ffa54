"""How the volumes of one domain are kept: what differs between files and logical volumes, and nothing else.

The life of a volume as it lies on storage:

    nothing ── begin ──> unfinished ── publish ──> volume ── mark_removed ──> removed ── purge ──> nothing
                              └── discard ──> nothing

Only `volume` is one for everybody else. A crash leaves one of these states, never a mixture: a file domain keeps the
metadata under another name until `publish` renames it, a block domain has the tag OVIRT_VOL_INITIALIZING until then.
A store knows nothing of qcow2, of chains' rules or of locks: who calls it holds what must be held.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal


@dataclass(frozen=True)
class LeasePlace:
    """Where sanlock keeps one resource (or a lockspace, then `offset` is 0). Bytes."""

    path: PurePosixPath
    offset: int = 0


@dataclass(frozen=True)
class StoredVolume:
    """`size`: bytes of the container (a file's length, a logical volume's extents); `allocated`: of storage it takes.

    `parent` as the tags say on block domains; None on file domains, where only the metadata know it.
    """

    image: ImageId
    size: int
    allocated: int
    parent: VolumeId | None = None
    removal: Removal = Removal.NONE
    is_unfinished: bool = False


class VolumeStore(Protocol):
    """Sizes in bytes. What is not there raises NoSuchVolume (storage/errors.py), except where said otherwise."""

    domain: DomainId
    version: int

    @property
    def is_block(self) -> bool: ...

    async def volumes(self, image: ImageId | None = None) -> Mapping[VolumeId, StoredVolume]:
        """All of one image (or of the domain), unfinished and removed ones too. One look at storage, not one each."""

    async def read(self, image: ImageId, volume: VolumeId) -> VolumeMetadata: ...

    async def write(self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, by_spm: bool = True) -> None:
        """Change the metadata of a volume: old or new after a crash. Not `by_spm`: tags, which only the SPM may
        change, follow when it next writes; the metadata count."""

    async def begin(
        self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, size: int, allocate: bool
    ) -> PurePosixPath:
        """Make the container, the metadata and the place of its lease; not a volume yet. The path of its data, ready
        to be written (qcow2 header, copy). `allocate`: take the storage now. Raises VolumeExists, NoSpace."""

    async def publish(self, image: ImageId, volume: VolumeId) -> None:
        """The last step of making it. Safe to repeat."""

    async def discard(self, image: ImageId, volume: VolumeId) -> None:
        """Remove an unfinished volume, whatever of it exists. Safe to repeat. Refuses a published one."""

    async def resize(self, image: ImageId, volume: VolumeId, size: int) -> int:
        """Grow or shrink the container; the size that it has now (extents round up). Raises NoSpace."""

    async def grow(self, volume: VolumeId, size: Callable[[VolumeMetadata], int]) -> int:
        """Grow the container of one that a guest writes to, as quickly as can be; the size that it has now, at least
        what `size` says. For who alone may change the domain now: what this process has read of it before counts.

        Never shrinks. Raises NoSpace, and what `size` does; NoSuchVolume also for unfinished and removed ones."""

    async def refresh(self, volume: VolumeId) -> None:
        """Of one that is active here: see the size that another host has given it."""

    async def activate(self, image: ImageId, volume: VolumeId, *, writable: bool = True) -> PurePosixPath:
        """Make the data reachable on this host and return the path. Counts nothing: who calls keeps the count.

        Also of an unfinished volume: its maker may have died in between."""

    async def deactivate(self, image: ImageId, volume: VolumeId) -> None: ...

    async def active(self) -> Collection[VolumeId]:
        """Those that are active on this host, whoever made them so, or left them so. Files never are."""

    async def mark_removed(self, image: ImageId, volumes: Collection[VolumeId], removal: Removal) -> None:
        """From here on these are no volumes for anybody; their storage is still taken. All of an image at once where
        all its volumes are named (a folder is renamed, one LVM command)."""

    async def purge(self, image: ImageId, volumes: Collection[VolumeId], *, discard: bool = False) -> None:
        """Give the storage of removed volumes back, those marked WIPE after zeros were written over them (block
        domains). `discard`: tell the storage that the blocks are free, where it wants to know. Safe to repeat."""

    async def lease(self, image: ImageId, volume: VolumeId) -> LeasePlace: ...

    async def share(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        """Let volumes of the image `into` build on this template. File domains link its data (and metadata and lease)
        into that image's folder, which is made if there is none; `volumes(into)` does not list it as one of that image
        (its metadata name another). Block domains: nothing to do. Safe to repeat."""

    async def unshare(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        """Take such links away again, and the folder of `into` when nothing else is in it. Safe to repeat."""

    async def users(self, image: ImageId, volume: VolumeId) -> Collection[ImageId]:
        """The other images that build on this template: those that it is shared into, or whose volumes name it as
        their parent (tags). Removed images do not count."""
