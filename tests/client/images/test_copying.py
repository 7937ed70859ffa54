from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovis.client.images.checksum import checksum
from ovis.client.images.copying import CHUNK, Journal, any_data, copy
from ovis.client.images.image import Extent, ImageError, merged
from ovis.client.images.nbd_image import qemu_nbd
from ovis.client.images.raw_file import RawFile, RawIo
from tests.client.images.disks import MIB, SIZE, content, sparse_file


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return sparse_file(tmp_path / "source")


def qcow2(path: Path, size: int = SIZE) -> Path:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(size)], check=True)
    return path


def test_file_arrives_with_its_holes(source: Path, tmp_path: Path) -> None:
    told: list[int] = []
    copy(RawFile(source), RawFile.create(tmp_path / "new", SIZE), target_is_zero=True, on_progress=told.append)
    assert (tmp_path / "new").read_bytes() == content()
    assert (tmp_path / "new").stat().st_blocks * 512 <= 2 * CHUNK + 10 * MIB
    assert sum(told) == SIZE


def test_what_was_there_is_overwritten_and_the_rest_is_zeros(source: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"x" * (SIZE + MIB))
    copy(RawFile(source), RawFile(old, is_writable=True))
    assert old.read_bytes() == content() + bytes(MIB)


def test_target_that_is_too_small_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="source"):
        copy(RawFile(source), RawFile.create(tmp_path / "new", SIZE - 512))


def test_there_and_back_through_qcow2(source: Path, tmp_path: Path) -> None:
    disk = qcow2(tmp_path / "disk", SIZE + 512)  # of whole clusters or not: sizes are multiples of 512 there
    with qemu_nbd(disk, "qcow2", is_writable=True) as image:
        copy(RawFile(source), image, target_is_zero=True)
    with qemu_nbd(disk, "qcow2") as image:
        extents = list(image.extents())
        assert extents[-1].end == image.size == SIZE + 512
        copy(image, RawFile.create(tmp_path / "back", image.size), target_is_zero=True)
    assert (tmp_path / "back").read_bytes() == content() + bytes(512)
    assert any(extent.is_zero and extent.length > 5 * MIB for extent in extents)


def test_zeros_reach_a_qcow2_that_holds_something(tmp_path: Path) -> None:
    disk = qcow2(tmp_path / "disk")
    (tmp_path / "full").write_bytes(b"x" * SIZE)
    (tmp_path / "empty").touch()
    (tmp_path / "empty").open("r+b").truncate(SIZE)
    with qemu_nbd(disk, "qcow2", is_writable=True) as image:
        copy(RawFile(tmp_path / "full"), image)
        copy(RawFile(tmp_path / "empty"), image)
        copy(image, RawFile.create(tmp_path / "back", SIZE))
    assert not any((tmp_path / "back").read_bytes())


def test_file_of_another_format_is_refused(source: Path) -> None:
    with pytest.raises(ImageError, match="qcow2"), qemu_nbd(source, "qcow2"):
        pass


class Failing(RawFile):
    """Ends after some pieces, as a lost connection does."""

    def __init__(self, path: Path, pieces: int) -> None:
        super().__init__(path, is_writable=True)
        self.pieces = pieces

    def open(self) -> RawIo:
        image = self

        class Io(RawIo):
            def write(self, offset: int, data: memoryview) -> None:
                if image.pieces == 0:
                    raise ImageError("lost")
                image.pieces -= 1
                super().write(offset, data)

        return Io(self.path, self._flags)


def test_failed_copy_goes_on_where_it_ended(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovis.client.images.copying.FLUSH_SECONDS", 0.0)
    target, path = RawFile.create(tmp_path / "new", SIZE), tmp_path / "journal"
    journal = Journal(path, "one")
    with pytest.raises(ImageError, match="lost"):
        copy(RawFile(source), Failing(target.path, 2), journal=journal, workers=1, target_is_zero=True)
    journal.close()
    with path.open("a") as file:
        file.write("839")  # a torn line
    journal = Journal(path, "one")
    assert len(journal.done) >= 2
    told: list[int] = []
    copy(RawFile(source), target, journal=journal, target_is_zero=True, on_progress=told.append)
    assert (tmp_path / "new").read_bytes() == content()
    assert sum(told) == SIZE
    journal.remove()
    assert not path.exists()


def test_journal_of_another_copy_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", "one").close()
    with pytest.raises(ImageError, match="another"):
        Journal(tmp_path / "journal", "two")


def test_empty_image_of_eight_tebibytes_takes_no_time(tmp_path: Path) -> None:
    size = 8 << 40
    told: list[int] = []
    empty, new = qcow2(tmp_path / "empty", size), qcow2(tmp_path / "new", size)
    with qemu_nbd(empty, "qcow2") as source, qemu_nbd(new, "qcow2", is_writable=True) as target:
        copy(source, target, target_is_zero=True, on_progress=told.append)
    assert sum(told) == size


def test_checksum_is_that_of_all_blocks(source: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.write_bytes(content())
    assert checksum(RawFile(source)) == checksum(RawFile(full))
    full.write_bytes(content()[:-1] + b"?")
    assert checksum(RawFile(source)) != checksum(RawFile(full))


def test_neighbours_are_merged() -> None:
    def some() -> Iterator[Extent]:
        yield from (Extent(0, 5, True), Extent(5, 0, False), Extent(5, 5, True), Extent(10, 1, False))

    assert list(merged(some())) == [Extent(0, 10, True), Extent(10, 1, False)]


@pytest.mark.parametrize("length", [1, 63, 64, 65, CHUNK])
def test_any_byte_is_found(length: int) -> None:
    data = bytearray(length)
    assert not any_data(memoryview(data))
    data[-1] = 1
    assert any_data(memoryview(data))
