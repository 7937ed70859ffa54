"""Which external lease lies where in `xleases`: the index in its slot 1 (sanlock_areas). 62 x 4096 = 253952 bytes.

    0      +4    magic, big-endian 0x12152016        |
    4            NUL                                 |
    5      +4    version, "0001"                     |
    9            NUL                                 |
    10     +48   lockspace (the domain's id), NULs   |  header, 512 bytes
    58           NUL                                 |
    59     +10   time of the last change, decimal s  |
    69           NUL                                 |
    70     +1    "u" while the index is made, "-"    |
    71     +440  NUL                                 |
    511    +1    newline                             |
    512          record 0                            3960 records of 64 bytes
    512+64n      record n
    253952       end

    record       0    +48   lease id, NULs; free: NULs
                 48         NUL
                 49   +11   offset of the lease in xleases, decimal; free: zeros
                 60         NUL
                 61   +1    "u" while the lease is made or removed, "-"
                 62   +1    reserved, "-"
                 63   +1    newline

A record's lease is at (3 + n) alignments whatever the record says; the offset in it is for the human eye, and is
checked: one that differs is Broken.

Crash safety: a header and a record lie within one sector each, and are written with it: old or new. What takes several
writes is marked before and unmarked after:

    make or remove a lease     record "u"; sanlock's resource; record "-" or free
    make or rebuild the index  header "u"; all records; header "-"

A record left at "u" is settled by what sanlock finds at its offset; a header left at "u" by rebuilding the index from
all offsets. The resources are the truth, the index is only quick.

Assumptions: one broken record costs one lease and not the index: it is kept as BrokenRecord, is not free and is not
given away; existing agents fail as a whole. A lease id is any text of 1 to 48 visible ASCII characters (engines use the
VM's id). An id that comes twice is refused at lookup. A free record marked "u" is Broken, so are flags other than "u"
and "-". The reserved byte is not looked at. The 40 records behind the end that old agents formatted (256512 bytes) are
never used and are passed over.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ovis.node.storage.formats.errors import Broken, TooLong, shown
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.sanlock_areas import BLOCK_4K, BLOCK_512, FIRST_USER_SLOT, Geometry

WHAT = "lease index"
MAGIC = 0x12152016
VERSION = 1
SIZE = 62 * 4096
HEADER_SIZE = 512
RECORD_SIZE = 64
RECORDS = (SIZE - HEADER_SIZE) // RECORD_SIZE

_HEADER = struct.Struct(">I x 4s x 48s x 10s x c 440x c")
_RECORD = struct.Struct("48s x 11s x c c c")
_DIGITS = re.compile(rb"[0-9]+")
_NAME = re.compile(rb"[\x21-\x7e]{0,48}")
_UPDATING = b"u"
_SETTLED = b"-"
_MAX_TIME = 9_999_999_999
_MAX_OFFSET = 99_999_999_999


@dataclass(frozen=True)
class Header:
    """`changed` in seconds since 1970. `updating`: a rebuild began and did not end; the records mean nothing."""

    lockspace: str
    changed: int
    updating: bool = False


@dataclass(frozen=True)
class Record:
    """A lease that is there, or is being made or removed (`updating`)."""

    lease: LeaseId
    updating: bool = False


@dataclass(frozen=True)
class FreeRecord:
    pass


@dataclass(frozen=True)
class BrokenRecord:
    problem: str


FREE = FreeRecord()
AnyRecord = Record | FreeRecord | BrokenRecord


@dataclass(frozen=True)
class Write:
    """`data` goes to `offset` bytes behind the start of the index, as one sector."""

    offset: int
    data: bytes


@dataclass(frozen=True)
class LeaseIndex:
    header: Header
    records: tuple[AnyRecord, ...]
    geometry: Geometry

    def find(self, lease: LeaseId) -> int | None:
        """The number of the lease's record. Raises Broken when it has two."""
        found = [number for number, record in self.leases() if record.lease == lease]
        if len(found) > 1:
            raise Broken(WHAT, f"record {found[1]}", f"lease {shown(lease)} is in record {found[0]} already")
        return found[0] if found else None

    def leases(self) -> Iterator[tuple[int, Record]]:
        for number, record in enumerate(self.records):
            if isinstance(record, Record):
                yield number, record

    def first_free(self, xleases_bytes: int) -> int | None:
        """A free record whose lease has room in an `xleases` of this size."""
        room = self.geometry.external_leases(xleases_bytes)
        return next((number for number, record in enumerate(self.records[:room]) if record == FREE), None)

    def with_record(self, number: int, record: Record | FreeRecord) -> LeaseIndex:
        return replace(self, records=(*self.records[:number], record, *self.records[number + 1 :]))


