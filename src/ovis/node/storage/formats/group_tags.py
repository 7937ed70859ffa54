"""Domain metadata as tags of the LVM volume group that is the domain.

    RHAT_storage_domain            the group is a storage domain
    RHAT_storage_domain_UNREADY    it is being made; to be ignored, and removed by hand
    MDT_<KEY>=<value>              a line of the metadata, one of them the seal (sealed_keys), in no order

    MDT_DESCRIPTION=third&32&floor     a character outside a-z A-Z 0-9 _ + . - / = ! : # is written as &<code point>&

Crash safety: LVM commits all changes of one command together, so a change must be one command: `TagChange` lists what
it removes and adds. The seal is the net: some tags of the old and some of the new keys are SealBroken, or a key twice.

Assumptions: a tag has at most 1024 bytes (lvm(8)). `&` without a number and a second `&` is refused: it cannot have
been written by this rule. The code point is decimal and counts characters, not bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ovis.node.storage.formats import sealed_keys
from ovis.node.storage.formats.errors import Broken, TooLong, shown

WHAT = "tags of the volume group"
READY = "RHAT_storage_domain"
UNREADY = "RHAT_storage_domain_UNREADY"
PREFIX = "MDT_"
LIMIT = 1024  # bytes of a tag

_OUTSIDE = re.compile(r"[^a-zA-Z0-9_+.\-/=!:#]")
_INSIDE = re.compile(r"[a-zA-Z0-9_+.\-/=!:#]*")
_ESCAPED = re.compile(r"&([0-9]{1,7})&")


class GroupState(Enum):
    READY = "ready"
    UNREADY = "unready"  # a creation that did not end
    FOREIGN = "foreign"  # no storage domain


@dataclass(frozen=True)
class TagChange:
    """One command's worth: `remove` and `add` must be given to LVM together."""

    remove: tuple[str, ...]
    add: tuple[str, ...]


def state(tags: Iterable[str]) -> GroupState:
    present = frozenset(tags)
    if UNREADY in present:
        return GroupState.UNREADY
    return GroupState.READY if READY in present else GroupState.FOREIGN


def read(tags: Iterable[str]) -> dict[str, str]:
    """The metadata keys among `tags`; other tags are passed over. Raises Broken, SealBroken."""
    return sealed_keys.unseal(decode(tag[len(PREFIX) :]) for tag in tags if tag.startswith(PREFIX))


def write(keys: Mapping[str, str]) -> tuple[str, ...]:
    """The tags that hold `keys`. Raises Broken, TooLong."""
    return tuple(_tag(line) for line in sealed_keys.seal(keys))


def change(current: Iterable[str], keys: Mapping[str, str]) -> TagChange:
    """What turns the group's `current` tags into ones that hold `keys`. Raises Broken, TooLong."""
    old = {tag for tag in current if tag.startswith(PREFIX)}
    new = write(keys)
    return TagChange(remove=tuple(sorted(old.difference(new))), add=tuple(tag for tag in new if tag not in old))


def encode(text: str) -> str:
    return _OUTSIDE.sub(lambda found: f"&{ord(found.group())}&", text)


def decode(text: str) -> str:
    """The reverse of `encode`. Raises Broken for what it cannot have made."""
    if _INSIDE.fullmatch(_ESCAPED.sub("", text)) is None:
        raise Broken(WHAT, shown(text), "has characters that a tag cannot hold")
    return _ESCAPED.sub(lambda found: _character(text, int(found.group(1))), text)


def _character(text: str, code: int) -> str:
    if code > 0x10FFFF:
        raise Broken(WHAT, shown(text), f"{code} is no character")
    return chr(code)


def _tag(line: str) -> str:
    tag = PREFIX + encode(line)
    if len(tag) > LIMIT:
        raise TooLong(WHAT, line.partition("=")[0], f"a tag of {len(tag)} bytes, LVM keeps {LIMIT}")
    return tag
