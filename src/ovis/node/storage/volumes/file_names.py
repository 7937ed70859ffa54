"""What lies in the folders of images, read from one listing.

    images/<image>/<volume>                   data
                   <volume>.lease
                   <volume>.meta              a volume
                   <volume>.meta.unfinished   one that is being made: renamed to .meta when it is done
                   <volume>.meta.removed      one of a living image that is to go, and before that to be
                   <volume>.meta.wipe         overwritten
                   anything else              not ours: .meta.new (a write cut short), .nfs... (open, removed), ...
    images/_remove_me_<image>/                all volumes of an image that is to go

Agents of the old system look for *.meta and for folders without the prefix, so they pass over the other states. Data or
a lease with no metadata of any kind is what a crash of theirs leaves: unfinished.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ovis.node.storage.formats.identifiers import ImageId, VolumeId, is_identifier
from ovis.node.storage.formats.repository import LEASE_SUFFIX, META_SUFFIX
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.io.interface import FileFacts
from ovis.node.storage.volumes.store import StoredVolume

UNFINISHED = f"{META_SUFFIX}.unfinished"
REMOVED = {Removal.DELETE: f"{META_SUFFIX}.removed", Removal.WIPE: f"{META_SUFFIX}.wipe"}
SILLY = ".nfs"
"""How an NFS client names a file that was removed while open; it goes by itself."""

_SUFFIXES = frozenset({"", LEASE_SUFFIX, META_SUFFIX, UNFINISHED, *REMOVED.values()})
_ID_LENGTH = 36

Folder = Mapping[str, FileFacts]


@dataclass(frozen=True)
class Files:
    """Of one volume in one folder: the suffixes that are there, and the facts of its data (None: no data)."""

    suffixes: frozenset[str]
    data: FileFacts | None

    @property
    def is_published(self) -> bool:
        return META_SUFFIX in self.suffixes

    @property
    def mark(self) -> Removal:
        return next((removal for removal, suffix in REMOVED.items() if suffix in self.suffixes), Removal.NONE)

    @property
    def is_unfinished(self) -> bool:
        return not self.is_published and self.mark is Removal.NONE

    @property
    def is_linked(self) -> bool:
        """Its data have another name: a template, or what another image was given of one."""
        return self.data is not None and self.data.links > 1

    def stored(self, image: ImageId, removal: Removal) -> StoredVolume:
        return StoredVolume(
            image,
            size=self.data.size if self.data else 0,
            allocated=self.data.allocated if self.data else 0,
            removal=removal if removal is not Removal.NONE or self.is_published else self.mark,
            is_unfinished=self.is_unfinished,
        )


def split(name: str) -> tuple[VolumeId, str] | None:
    """The volume and what follows its id, one of those above; None: not a volume's."""
    volume, suffix = name[:_ID_LENGTH], name[_ID_LENGTH:]
    return (VolumeId(volume), suffix) if suffix in _SUFFIXES and is_identifier(volume) else None


def volumes_in(folder: Folder) -> dict[VolumeId, Files]:
    suffixes: dict[VolumeId, set[str]] = {}
    for name in folder:
        if (found := split(name)) is not None:
            suffixes.setdefault(found[0], set()).add(found[1])
    return {volume: Files(frozenset(those), _data(folder, volume)) for volume, those in suffixes.items()}


def of_volume(names: Iterable[str], volume: VolumeId) -> list[str]:
    """All names that belong to the volume, those of writes cut short too; its metadata last, so that what is left
    after a crash in between can still be told."""
    own = [name for name in names if name == volume or name.startswith(f"{volume}.")]
    return sorted(
        own, key=lambda name: (name.startswith(f"{volume}{META_SUFFIX}"), name.endswith(".new") is False, name)
    )


def _data(folder: Folder, volume: VolumeId) -> FileFacts | None:
    facts = folder.get(volume)
    return facts if facts is not None and facts.kind == "file" else None
