import os
import tarfile
from pathlib import Path

import pytest

from ovis.node.exports.archive import ALIGNED, Archive, header
from ovis.node.exports.errors import ExportFailed
from ovis.node.imports import tar

GIB = 1 << 30


@pytest.mark.parametrize("size", [0, 1, 8 * GIB - 1, 8 * GIB, 64 << 40])
def test_sizes_are_read_as_they_were_written(size: int) -> None:
    read = tarfile.TarInfo.frombuf(header("disk", size, 1.9), "ascii", "strict")
    assert (read.name, read.size, read.mtime, read.isreg()) == ("disk", size, 1, True)


def test_disks_begin_at_whole_blocks_and_end_where_their_content_ends(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    archive = Archive(descriptor, description_limit=5000, made=0)
    starts = []
    for content in (b"x" * 70000, b"", b"z"):
        starts.append(archive.begin_disk())
        os.pwrite(descriptor, content, starts[-1])
        archive.end_disk(f"disk-{len(starts)}")
    archive.add("list", b"123")
    archive.finish(archive.padded(b"<a/>"))
    assert [start % ALIGNED for start in starts] == [0, 0, 0]
    found = tar.members(descriptor, "a")
    assert list(found) == ["vm.ovf", "disk-1", "disk-2", "disk-3", "list"]
    assert [found[f"disk-{n + 1}"].offset for n in range(3)] == starts
    assert os.pread(descriptor, 70000, starts[0]) == b"x" * 70000
    assert os.pread(descriptor, 3, found["list"].offset) == b"123"
    assert os.pread(descriptor, found["vm.ovf"].size, 512).strip() == b"<a/>"


def test_a_description_that_has_no_room_is_an_error(tmp_path: Path) -> None:
    archive = Archive(os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT), description_limit=10, made=0)
    with pytest.raises(ExportFailed, match="there is room for"):
        archive.padded(bytes(5000))
