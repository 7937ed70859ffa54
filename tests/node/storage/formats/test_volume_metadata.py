from dataclasses import replace

import pytest
from golden_files import DOMAIN, IMAGE, VOLUME, golden
from hypothesis import given, settings
from hypothesis import strategies as st
from values import torn, volumes

from ovis.node.storage.formats.errors import Broken, Cleared, Missing, TooLong
from ovis.node.storage.formats.volume_metadata import (
    SLOTS,
    Allocation,
    DiskType,
    Legality,
    VolumeFormat,
    VolumeMetadata,
    VolumeRole,
    cleared_slot,
    read,
    write,
    write_slot,
)

versions = st.sampled_from((3, 4, 5))
GIB = 1 << 30


def as_read_back(volume: VolumeMetadata, version: int) -> VolumeMetadata:
    return volume if version == 5 else replace(volume, sequence=0)


def test_a_volume_of_version_4() -> None:
    assert read(golden("volume_v4.meta")) == VolumeMetadata(
        domain=DOMAIN,
        image=IMAGE,
        parent=None,
        capacity=10 * GIB,
        format=VolumeFormat.COW,
        allocation=Allocation.SPARSE,
        role=VolumeRole.LEAF,
        created=1440935038,
        disk_type=DiskType.DATA,
        description='{"DiskAlias":"db_Disk1","DiskDescription":""}',
        legality=Legality.LEGAL,
        generation=7,
    )


def test_a_volume_of_version_5() -> None:
    volume = read(golden("volume_v5.meta"))
    assert (volume.capacity, volume.parent, volume.sequence) == (10 * GIB, VOLUME, 2)


@pytest.mark.parametrize(("name", "version"), [("volume_v4.meta", 3), ("volume_v4.meta", 4), ("volume_v5.meta", 5)])
def test_it_is_written_back_to_the_byte(name: str, version: int) -> None:
    assert write(read(golden(name)), version) == golden(name)


@given(volumes, versions)
def test_what_is_written_is_read(volume: VolumeMetadata, version: int) -> None:
    assert read(write(volume, version)) == as_read_back(volume, version)


@given(volumes, versions)
def test_a_slot_is_one_sector_of_512_bytes(volume: VolumeMetadata, version: int) -> None:
    data = write_slot(volume, version)
    assert len(data) == 512
    assert read(data) == as_read_back(volume, version)


def test_on_4k_sectors_a_slot_is_padded_to_one() -> None:
    volume = read(golden("volume_v5.meta"))
    data = write_slot(volume, 5, block_size=4096)
    assert len(data) == 4096
    assert read(data) == volume
    with pytest.raises(Broken):
        write_slot(volume, 4, block_size=4096)


@pytest.mark.parametrize(
    ("version", "slot", "offset"),
    [(3, 4, 2048), (4, 5, 2560), (4, 1947, 996864), (5, 1, 1056768), (5, 2, 1064960), (5, 1947, 16998400)],
)
def test_places_of_slots(version: int, slot: int, offset: int) -> None:
    assert SLOTS[version].offset(slot) == offset


@pytest.mark.parametrize(("version", "slot"), [(4, 3), (4, -1), (5, 0), (5, 2048)])
def test_slots_that_are_no_volumes(version: int, slot: int) -> None:
    with pytest.raises(Broken):
        SLOTS[version].offset(slot)


@given(versions, st.integers(4, 1951))
def test_a_slot_never_crosses_a_sector(version: int, slot: int) -> None:
    offset = SLOTS[version].offset(slot)
    assert offset // 512 == (offset + 511) // 512
    assert version < 5 or offset % 4096 == 0


@settings(max_examples=40, deadline=None)
@given(volumes, volumes, versions)
def test_a_torn_slot_is_old_or_new_since_a_sector_is_written_whole(
    old: VolumeMetadata, new: VolumeMetadata, version: int
) -> None:
    for data in torn(write_slot(old, version), write_slot(new, version), unit=512):
        try:
            assert read(data) in (as_read_back(old, version), as_read_back(new, version))
        except Cleared:  # a file that was cut to nothing
            assert data == b""


@settings(max_examples=40, deadline=None)
@given(volumes, versions)
def test_a_file_cut_short_anywhere_is_refused(volume: VolumeMetadata, version: int) -> None:
    data = write(volume, version)
    for cut in range(len(data) - 1):
        with pytest.raises(Broken):
            read(data[:cut])


def test_a_file_being_written_in_place_over_zeros_is_refused() -> None:
    data = golden("volume_v5.meta")
    for cut in range(len(data) - 2):
        with pytest.raises(Broken):
            read(data[:cut].ljust(512, b"\0"))


