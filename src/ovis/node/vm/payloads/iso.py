"""A CD image: ISO 9660 with the long names of Joliet, in memory. Equal files make equal bytes.

Sectors of 2048 bytes: 0-15 empty, 16 the primary volume descriptor, 17 Joliet's, 18 the end of descriptors; then four
path tables (primary and Joliet, each little and big endian), the folders of the primary tree, those of Joliet, and the
files, which both trees share. Numbers stand in both byte orders.
Source: ECMA-119 (ISO 9660) sections 8 and 9; Microsoft, Joliet Specification (1995).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from ovis.node.vm.payloads.tree import Folder, short_name

SECTOR = 2048
FIRST = 19
EPOCH = bytes([70, 1, 1, 0, 0, 0, 0])  # 1970: the clock must not show in the image
NO_DATE = b"0" * 16 + b"\0"
LABEL_LIMIT, JOLIET_LABEL_LIMIT = 32, 16


@dataclass
class _Entry:
    """A file or folder of one of the trees; `extent` is its first sector."""

    name: bytes
    extent: int = 0
    size: int = 0
    is_folder: bool = False


@dataclass
class _Directory:
    entry: _Entry
    parent: _Directory | None
    children: list[_Entry] = field(default_factory=list)
    number: int = 1
    """In the path table, from 1."""


def write(root: Folder, label: str) -> bytes:
    """The image."""
    contents: list[bytes] = []
    plain = _Tree(root, contents, is_joliet=False)
    joliet = _Tree(root, [], is_joliet=True)
    sector = FIRST
    for tree in (plain, joliet):
        tree.tables = (sector, sector + tree.table_sectors)
        sector += 2 * tree.table_sectors
    for tree in (plain, joliet):
        sector = tree.place_folders(sector)
    for tree in (plain, joliet):
        tree.place_files(sector, contents)
    total = sector + sum(map(_sectors, map(len, contents)))
    parts = [
        bytes(16 * SECTOR),
        plain.descriptor(label, total),
        joliet.descriptor(label, total),
        _padded(b"\xffCD001\x01"),
        plain.path_table("<"), plain.path_table(">"), joliet.path_table("<"), joliet.path_table(">"),
        *(tree.folder(directory) for tree in (plain, joliet) for directory in tree.directories),
        *map(_padded, contents),
    ]  # fmt: skip
    return b"".join(parts)


class _Tree:
    """The folders in the order of their path table: level by level, each level in the order of its parents."""

    def __init__(self, root: Folder, contents: list[bytes], *, is_joliet: bool) -> None:
        self._is_joliet = is_joliet
        self.tables = (0, 0)
        top = _Directory(_Entry(b"\0", is_folder=True), None)
        self.directories = [top]
        self._files: list[tuple[_Entry, int]] = []
        level = [(top, root)]
        count = 0
        while level:
            below: list[tuple[_Directory, Folder]] = []
            for directory, folder in level:
                taken: set[str] = set()
                named: list[tuple[_Entry, Folder | None]] = []
                for name, data in folder.files():
                    entry = _Entry(self._name(name, taken, is_folder=False), size=len(data))
                    self._files.append((entry, count))
                    contents.append(data)
                    count += 1
                    named.append((entry, None))
                for name, inner in folder.folders():
                    named.append((_Entry(self._name(name, taken, is_folder=True), is_folder=True), inner))
                for entry, found in sorted(named, key=lambda pair: pair[0].name):
                    directory.children.append(entry)
                    if found is not None:
                        child = _Directory(entry, directory)
                        below.append((child, found))
            for child, _ in below:
                self.directories.append(child)
                child.number = len(self.directories)
            level = below

    @property
    def table_sectors(self) -> int:
        return _sectors(len(self._table("<")))

    def place_folders(self, sector: int) -> int:
        """The sector after them."""
        for directory in self.directories:
            size = len(self.folder(directory))
            directory.entry.extent, directory.entry.size = sector, size
            sector += size // SECTOR
        return sector

    def place_files(self, sector: int, contents: list[bytes]) -> None:
        extents = []
        for data in contents:
            extents.append(sector)
            sector += _sectors(len(data))
        for entry, index in self._files:
            entry.extent = extents[index]

    def folder(self, directory: _Directory) -> bytes:
        """Its records; none crosses the end of a sector."""
        own, parent = directory.entry, (directory.parent or directory).entry
        records = [_record(own, b"\0"), _record(parent, b"\1")]
        records += [_record(child, child.name) for child in directory.children]
        made = b""
        for record in records:
            room = SECTOR - len(made) % SECTOR
            made += (bytes(room) if len(record) > room else b"") + record
        return _padded(made)

    def path_table(self, order: str) -> bytes:
        return _padded(self._table(order))

    def _table(self, order: str) -> bytes:
        rows = []
        for directory in self.directories:
            name = directory.entry.name
            parent = (directory.parent or directory).number
            rows.append(struct.pack(f"{order}BBIH", len(name), 0, directory.entry.extent, parent) + name + _even(name))
        return b"".join(rows)

    def descriptor(self, label: str, total: int) -> bytes:
        size = len(self._table("<"))
        return _padded(
            struct.pack("<B5sBB", 2 if self._is_joliet else 1, b"CD001", 1, 0)
            + self._text("", 32)
            + self._text(label, 32)
            + bytes(8)
            + _both32(total)
            + (b"%/E" if self._is_joliet else b"").ljust(32, b"\0")
            + _both16(1) + _both16(1) + _both16(SECTOR) + _both32(size)
            + struct.pack("<II", self.tables[0], 0) + struct.pack(">II", self.tables[1], 0)
            + _record(self.directories[0].entry, b"\0")
            + b"".join(self._text("", length) for length in (128, 128, 128, 128, 37, 37, 37))
            + 4 * NO_DATE
            + b"\x01"
        )  # fmt: skip

    def _name(self, name: str, taken: set[str], *, is_folder: bool) -> bytes:
        if self._is_joliet:
            return name.encode("utf-16-be")
        base, ending = short_name(name, taken)
        return (base + (f"_{ending}" if ending else "")).encode()[:8] if is_folder else f"{base}.{ending};1".encode()

    def _text(self, text: str, length: int) -> bytes:
        if self._is_joliet:
            filled = text[:JOLIET_LABEL_LIMIT].encode("utf-16-be")
            return (filled + b"\0 " * length)[:length]
        return text.encode("ascii", "replace")[:length].ljust(length, b" ")


def _record(entry: _Entry, name: bytes) -> bytes:
    pad = _even_after(33 + len(name))
    return (
        struct.pack("<BB", 33 + len(name) + len(pad), 0)
        + _both32(entry.extent) + _both32(entry.size) + EPOCH
        + struct.pack("<BBB", 2 if entry.is_folder else 0, 0, 0) + _both16(1)
        + bytes([len(name)]) + name + pad
    )  # fmt: skip


def _even(name: bytes) -> bytes:
    return b"\0" if len(name) % 2 else b""


def _even_after(length: int) -> bytes:
    return b"\0" if length % 2 else b""


def _both16(value: int) -> bytes:
    return struct.pack("<H", value) + struct.pack(">H", value)


def _both32(value: int) -> bytes:
    return struct.pack("<I", value) + struct.pack(">I", value)


def _sectors(size: int) -> int:
    return -(-size // SECTOR)


def _padded(data: bytes) -> bytes:
    return data.ljust(_sectors(len(data)) * SECTOR, b"\0")
