"""What the first bytes of an image say, hostile ones included."""

import struct
from pathlib import Path

import pytest
from disk_host import write_qcow2

from ovis.node.vm.disks import image_header
from ovis.node.vm.disks.image_header import BadImage, ImageHeader


def test_qcow2_tells_size_and_backing_file(tmp_path: Path) -> None:
    path = tmp_path / "image"
    write_qcow2(path, size=1 << 30, backing="base")
    header = image_header.read(str(path))
    assert header == ImageHeader("qcow2", 1 << 30, "base")
    assert image_header.backing_path(str(path), header) == str(tmp_path / "base")


def test_anything_else_is_raw_of_its_own_length(tmp_path: Path) -> None:
    path = tmp_path / "image"
    for size in (0, 3, 4096):
        path.write_bytes(bytes(size))
        assert image_header.read(str(path)) == ImageHeader("raw", size)


def test_external_data_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "image"
    write_qcow2(path)
    data = bytearray(path.read_bytes())
    struct.pack_into(">Q", data, 72, 4)
    path.write_bytes(data)
    assert image_header.read(str(path)).has_external_data


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [(4, 7, "version 7"), (16, 5000, "has 5000 bytes"), (16, 1000, "is cut off"), (12, 1 << 30, "at 1073741824")],
)
def test_header_that_contradicts_itself_is_refused(tmp_path: Path, at: int, value: int, words: str) -> None:
    path = tmp_path / "image"
    write_qcow2(path, backing="base")
    data = bytearray(path.read_bytes())
    struct.pack_into(">I", data, at, value)
    path.write_bytes(data)
    with pytest.raises(BadImage, match=words):
        image_header.read(str(path))


def test_cut_off_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"QFI\xfb" + bytes(20))
    with pytest.raises(BadImage, match="cut off"):
        image_header.read(str(path))


@pytest.mark.parametrize("name", ["nbd://host/x", "json:{}", "ssh:host", "a\0b"])
def test_backing_file_that_is_no_path_is_refused(name: str) -> None:
    with pytest.raises(BadImage, match="no path"):
        image_header.backing_path("/images/a", ImageHeader("qcow2", 1, name))
