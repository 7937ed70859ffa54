from dataclasses import replace

import pytest
from golden_files import DOMAIN, IMAGE, VOLUME, golden
from hypothesis import given, settings
from values import indices

from ovis.node.storage.formats import lease_index
from ovis.node.storage.formats.errors import Broken, TooLong
from ovis.node.storage.formats.lease_index import FREE, SIZE, BrokenRecord, Header, LeaseIndex, Record, Write
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry

USUAL = Geometry()
HEAD = golden("lease_index.hex")
GOLDEN = HEAD + HEAD[-64:] * (lease_index.RECORDS - 3)
INDEX = lease_index.read(GOLDEN, USUAL)


def after(data: bytes, write: Write) -> bytes:
    return data[: write.offset] + write.data + data[write.offset + len(write.data) :]


def test_an_index_written_by_hand() -> None:
    assert INDEX.header == Header(DOMAIN, 1440935038, updating=False)
    assert list(INDEX.leases()) == [(0, Record(VOLUME)), (1, Record(IMAGE, updating=True))]
    assert INDEX.find(IMAGE) == 1
    assert INDEX.find(DOMAIN) is None
    assert lease_index.write(INDEX) == GOLDEN


def test_its_size_is_62_pages_and_3960_records() -> None:
    assert (SIZE, lease_index.RECORDS) == (253952, 3960)
    assert len(lease_index.write(lease_index.new(DOMAIN, 0, USUAL, updating=True))) == SIZE


@settings(max_examples=20, deadline=None)
@given(indices)
def test_what_is_written_is_read(index: LeaseIndex) -> None:
    assert lease_index.read(lease_index.write(index), index.geometry) == index


def test_the_first_free_record_has_room_for_its_lease() -> None:
    assert INDEX.first_free(USUAL.xleases_bytes) == 2
    assert INDEX.first_free(5 * MIB) is None
    assert INDEX.first_free(6 * MIB) == 2


@pytest.mark.parametrize("block_size", [512, 4096])
@pytest.mark.parametrize("number", [0, 6, 7, 8, 62, 63, 64, 3959])
def test_a_record_is_changed_by_writing_one_sector(block_size: int, number: int) -> None:
    geometry = Geometry(block_size, MIB)
    record = Record(VOLUME, updating=True)
    write = lease_index.record_sector(GOLDEN, number, record, geometry)
    assert (len(write.data), write.offset % block_size) == (block_size, 0)
    changed = lease_index.read(after(GOLDEN, write), geometry)
    assert changed == replace(INDEX.with_record(number, record), geometry=geometry)


def test_the_header_is_changed_by_writing_one_sector() -> None:
    for block_size in (512, 4096):
        write = lease_index.header_sector(GOLDEN, Header(DOMAIN, 7, updating=True), block_size)
        assert (write.offset, len(write.data)) == (0, block_size)
        changed = lease_index.read(after(GOLDEN, write), USUAL)
        assert changed == replace(INDEX, header=Header(DOMAIN, 7, updating=True))


def test_a_rebuild_that_was_cut_is_told_by_the_header() -> None:
    """Marked, then all sectors in any number, then unmarked: no cut shows a settled index with a mixture of records."""
    rebuilt = INDEX.with_record(0, FREE).with_record(40, Record(VOLUME)).with_record(1, FREE)
    marked = after(GOLDEN, lease_index.header_sector(GOLDEN, replace(INDEX.header, updating=True), 512))
    target = lease_index.write(replace(rebuilt, header=lease_index.read_header(marked)))
    for cut in range(0, 8192, 512):
        torn = lease_index.read(target[:cut] + marked[cut:], USUAL)
        assert torn.header.updating
    done = after(target, lease_index.header_sector(target, INDEX.header, 512))
    assert lease_index.read(done, USUAL) == rebuilt


@pytest.mark.parametrize(
    ("offset", "data", "where"),
    [
        (0, b"\x21", "byte 0"),
        (4, b"x", "byte 4"),
        (5, b"0002", "byte 5"),
        (5, b"\0\0\0\0", "byte 5"),
        (10, b"\0" * 48, "byte 10"),
        (10, b"a\0b", "byte 10"),
        (10, b"\xe9", "byte 10"),
        (59, b"-", "byte 59"),
        (59, b" ", "byte 59"),
        (70, b"x", "byte 70"),
        (71, b"x", "byte 71"),
        (511, b"\0", "byte 511"),
    ],
)
def test_a_broken_header_is_refused_and_the_byte_named(offset: int, data: bytes, where: str) -> None:
    with pytest.raises(Broken) as refusal:
        lease_index.read(GOLDEN[:offset] + data + GOLDEN[offset + len(data) :], USUAL)
    assert refusal.value.where == where


@pytest.mark.parametrize(
    ("offset", "data", "named"),
    [
        (0, b"\xff", "byte 512"),
        (0, b"\0" * 48, "byte 512"),
        (48, b"x", "record 0, byte 48"),
        (49, b"1", "byte 561"),
        (49, b"00000000000", "byte 561"),
        (60, b"x", "record 0, byte 60"),
        (61, b"x", "byte 573"),
        (63, b"\0", "record 0, byte 63"),
    ],
)
def test_a_broken_record_costs_one_lease(offset: int, data: bytes, named: str) -> None:
    start = 512 + offset
    index = lease_index.read(GOLDEN[:start] + data + GOLDEN[start + len(data) :], USUAL)
    broken = index.records[0]
    assert isinstance(broken, BrokenRecord)
    assert named in broken.problem
    assert list(index.leases()) == [(1, Record(IMAGE, updating=True))]
    assert index.first_free(USUAL.xleases_bytes) == 2
    with pytest.raises(Broken):
        lease_index.write(index)


def test_the_reserved_byte_is_not_looked_at() -> None:
    assert lease_index.read(GOLDEN[:574] + b"x" + GOLDEN[575:], USUAL) == INDEX


def test_a_lease_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Broken):
        INDEX.with_record(9, Record(VOLUME)).find(VOLUME)


def test_an_index_cut_short_is_refused() -> None:
    with pytest.raises(Broken) as refusal:
        lease_index.read(GOLDEN[:-1], USUAL)
    assert refusal.value.where == f"byte {SIZE - 1}"


def test_the_longer_index_of_old_agents_is_read() -> None:
    assert lease_index.read(GOLDEN + b"x" * 2560, USUAL) == INDEX


def test_names_and_times_that_do_not_fit_are_not_written() -> None:
    with pytest.raises(TooLong):
        lease_index.write_header(Header("x" * 49, 0))
    with pytest.raises(TooLong):
        lease_index.write_header(Header("x", 10**10))
    with pytest.raises(Broken):
        lease_index.write_header(Header("é", 0))
    with pytest.raises(Broken):
        lease_index.record_sector(GOLDEN, 3960, FREE, USUAL)
    with pytest.raises(Broken):
        lease_index.record_sector(GOLDEN, 0, Record(""), USUAL)
