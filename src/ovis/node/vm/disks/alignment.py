"""Where the partitions of a disk begin, and whether that suits the storage. No I/O but `read`.

MBR: 16 bytes for each of 4 partitions at 446 of sector 0: type at 4, first sector at 8 (32 bits, little-endian);
signature 55 AA at 510. Types 05, 0F and 85 hold a chain of further tables, each with one partition, whose place counts
from its own table, and a link, whose place counts from the first table. GPT (type EE): header "EFI PART" in sector 1,
the place of its entries at 72, their number at 80 and size at 84; an entry without type GUID is empty, its first sector
stands at 32. Source: UEFI specification 2.10, section 5; names as in Linux.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

SECTOR = 512
SUITS = 64 << 10  # storage that is worse off with it has stripes of 64 KiB and more
MOST = 128  # partitions
EXTENDED = {0x05, 0x0F, 0x85}
PROTECTIVE = 0xEE

Read = Callable[[int, int], bytes]
"""`length` bytes from `offset`; fewer at the end of the disk."""


def verdicts(read: Read) -> dict[str, bool]:
    """Of each partition, named as the first disk's would be (/dev/sda1); empty for a disk without a table."""
    return {f"/dev/sda{number}": start % SUITS == 0 for number, start in starts(read)}


def starts(read: Read) -> Iterator[tuple[int, int]]:
    """(number, first byte)"""
    table = _table(read(0, SECTOR))
    if any(kind == PROTECTIVE for kind, _ in table):
        yield from _gpt(read)
        return
    for number, (kind, start) in enumerate(table, start=1):
        if kind:
            yield number, start * SECTOR
        if kind in EXTENDED:
            yield from _logical(read, start)


def _table(sector: bytes) -> list[tuple[int, int]]:
    """(type, first sector) of the four entries; none without the signature."""
    if len(sector) < SECTOR or sector[510:512] != b"\x55\xaa":
        return []
    return [(sector[at + 4], struct.unpack_from("<I", sector, at + 8)[0]) for at in range(446, 510, 16)]


def _logical(read: Read, first: int) -> Iterator[tuple[int, int]]:
    here = first
    seen: set[int] = set()
    for number in range(5, 5 + MOST):
        table = _table(read(here * SECTOR, SECTOR))
        if not table or here in seen:
            return
        seen.add(here)
        if table[0][0]:
            yield number, (here + table[0][1]) * SECTOR
        if table[1][0] not in EXTENDED:
            return
        here = first + table[1][1]


def _gpt(read: Read) -> Iterator[tuple[int, int]]:
    header = read(SECTOR, SECTOR)
    if len(header) < SECTOR or header[:8] != b"EFI PART":
        return
    at, count, size = struct.unpack_from("<QII", header, 72)
    if not 128 <= size <= 4096:
        return
    count = min(count, MOST)
    entries = read(at * SECTOR, count * size)
    for number in range(len(entries) // size):
        entry = entries[number * size : (number + 1) * size]
        if entry[:16] != bytes(16):
            yield number + 1, struct.unpack_from("<Q", entry, 32)[0] * SECTOR
