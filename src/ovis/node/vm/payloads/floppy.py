"""A floppy image of 1.44 MB: FAT12 with long names, in memory. Equal files make equal bytes.

Sectors of 512 bytes, each a cluster of its own: boot sector, two tables of 9 sectors, 14 sectors of the root folder
(224 entries), data from sector 33. A long name stands in entries of 13 characters before its short one, last first.
Source: Microsoft, FAT32 File System Specification 1.03 (it covers FAT12 too).
"""

from __future__ import annotations

import struct

from ovis.node.errors import BadParameter
from ovis.node.vm.payloads.tree import Folder, short_name

SECTOR = 512
TOTAL = 2880
FAT_SECTORS = 9
ROOT_ENTRIES = 224
DATA_START = 1 + 2 * FAT_SECTORS + ROOT_ENTRIES * 32 // SECTOR
CLUSTERS = TOTAL - DATA_START
END = 0xFFF
FOLDER, FILE, LABEL, LONG = 0x10, 0x20, 0x08, 0x0F
DATE = (1 << 5) | 1  # 1980-01-01, the first day that FAT knows


def write(root: Folder, label: str, where: str) -> bytes:
    """The image. Raises BadParameter when the files do not fit."""
    disk = _Disk(where)
    entries = disk.folder(root, own=0, parent=None, label=label)
    if len(entries) > ROOT_ENTRIES * 32:
        raise BadParameter(where, "too many files for the first folder of a floppy")
    table = _table(disk.next)
    image = _boot(label) + 2 * table + entries.ljust(ROOT_ENTRIES * 32, b"\0")
    return (image + bytes(disk.data)).ljust(TOTAL * SECTOR, b"\0")


class _Disk:
    """`next` is the table: for each cluster from 2 on the one that follows it."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.next: list[int] = [0xFF0, END]
        self.data = bytearray()

    def reserve(self, size: int) -> int:
        """The first of as many clusters as `size` bytes need; 0 for none."""
        count = -(-size // SECTOR)
        if count == 0:
            return 0
        first = len(self.next)
        if first + count > CLUSTERS + 2:
            raise BadParameter(self._where, "the files do not fit on a floppy of 1.44 MB")
        self.next += [*range(first + 1, first + count), END]
        self.data += bytes(count * SECTOR)
        return first

    def put(self, first: int, data: bytes) -> None:
        start = (first - 2) * SECTOR
        self.data[start : start + len(data)] = data

    def folder(self, folder: Folder, *, own: int, parent: int | None, label: str = "") -> bytes:
        entries = [_entry(_label(label), LABEL, 0, 0)] if label else []
        if parent is not None:
            entries = [_entry(b".".ljust(11), FOLDER, own, 0), _entry(b"..".ljust(11), FOLDER, parent, 0)]
        taken: set[str] = set()
        for name, data in folder.files():
            first = self.reserve(len(data))
            self.put(first, data) if data else None
            entries += _named(name, taken, FILE, first, len(data))
        for name, inner in folder.folders():
            first = self.reserve(_size(inner))
            self.put(first, self.folder(inner, own=first, parent=own))
            entries += _named(name, taken, FOLDER, first, 0)
        return b"".join(entries)


def _size(folder: Folder) -> int:
    """Of its entries; two more for itself and its parent."""
    return 32 * (2 + sum(1 + -(-len(name) // 13) for name in folder.parts))


def _named(name: str, taken: set[str], kind: int, first: int, size: int) -> list[bytes]:
    base, ending = short_name(name, taken)
    short = base.encode().ljust(8) + ending.encode().ljust(3)
    check = 0
    for byte in short:
        check = ((check >> 1) | (check << 7)) + byte & 0xFF
    parts = [name[start : start + 13] for start in range(0, len(name), 13)]
    long = [_long(part, number, check, is_last=number == len(parts)) for number, part in enumerate(parts, start=1)]
    return [*reversed(long), _entry(short, kind, first, size)]


def _long(part: str, number: int, check: int, *, is_last: bool) -> bytes:
    text = part + "\0" if len(part) < 13 else part
    raw = text.encode("utf-16-le").ljust(26, b"\xff")
    order = number | (0x40 if is_last else 0)
    return bytes([order]) + raw[:10] + bytes([LONG, 0, check]) + raw[10:22] + b"\0\0" + raw[22:]


def _entry(name: bytes, kind: int, first: int, size: int) -> bytes:
    return struct.pack("<11sBBBHHHHHHHI", name, kind, 0, 0, 0, DATE, DATE, 0, 0, DATE, first, size)


def _label(label: str) -> bytes:
    return label.upper().encode("ascii", "replace")[:11].ljust(11)


def _boot(label: str) -> bytes:
    head = struct.pack(
        "<3s8sHBHBHHBHHHII",
        b"\xeb\x3c\x90", b"MSDOS5.0", SECTOR, 1, 1, 2, ROOT_ENTRIES, TOTAL, 0xF0, FAT_SECTORS, 18, 2, 0, 0,
    )  # fmt: skip
    extended = struct.pack("<BBBI11s8s", 0, 0, 0x29, 0x4F564953, _label(label or "NO NAME"), b"FAT12   ")
    return (head + extended).ljust(510, b"\0") + b"\x55\xaa"


def _table(following: list[int]) -> bytes:
    """Twelve bits each, two in three bytes."""
    made = bytearray()
    padded = following + [0] * (len(following) % 2)
    for low, high in zip(padded[::2], padded[1::2], strict=True):
        made += bytes([low & 0xFF, low >> 8 | (high & 0xF) << 4, high >> 4])
    return bytes(made).ljust(FAT_SECTORS * SECTOR, b"\0")
