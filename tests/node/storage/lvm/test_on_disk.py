"""The sequence number of a group on a disk."""

import asyncio
import struct
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovis.node.storage.lvm import on_disk

UUID = "JmQ2wE-r5Ty-7uIo-9pAs-1dFg-3hJk-4lZxCv"
AREA = (4096, 128 << 20)
DISK = PurePosixPath("/dev/mapper/disk")


def disk(*, seqno: int = 7, offset: int = 512, kind: bytes = b"LVM2 001", magic: bytes = b" LVM2 x[5A%r0N*>") -> bytes:
    """The first 64 KiB of a disk that LVM has written."""
    content = bytearray(1 << 16)
    struct.pack_into("<8sQII8s", content, 512, b"LABELONE", 1, 0, 32, kind)
    struct.pack_into("<32sQ", content, 544, b"x" * 32, 16 << 30)
    areas = [(129 << 20, 0), (0, 0), AREA, (15 << 30, 128 << 20), (0, 0)]
    for number, area in enumerate(areas):
        struct.pack_into("<QQ", content, 584 + 16 * number, *area)
    struct.pack_into("<I16sIQQ", content, 4096, 0, magic, 1, *AREA)
    struct.pack_into("<QQII", content, 4136, offset, 1000, 0, 0)
    text = f'9d8c7b6a {{\nid = "{UUID}"\nseqno = {seqno}\nformat = "lvm2"\n'.encode()
    content[4096 + offset : 4096 + offset + len(text)] = text
    return bytes(content)


def sequence(content: bytes, uuid: str = UUID) -> int | None:
    async def read(device: PurePosixPath, offset: int, size: int) -> bytes:
        assert (device, offset % 4096, size % 4096) == (DISK, 0, 0)
        return content[offset : offset + size]

    return asyncio.run(on_disk.sequence(read, DISK, uuid))


@pytest.mark.parametrize("offset", [512, 4096, 7680, 40960])
def test_it_is_read_wherever_the_text_lies(offset: int) -> None:
    assert sequence(disk(offset=offset, seqno=41)) == 41


@pytest.mark.parametrize(
    "content",
    [b"", bytes(1 << 16), disk(kind=b"LVM1 001"), disk(magic=b"something else.."), disk(offset=0), disk()[:4096]],
)
def test_anything_odd_is_not_known(content: bytes) -> None:
    assert sequence(content) is None


def test_another_group_is_not_this_one() -> None:
    assert sequence(disk(), "another") is None


@given(st.binary(min_size=40, max_size=200), st.integers(0, 8000))
def test_noise_never_breaks_it(noise: bytes, at: int) -> None:
    content = bytearray(disk())
    content[at : at + len(noise)] = noise
    found = sequence(bytes(content))
    assert found is None or found >= 0
