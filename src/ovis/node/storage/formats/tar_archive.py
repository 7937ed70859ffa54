"""A tar archive in memory: regular files with short names, nothing else.

    header (512) | content, zeros up to 512 | header | content | ... | 1024 zeros

    header   0    +100  name, NULs            136  +12   modification time, octal
             100  +8    mode, octal           148  +8    sum of the header's bytes, this field as blanks, octal
             108  +16   user, group, octal    156  +1    "0" or NUL: a regular file
             124  +12   size, octal           257  +8    "ustar" NUL "00", or GNU's "ustar" blank blank NUL

Links, folders, devices, sparse and extended headers are refused. What stands behind the closing zeros is passed over:
a volume is longer than the archive in it. A header's sum covers its name and size; content has none, so who must tell a
torn archive keeps its state elsewhere (ovf_store).

Apart from `ovis.node.imports.tar`, which finds members in files of any size and follows GNU and pax headers.
Source: POSIX.1-2017 pax, "ustar Interchange Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ovis.node.storage.formats.errors import Broken, TooLong, shown

WHAT = "archive"
BLOCK = 512
MAX_MEMBERS = 100_000
NAME_LIMIT = 100

_END = bytes(2 * BLOCK)
_OCTAL = re.compile(rb" *[0-7]+[ \0]*")
_REGULAR = (b"0", b"\0")


def read(data: bytes) -> dict[str, bytes]:
    """The files by name, in the archive's order. Raises Broken."""
    files: dict[str, bytes] = {}
    for at, name, content in _members(data):
        if name in files:
            raise Broken(WHAT, f"byte {at}", f"a second {shown(name)}")
        if len(files) == MAX_MEMBERS:
            raise Broken(WHAT, f"byte {at}", f"more than {MAX_MEMBERS} files")
        files[name] = content
    return files


def write(files: Mapping[str, bytes], *, modified: int) -> bytes:
    """`modified` in seconds since 1970, the same for all. Raises TooLong, Broken."""
    parts: list[bytes] = []
    for name, content in files.items():
        parts += (_header(name, len(content), modified), content, bytes(-len(content) % BLOCK))
    return b"".join((*parts, _END))


def _members(data: bytes) -> Iterator[tuple[int, str, bytes]]:
    at = 0
    while True:
        header = data[at : at + BLOCK]
        if len(header) < BLOCK:
            raise Broken(WHAT, f"byte {len(data)}", "ends without its closing zeros: cut short")
        if not any(header):
            if any(data[at + BLOCK : at + 2 * BLOCK]) or len(data) < at + 2 * BLOCK:
                raise Broken(WHAT, f"byte {at + BLOCK}", "only one block of closing zeros")
            return
        name, size = _parse_header(header, at)
        start = at + BLOCK
        if start + size > len(data):
            raise Broken(WHAT, f"byte {len(data)}", f"ends within {shown(name)}")
        yield at, name, data[start : start + size]
        at = start + size + -size % BLOCK


def _parse_header(header: bytes, at: int) -> tuple[str, int]:
    found = _octal(header[148:156], at + 148)
    if found != _checksum(header):
        raise Broken(WHAT, f"byte {at + 148}", f"header's sum is {found}, should be {_checksum(header)}")
    if header[156:157] not in _REGULAR:
        raise Broken(WHAT, f"byte {at + 156}", f"not a regular file: type {shown(header[156:157])}")
    if header[257:262] != b"ustar" or (header[263:265] == b"00" and any(header[345:500])):
        raise Broken(WHAT, f"byte {at + 257}", "not a plain ustar header")
    raw, _, behind = header[:NAME_LIMIT].partition(b"\0")
    if not raw or not raw.isascii() or any(behind):
        raise Broken(WHAT, f"byte {at}", f"not a name: {shown(header[:NAME_LIMIT])}")
    return raw.decode("ascii"), _octal(header[124:136], at + 124)


def _header(name: str, size: int, modified: int) -> bytes:
    raw = name.encode(errors="replace")
    if not raw or not name.isascii() or b"\0" in raw:
        raise Broken(WHAT, "name", f"cannot be one in an archive: {shown(name)}")
    if len(raw) > NAME_LIMIT or size >= 8**11 or not 0 <= modified < 8**11:
        raise TooLong(WHAT, shown(name), "its name, size or time does not fit in a header")
    header = bytearray(BLOCK)
    header[: len(raw)] = raw
    header[100:124] = b"0000644\0" + b"0000000\0" * 2
    header[124:148] = b"%011o\0%011o\0" % (size, modified)
    header[156:157] = b"0"
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"%06o\0 " % _checksum(bytes(header))
    return bytes(header)


def _checksum(header: bytes) -> int:
    return sum(header[:148]) + 8 * ord(" ") + sum(header[156:])


def _octal(field: bytes, at: int) -> int:
    if not _OCTAL.fullmatch(field):
        raise Broken(WHAT, f"byte {at}", f"not an octal number: {shown(field)}")
    return int(field.strip(b" \0"), 8)