def new(lockspace: str, changed: int, geometry: Geometry, *, updating: bool) -> LeaseIndex:
    """An index without a lease."""
    return LeaseIndex(Header(lockspace, changed, updating), (FREE,) * RECORDS, geometry)


def read(data: bytes, geometry: Geometry) -> LeaseIndex:
    """Raises Broken when the header is; broken records are among the records."""
    if len(data) < SIZE:
        raise Broken(WHAT, f"byte {len(data)}", f"ends, {SIZE} bytes make an index")
    header = read_header(data[:HEADER_SIZE])
    return LeaseIndex(header, tuple(_read_record(data, number, geometry) for number in range(RECORDS)), geometry)


def write(index: LeaseIndex) -> bytes:
    """The whole index, for a new or rebuilt one. Raises Broken for a broken record: it must be settled before."""
    return write_header(index.header) + b"".join(
        _write_record(number, record, index.geometry) for number, record in enumerate(index.records)
    )


def read_header(data: bytes) -> Header:
    """Raises Broken."""
    if len(data) < HEADER_SIZE:
        raise Broken(WHAT, f"byte {len(data)}", f"ends, the header has {HEADER_SIZE} bytes")
    magic, version, lockspace, changed, flag, end = _HEADER.unpack(data[:HEADER_SIZE])
    if magic != MAGIC:
        raise Broken(WHAT, "byte 0", f"magic is {magic:#010x}, not {MAGIC:#010x}")
    if version != b"%04d" % VERSION:
        raise Broken(WHAT, "byte 5", f"version is {shown(version)}, only {VERSION} is known")
    if not _DIGITS.fullmatch(changed):
        raise Broken(WHAT, "byte 59", f"time is not a number: {shown(changed)}")
    header = Header(_name(lockspace, "byte 10"), int(changed), _flag(flag, "byte 70"))
    _check_written(data[:HEADER_SIZE], write_header(header), "byte", end)
    return header


def write_header(header: Header) -> bytes:
    """512 bytes at the start of the index; on sectors of 4096 bytes use `header_sector`. Raises Broken, TooLong."""
    return _HEADER.pack(
        MAGIC,
        b"%04d" % VERSION,
        _packed_name("byte 10", header.lockspace),
        _packed_number("byte 59", header.changed, 10, _MAX_TIME),
        _UPDATING if header.updating else _SETTLED,
        b"\n",
    )


def header_sector(data: bytes, header: Header, block_size: int) -> Write:
    """The first sector of the index `data` with another header: to mark or unmark a rebuild."""
    return _sector(data, 0, write_header(header), block_size)


def record_sector(data: bytes, number: int, record: Record | FreeRecord, geometry: Geometry) -> Write:
    """The sector of the index `data` with another record `number`. Raises Broken, TooLong."""
    offset = _record_offset(number)
    return _sector(data, offset, _write_record(number, record, geometry), geometry.block_size)


def _sector(data: bytes, offset: int, changed: bytes, block_size: int) -> Write:
    if block_size not in (BLOCK_512, BLOCK_4K):
        raise Broken(WHAT, "block size", f"{block_size} is none that a disk has")
    start = offset - offset % block_size
    sector = bytearray(data[start : start + block_size])
    if len(sector) != block_size:
        raise Broken(WHAT, f"byte {start}", "the index ends within the sector")
    sector[offset - start : offset - start + len(changed)] = changed
    return Write(start, bytes(sector))


