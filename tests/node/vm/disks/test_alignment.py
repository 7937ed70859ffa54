"""Partition tables: MBR with logical partitions, GPT, and broken ones."""

import struct

from ovis.node.vm.disks import alignment

SECTOR = 512
SIGNATURE = b"\x55\xaa"


class Image:
    def __init__(self, sectors: int = 4096) -> None:
        self.data = bytearray(sectors * SECTOR)

    def table(self, sector: int, *entries: tuple[int, int]) -> None:
        """(type, first sector)"""
        for number, (kind, start) in enumerate(entries):
            at = sector * SECTOR + 446 + 16 * number
            self.data[at + 4] = kind
            struct.pack_into("<I", self.data, at + 8, start)
        self.data[sector * SECTOR + 510 : sector * SECTOR + 512] = SIGNATURE

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.data[offset : offset + length])


def test_primary_partitions_are_judged_by_their_first_byte() -> None:
    image = Image()
    image.table(0, (0x83, 63), (0x83, 2048), (0, 0), (0x83, 128))
    assert alignment.verdicts(image.read) == {"/dev/sda1": False, "/dev/sda2": True, "/dev/sda4": True}


def test_logical_partitions_count_from_their_own_table() -> None:
    image = Image()
    image.table(0, (0x05, 1000))
    image.table(1000, (0x83, 24), (0x05, 500))
    image.table(1500, (0x83, 63))
    found = dict(alignment.starts(image.read))
    assert found == {1: 1000 * SECTOR, 5: 1024 * SECTOR, 6: 1563 * SECTOR}


def test_circle_of_logical_partitions_ends() -> None:
    image = Image()
    image.table(0, (0x05, 1000))
    image.table(1000, (0x83, 24), (0x05, 0))
    assert len(alignment.verdicts(image.read)) == 2


def test_gpt_partitions_are_found_where_the_header_says() -> None:
    image = Image()
    image.table(0, (0xEE, 1))
    image.data[SECTOR : SECTOR + 8] = b"EFI PART"
    struct.pack_into("<QII", image.data, SECTOR + 72, 5, 128, 128)
    for number, start in ((0, 2048), (3, 34)):
        at = 5 * SECTOR + number * 128
        image.data[at : at + 16] = b"x" * 16
        struct.pack_into("<Q", image.data, at + 32, start)
    assert alignment.verdicts(image.read) == {"/dev/sda1": True, "/dev/sda4": False}


def test_disk_without_a_table_has_no_partitions() -> None:
    assert alignment.verdicts(Image().read) == {}
    assert alignment.verdicts(lambda offset, length: b"") == {}


def test_gpt_that_lies_about_itself_is_bounded() -> None:
    image = Image()
    image.table(0, (0xEE, 1))
    image.data[SECTOR : SECTOR + 8] = b"EFI PART"
    struct.pack_into("<QII", image.data, SECTOR + 72, 2, 0xFFFFFFFF, 4096)
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return image.read(offset, length)

    alignment.verdicts(read)
    assert max(asked) <= 128 * 4096
