"""Finding the members of an OVA's tar without unpacking anything.

    header (512 bytes) | content, padded to 512 | header | content | ... | two blocks of zeros

    header:  name 0+100 | size 124+12 | checksum 148+8 | type 156+1 | link 157+100 | magic 257+6 | prefix 345+155

Only headers are read; the disks are later read in place, from `offset` on. Types: regular files ("0", NUL), folders
("5", passed over), pax records ("x", "g") and GNU long names ("L"). Everything else is refused: links and devices have
no place in an OVA, and sparse members ("S", pax GNU.sparse) announce a size that is not the one they have.

Own code instead of `tarfile`, which reads records of any size into memory and follows what it finds.
Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"; DSP0243 (OVF), chapter 6.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ovis.node.imports.errors import BadArchive

BLOCK = 512
MEMBERS = 512  # an OVA has a description, a manifest and a file for each disk
RECORD_LIMIT = 64 << 10  # of a pax record or a long name
NAME_LIMIT = 1024
REFUSED = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"S": "a sparse file, whose size cannot be trusted",
}


@dataclass(frozen=True)
class Member:
    """`offset`: of its content in the archive, 0 for a file in a folder. Sizes in bytes."""

    name: str
    offset: int
    size: int


def members(descriptor: int, archive: str) -> dict[str, Member]:
    """What the tar behind `descriptor` holds, by name. Blocks. Raises BadArchive, OSError."""
    return _Reader(descriptor, archive).read()


class _Reader:
    def __init__(self, descriptor: int, archive: str) -> None:
        self._descriptor = descriptor
        self._archive = archive
        self._end = os.fstat(descriptor).st_size
        self._found: dict[str, Member] = {}
        self._long_name: str | None = None
        self._long_size: int | None = None

    def read(self) -> dict[str, Member]:
        at = 0
        for _ in range(4 * MEMBERS):  # each member may have three headers of its own before it
            if at + BLOCK > self._end:
                raise self._bad(f"it ends at byte {self._end} without an end mark: it is cut off")
            header = os.pread(self._descriptor, BLOCK, at)
            if header == bytes(BLOCK):
                return self._found
            at = self._take(header, at + BLOCK)
        raise self._bad(f"it has more than {MEMBERS} members")

    def _take(self, header: bytes, content: int) -> int:
        """The offset of the next header."""
        self._check_sum(header, content - BLOCK)
        kind = header[156:157]
        name = self._name(header)
        size = self._size(header, name)
        if kind in (b"0", b"\0") and self._long_size is not None:
            size = self._long_size
        if content + size > self._end:
            raise self._bad(
                f"it shall have {size} bytes from byte {content} on, the archive ends at {self._end}", member=name
            )
        if kind in (b"x", b"g", b"L"):
            self._take_record(kind, content, size)
        elif kind in (b"0", b"\0"):
            self._add(Member(name, content, size))
        elif kind != b"5":
            raise self._bad(f"it is {REFUSED.get(kind, f'of the unknown type {kind!r}')}: refused", member=name)
        if kind in (b"0", b"\0", b"5"):
            self._long_name = self._long_size = None
        return content + -(-size // BLOCK) * BLOCK

    def _add(self, member: Member) -> None:
        if member.name in self._found:
            raise self._bad("it is there twice", member=member.name)
        if len(self._found) >= MEMBERS:
            raise self._bad(f"it has more than {MEMBERS} members")
        self._found[member.name] = member

    def _take_record(self, kind: bytes, content: int, size: int) -> None:
        if size > RECORD_LIMIT:
            raise self._bad(f"a header record of {size} bytes: at most {RECORD_LIMIT} are read")
        data = os.pread(self._descriptor, size, content)
        if kind == b"L":
            self._long_name = self._clean(data.rstrip(b"\0"))
        elif kind == b"x":
            self._take_pax(data)

    def _take_pax(self, data: bytes) -> None:
        """Records such as `30 path=folder/name\\n`; the number counts the whole record."""
        while data:
            digits, _, _ = data[:8].partition(b" ")
            length = int(digits) if digits.isdigit() else 0
            record, data = data[:length], data[max(length, 1) :]
            key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
            if length <= len(digits) + 2 or len(record) != length or record[-1:] != b"\n" or not equals:
                raise self._bad("a pax record is damaged")
            if key.startswith(b"GNU.sparse"):
                raise self._bad(f"it is {REFUSED[b'S']}: refused", member=self._long_name or "")
            if key == b"path":
                self._long_name = self._clean(value)
            elif key == b"size":
                if not value.isdigit() or len(value) > 18:
                    raise self._bad(f"the size in a pax record is no size: {value[:40]!r}")
                self._long_size = int(value)

    def _name(self, header: bytes) -> str:
        if self._long_name is not None:
            return self._long_name
        name = header[:100].split(b"\0", 1)[0]
        if header[257:262] == b"ustar" and header[257:265] != b"ustar  \0" and header[345]:
            name = header[345:500].split(b"\0", 1)[0] + b"/" + name
        return self._clean(name)

    def _clean(self, name: bytes) -> str:
        if len(name) > NAME_LIMIT or b"\0" in name:
            raise self._bad("a name is too long or holds a NUL", member=name[:60].decode(errors="replace"))
        try:
            return check_name(name.decode(), self._archive)
        except UnicodeDecodeError as error:
            raise self._bad("a name is not UTF-8", member=name.decode(errors="replace")) from error

    def _size(self, header: bytes, name: str) -> int:
        """Octal digits, or with the highest bit set a binary number (GNU, 8 GiB and more)."""
        field = header[124:136]
        if field[0] & 0x80:
            size = int.from_bytes(field, "big") & ((1 << 95) - 1)
        else:
            digits = field.strip(b"\0 ")
            if not all(c in b"01234567" for c in digits):
                raise self._bad(f"its size {field!r} is no number", member=name)
            size = int(digits or b"0", 8)
        if size >= 1 << 62:
            raise self._bad(f"its size cannot be {size}", member=name)
        return size

    def _check_sum(self, header: bytes, at: int) -> None:
        digits = header[148:156].strip(b"\0 ")
        told = int(digits, 8) if digits and all(c in b"01234567" for c in digits) else -1
        if sum(header[:148]) + 8 * 0x20 + sum(header[156:]) != told:
            what = "it is no tar archive" if at == 0 else f"the header at byte {at} is damaged"
            raise self._bad(what)

    def _bad(self, problem: str, *, member: str = "") -> BadArchive:
        return BadArchive(self._archive, problem, member=member)


def check_name(name: str, archive: str) -> str:
    """The name without a leading `./`. Raises BadArchive for one that would lead out of the archive."""
    plain = name
    while plain.startswith("./"):
        plain = plain[2:]
    parts = plain.rstrip("/").split("/")
    if plain.startswith("/") or ".." in parts or "\0" in plain or "\\" in plain:
        raise BadArchive(archive, "this name leads out of the archive: refused", member=name)
    if any(ord(c) < 0x20 for c in plain):
        raise BadArchive(archive, "this name holds control characters: refused", member=name)
    return plain
