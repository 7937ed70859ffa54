"""The layout of an OVA while it is written: nothing is copied twice, and what is known late finds its place.

    0        header of vm.ovf
    512      vm.ovf: as much room as it may need; it is written last, when the sizes are known, blanks fill the rest
    n*4096-512   header of a disk, written when its size is known
    n*4096       the disk: qemu-img writes into the archive itself
    ...          manifest (optional), two blocks of zeros

Disks begin at multiples of 4096, because QEMU writes past the page cache only in whole blocks of the storage. The zeros
that this takes belong to the disk before; qcow2 does not mind what comes behind its last cluster.

Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format" (sizes from 8 GiB on);
DSP0243 (OVF) 1.1, section 5.3: the description comes first, the manifest may come last.
"""

from __future__ import annotations

import os

from ovis.node.exports.errors import ExportFailed

BLOCK = 512
ALIGNED = 4096
DESCRIPTION = "vm.ovf"
OCTAL_LIMIT = 8 << 30
END = bytes(2 * BLOCK)
CLUSTER = 64 << 10


class Archive:
    """The file behind `descriptor`, empty at first. Everything here blocks and raises OSError. `made`: seconds."""

    def __init__(self, descriptor: int, *, description_limit: int, made: float) -> None:
        self.descriptor = descriptor
        self._made = made
        self._room = _up(description_limit + 2 * BLOCK, ALIGNED) - 2 * BLOCK
        self._next = BLOCK + self._room

    def begin_disk(self) -> int:
        """Where the next disk's content goes: until `end_disk` the archive grows there."""
        start = self._next + BLOCK
        os.ftruncate(self.descriptor, start)
        return start

    def end_disk(self, name: str) -> int:
        """Its size in the archive, which ends where the content ends."""
        start = self._next + BLOCK
        written = os.fstat(self.descriptor).st_size - start
        size = _up(written, CLUSTER) + ALIGNED - BLOCK
        os.ftruncate(self.descriptor, start + size)
        _write(self.descriptor, header(name, size, self._made), self._next)
        self._next = start + size
        return size

    def add(self, name: str, data: bytes) -> None:
        _write(self.descriptor, header(name, len(data), self._made) + data, self._next)
        self._next += BLOCK + _up(len(data), BLOCK)

    def finish(self, description: bytes) -> None:
        """Put the description, as `padded` gave it, at the beginning, and close the archive."""
        _write(self.descriptor, END, self._next)
        os.ftruncate(self.descriptor, self._next + len(END))
        _write(self.descriptor, header(DESCRIPTION, self._room, self._made) + description, 0)

    def padded(self, description: bytes) -> bytes:
        """As it stands in the archive. Blanks behind the root element are no part of XML's content.

        Raises ExportFailed: it has no room.
        """
        if len(description) > self._room:
            raise ExportFailed(f"the description has {len(description)} bytes, there is room for {self._room}")
        return description.ljust(self._room - 1) + b"\n"


def header(name: str, size: int, made: float) -> bytes:
    """Of a regular file. `name`: ASCII, at most 100 characters."""
    length = b"%011o\0" % size if size < OCTAL_LIMIT else b"\x80" + size.to_bytes(11, "big")
    fields = (
        (name.encode("ascii"), 100),
        (b"0000644\0", 8),
        (b"0000000\0", 8),
        (b"0000000\0", 8),
        (length, 12),
        (b"%011o\0" % int(made), 12),
        (b" " * 8, 8),
        (b"0", 1),
        (b"", 100),
        (b"ustar  \0", 8),
    )
    block = b"".join(value.ljust(width, b"\0") for value, width in fields).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _write(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, at)
        view, at = view[count:], at + count


def _up(size: int, unit: int) -> int:
    return -(-size // unit) * unit
