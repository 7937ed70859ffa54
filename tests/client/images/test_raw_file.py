"""Files of this machine are written past the page cache where they can be, and the same arrives where they cannot."""

import errno
import mmap
import os
from pathlib import Path

import pytest

from ovis.client.images import raw_file
from ovis.client.images.raw_file import RawFile

BLOCK = 4096


def written(path: Path, pieces: list[tuple[int, int]]) -> None:
    """Each from an aligned buffer: where, how many bytes. What it holds is compared."""
    buffer = memoryview(mmap.mmap(-1, 4 * BLOCK))
    buffer[:] = os.urandom(4 * BLOCK)
    io = RawFile.create(path, 8 * BLOCK).open()
    for offset, length in pieces:
        io.write(offset, buffer[:length])
    io.flush()
    io.close()
    content = path.read_bytes()
    assert len(content) == 8 * BLOCK
    for offset, length in pieces:
        assert content[offset : offset + length] == buffer[:length]


PIECES = [(0, 2 * BLOCK), (2 * BLOCK, 100), (3 * BLOCK + 1, BLOCK), (6 * BLOCK, 2 * BLOCK)]


def test_whole_blocks_and_others_arrive(tmp_path: Path) -> None:
    written(tmp_path / "disk", PIECES)


@pytest.mark.parametrize("refuses", ["open", "write"])
def test_storage_without_direct_io_takes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "not here")

    if refuses == "open":
        monkeypatch.setattr(raw_file, "_direct", lambda path, flags: None)
    else:
        real, direct = os.pwrite, set()

        def opened(path: Path, flags: int) -> int:
            direct.add(found := os.open(path, flags))
            return found

        monkeypatch.setattr(raw_file, "_direct", opened)
        monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: refuse() if fd in direct else real(fd, data, offset))
    written(tmp_path / "disk", PIECES)


def test_a_full_file_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    io = RawFile.create(tmp_path / "disk", 8 * BLOCK).open()
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="full"):
        io.write(0, memoryview(bytes(BLOCK)))
    io.close()