@pytest.mark.parametrize(
    "data", [b"", cleared_slot(5), cleared_slot(5, block_size=4096), b"NONE=" + b"#" * 502 + b"\n"]
)
def test_a_freed_slot_is_told_from_a_broken_one(data: bytes) -> None:
    with pytest.raises(Cleared):
        read(data)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (b"GEN=7", b"GEN=1000", "GEN"),
        (b"GEN=7", b"GEN=-1", "GEN"),
        (b"CAP=10737418240", b"CAP=", "CAP"),
        (b"CAP=10737418240", b"CAP=1e9", "CAP"),
        (b"CAP=10737418240", b"CAP=9223372036854775808", "CAP"),
        (b"CAP=10737418240", b"CAP=10737418240\nSIZE=1", "SIZE"),
        (b"FORMAT=COW", b"FORMAT=qcow2", "FORMAT"),
        (b"TYPE=SPARSE", b"TYPE=UNKNOWN", "TYPE"),
        (b"DISKTYPE=DATA", b"DISKTYPE=3", "DISKTYPE"),
        (b"LEGALITY=LEGAL", b"LEGALITY=", "LEGALITY"),
        (b"IMAGE=c2a1", b"IMAGE=../1", "IMAGE"),
        (b"SEQ=2", b"SEQ=2\nSEQ=2", "SEQ"),
        (b"SEQ=2", b"SEQ", "byte 298"),
        (b"DiskAlias", b"Disk\xffAlias", "byte 53"),
        (b"DiskAlias", b"Disk\0Alias", "byte 37"),
        (b"EOF", b"E0F", "byte 298"),
    ],
)
def test_what_is_broken_is_refused_and_named(old: bytes, new: bytes, where: str) -> None:
    data = golden("volume_v5.meta")
    assert old in data
    with pytest.raises(Broken) as refusal:
        read(data.replace(old, new))
    assert refusal.value.where.startswith(where.split(" ")[0])


@pytest.mark.parametrize("key", ["DOMAIN", "IMAGE", "PUUID", "FORMAT", "TYPE", "VOLTYPE", "CTIME", "DISKTYPE", "CAP"])
def test_a_missing_key_is_named(key: str) -> None:
    lines = [line for line in golden("volume_v5.meta").splitlines(True) if not line.startswith(f"{key}=".encode())]
    with pytest.raises(Missing) as refusal:
        read(b"".join(lines))
    assert refusal.value.where == key


def test_generation_and_sequence_may_miss() -> None:
    volume = read(golden("volume_v5.meta").replace(b"GEN=7\n", b"").replace(b"SEQ=2\n", b""))
    assert (volume.generation, volume.sequence) == (0, 0)


def test_both_sizes_are_there_while_a_domain_is_converted() -> None:
    assert read(golden("volume_v5.meta").replace(b"SEQ", b"SIZE=20971520\nMTIME=0\nSEQ")).capacity == 10 * GIB


def test_the_generation_goes_around() -> None:
    volume = read(golden("volume_v5.meta"))
    assert volume.next_generation == 8
    assert replace(volume, generation=999).next_generation == 0


def test_the_pool_of_old_agents_is_dropped_and_unknown_keys_are_kept() -> None:
    volume = read(golden("volume_v4.meta").replace(b"PUUID", b"POOL_UUID=\nX=1\nPUUID"))
    assert volume.other == (("X", "1"),)
    assert b"\nX=1\nEOF\n" in write(volume, 4)


def test_a_description_that_is_too_long_is_cut_when_read_and_refused_when_written() -> None:
    data = golden("volume_v5.meta").replace(b'""', b'"' + b"x" * 180 + b'"')
    volume = read(data)
    assert len(volume.description) == 210
    with pytest.raises(TooLong) as refusal:
        write(replace(volume, description="x" * 211), 5)
    assert refusal.value.where == "DESCRIPTION"


def test_more_than_512_bytes_are_refused() -> None:
    with pytest.raises(TooLong):
        write(replace(read(golden("volume_v5.meta")), description="é" * 210), 5)


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", " a", "\ud800"])
def test_a_description_that_a_line_cannot_hold_is_not_written(text: str) -> None:
    with pytest.raises(Broken):
        write(replace(read(golden("volume_v5.meta")), description=text), 5)


def test_half_a_block_cannot_be_the_size_before_version_5() -> None:
    with pytest.raises(Broken) as refusal:
        write(replace(read(golden("volume_v4.meta")), capacity=1000), 4)
    assert refusal.value.where == "SIZE"
