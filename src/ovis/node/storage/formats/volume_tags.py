"""Tags of a logical volume that is a volume of an image. The volume's id is the logical volume's name.

    IU_<image id>                 the image; IU__remove_me_<image id> once deleted,
                                  IU__remove_me_ZERO_<image id> when it is to be wiped first
    PU_<volume id>                the parent; none: zeros
    MD_<n>                        slot of its metadata and, with it, of its lease (volume_metadata, sanlock_areas)
    OVIRT_VOL_INITIALIZING        it is being made: not a volume yet; the other tags may be there already

The domain's own logical volumes (SPECIAL) carry none of them.

Crash safety: LVM's, a command's changes together. The order of making a volume: the logical volume with
OVIRT_VOL_INITIALIZING alone, its metadata and lease, then in one command the three tags in and this one out.

Assumptions: a tag of each kind comes once, more is refused. A logical volume with neither kind is not ours and is
refused, so that nobody deletes it by mistake. Tags that are not ours are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ovis.node.storage.formats.errors import WrongTag, shown
from ovis.node.storage.formats.identifiers import NOTHING, ImageId, VolumeId, is_identifier

WHAT = "tags of a logical volume"
IMAGE = "IU_"
PARENT = "PU_"
SLOT = "MD_"
INITIALIZING = "OVIRT_VOL_INITIALIZING"
SPECIAL = frozenset({"metadata", "ids", "leases", "xleases", "inbox", "outbox", "master"})

_MAX_SLOT_DIGITS = 6


class Removal(Enum):
    """How the image's id is prefixed while its volumes wait to go."""

    NONE = ""
    DELETE = "_remove_me_"
    WIPE = "_remove_me_ZERO_"


@dataclass(frozen=True)
class VolumeTags:
    image: ImageId
    parent: VolumeId | None
    slot: int
    removal: Removal = Removal.NONE
    other: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unfinished:
    """A volume whose creation did not end. `slot` when it was given one already."""

    slot: int | None


def read(tags: Iterable[str]) -> VolumeTags | Unfinished:
    """Raises WrongTag."""
    left = sorted(tags)
    unfinished = INITIALIZING in left
    slot = _take(left, SLOT)
    if unfinished:
        return Unfinished(None if slot is None else _slot(slot))
    image, parent = _take(left, IMAGE), _take(left, PARENT)
    if image is None or parent is None or slot is None:
        missing = next(prefix for prefix, value in ((IMAGE, image), (PARENT, parent), (SLOT, slot)) if value is None)
        raise WrongTag(WHAT, missing, "is missing")
    removal, image_id = split_removal(image)
    if not is_identifier(image_id):
        raise WrongTag(WHAT, IMAGE, f"not an image: {shown(image)}")
    if not is_identifier(parent):
        raise WrongTag(WHAT, PARENT, f"not a volume: {shown(parent)}")
    return VolumeTags(
        image=ImageId(image_id),
        parent=None if parent == NOTHING else VolumeId(parent),
        slot=_slot(slot),
        removal=removal,
        other=tuple(left),
    )


def write(tags: VolumeTags) -> tuple[str, ...]:
    """Raises WrongTag for values that `read` would refuse."""
    written = (
        f"{IMAGE}{tags.removal.value}{tags.image}",
        f"{PARENT}{NOTHING if tags.parent is None else tags.parent}",
        f"{SLOT}{tags.slot}",
        *tags.other,
    )
    if read(written) != tags:
        raise WrongTag(WHAT, IMAGE, f"cannot be written: {tags}")
    return written


def split_removal(name: str) -> tuple[Removal, str]:
    """An image's name in a tag or folder, and whether it waits to be deleted."""
    for removal in (Removal.WIPE, Removal.DELETE):
        if name.startswith(removal.value):
            return removal, name[len(removal.value) :]
    return Removal.NONE, name


def _take(tags: list[str], prefix: str) -> str | None:
    found = [tag for tag in tags if tag.startswith(prefix)]
    if len(found) > 1:
        raise WrongTag(WHAT, prefix, f"comes {len(found)} times")
    if not found:
        return None
    tags.remove(found[0])
    return found[0][len(prefix) :]


def _slot(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_SLOT_DIGITS):
        raise WrongTag(WHAT, SLOT, f"not a slot: {shown(text)}")
    return int(text)
