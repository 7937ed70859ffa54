"""The sequence number of a volume group as its metadata area says it: two small reads instead of an LVM command.

    byte 0       four sectors, one of them (the second, as LVM writes it) with the label:
                   "LABELONE" | sector: 8 | checksum: 4 | offset of the header: 4 | "LVM2 001"
                 the header: uuid: 32 | size: 8 | data areas, (0, 0) | metadata areas, (0, 0)    each area 2 x 8 bytes
    the area     checksum: 4 | magic: 16 | version: 4 | its start: 8 | its size: 8 | locations of the text:
                   offset: 8 | size: 8 | checksum: 4 | flags: 4     the first one counts; offset 0: no group
    the text     <name> {\\n id = "<uuid>"\\n seqno = <number>\\n ...        begins at a multiple of 512

Little-endian. A commit writes the text to a free place of the area, then the sector with its location: so a reader gets
one commit or the next. Every commit has a higher number. Source: the layout that lvm2 writes (lvm(8), pvck(8)).

Nothing here is trusted further than to say "nothing has changed": whatever is odd is None, and LVM is asked.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath

BLOCK = 4096
HEAD = 2 * BLOCK

_LABEL = struct.Struct("<8sQII8s")
_AREA = struct.Struct("<QQ")
_AREA_HEADER = struct.Struct("<I16sIQQ")
_LOCATION = struct.Struct("<QQII")
_MAGIC = b" LVM2 x[5A%r0N*>"
_BEGINNING = re.compile(rb'([A-Za-z0-9_.+-]+) \{\s*id = "([A-Za-z0-9-]+)"\s*seqno = ([0-9]{1,10})\s')

Read = Callable[[PurePosixPath, int, int], Awaitable[bytes]]
"""Of a device, from an offset, so many bytes (all multiples of 4096), past every cache. May raise OSError."""


async def sequence(read: Read, device: PurePosixPath, group_uuid: str) -> int | None:
    """Of the group `group_uuid`, whose metadata are on `device`. None: it cannot be told from here."""
    place = text_place(await read(device, 0, HEAD))
    if place is None:
        return None
    first = place - place % BLOCK
    text = (await read(device, first, 2 * BLOCK))[place - first :]
    found = _BEGINNING.match(text)
    return int(found[3]) if found and found[2].decode() == group_uuid else None


def text_place(head: bytes) -> int | None:
    """Where on the disk the text begins; None: `head` (its first 8 KiB) does not say."""
    areas = metadata_areas(head)
    if not areas:
        return None
    start, size = areas[0]
    if start + _AREA_HEADER.size + _LOCATION.size > len(head):
        return None
    _, magic, _, said_start, said_size = _AREA_HEADER.unpack_from(head, start)
    offset, length, _, ignored = _LOCATION.unpack_from(head, start + _AREA_HEADER.size)
    if magic != _MAGIC or (said_start, said_size) != (start, size) or ignored:
        return None
    return start + offset if 0 < offset < size and length else None


def metadata_areas(head: bytes) -> list[tuple[int, int]]:
    """Start and size of each. Empty: no label, or a disk without areas."""
    for sector in range(0, 2048, 512):
        if head[sector : sector + 8] == b"LABELONE" and len(head) >= sector + 512:
            _, _, _, offset, kind = _LABEL.unpack_from(head, sector)
            return _areas(head[sector + offset + 40 : sector + 512]) if kind == b"LVM2 001" else []
    return []


def _areas(table: bytes) -> list[tuple[int, int]]:
    lists: list[list[tuple[int, int]]] = [[]]
    for at in range(0, len(table) - _AREA.size + 1, _AREA.size):
        area = _AREA.unpack_from(table, at)
        if area != (0, 0):
            lists[-1].append(area)
        elif len(lists) == 2:
            return lists[1]
        else:
            lists.append([])
    return []