def _record_offset(number: int) -> int:
    if not 0 <= number < RECORDS:
        raise Broken(WHAT, f"record {number}", f"there are {RECORDS} records")
    return HEADER_SIZE + number * RECORD_SIZE


def _read_record(data: bytes, number: int, geometry: Geometry) -> AnyRecord:
    offset = _record_offset(number)
    raw = data[offset : offset + RECORD_SIZE]
    if raw == _FREE_RECORD:
        return FREE
    try:
        return _parse_record(raw, offset, number, geometry)
    except Broken as error:
        return BrokenRecord(str(error))


def _parse_record(raw: bytes, offset: int, number: int, geometry: Geometry) -> Record:
    lease, lease_offset, flag, reserved, end = _RECORD.unpack(raw)
    name = _name(lease, f"byte {offset}")
    expected = (FIRST_USER_SLOT + number) * geometry.alignment
    if lease_offset != b"%011d" % expected:
        problem = f"record {number} says offset {shown(lease_offset)}, its lease is at {expected}"
        raise Broken(WHAT, f"byte {offset + 49}", problem)
    record = Record(LeaseId(name), _flag(flag, f"byte {offset + 61}"))
    expected_bytes = _write_record(number, record, geometry)
    _check_written(raw, expected_bytes[:62] + reserved + expected_bytes[63:], f"record {number}, byte", end)
    return record


def _write_record(number: int, record: AnyRecord, geometry: Geometry) -> bytes:
    if isinstance(record, BrokenRecord):
        raise Broken(WHAT, f"record {number}", f"cannot be written: {record.problem}")
    if isinstance(record, FreeRecord):
        return _FREE_RECORD
    offset = _packed_number(f"record {number}", (FIRST_USER_SLOT + number) * geometry.alignment, 11, _MAX_OFFSET)
    flag = _UPDATING if record.updating else _SETTLED
    return _RECORD.pack(_packed_name(f"record {number}", record.lease), offset, flag, _SETTLED, b"\n")


_FREE_RECORD = _RECORD.pack(b"", b"0" * 11, _SETTLED, _SETTLED, b"\n")


def _check_written(found: bytes, expected: bytes, where: str, end: bytes) -> None:
    """The fixed bytes are as they were written: what differs is damage, and is named."""
    if end != b"\n":
        raise Broken(WHAT, f"{where} {len(found) - 1}", "does not end with a newline")
    if found != expected:
        first = next(at for at, (one, other) in enumerate(zip(found, expected, strict=True)) if one != other)
        raise Broken(WHAT, f"{where} {first}", f"is {found[first]:#04x}, should be {expected[first]:#04x}")


def _name(raw: bytes, where: str) -> str:
    name = raw.rstrip(b"\0")
    if not name or not _NAME.fullmatch(name):
        raise Broken(WHAT, where, f"not a name: {shown(raw)}")
    return name.decode("ascii")


def _flag(flag: bytes, where: str) -> bool:
    if flag not in (_UPDATING, _SETTLED):
        raise Broken(WHAT, where, f"flag is {shown(flag)}")
    return flag == _UPDATING


def _packed_name(where: str, name: str) -> bytes:
    raw = name.encode(errors="replace")
    if len(raw) > 48:
        raise TooLong(WHAT, where, f"48 bytes have room for a name: {shown(name)}")
    if not raw or not name.isascii() or not _NAME.fullmatch(raw):
        raise Broken(WHAT, where, f"not a name: {shown(name)}")
    return raw


def _packed_number(where: str, number: int, digits: int, at_most: int) -> bytes:
    if not 0 <= number <= at_most:
        raise TooLong(WHAT, where, f"{number} does not fit in {digits} digits")
    return b"%0*d" % (digits, number)
