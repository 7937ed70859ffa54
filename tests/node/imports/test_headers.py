from collections.abc import Callable
from pathlib import Path

import pytest
from archives import image, qcow2_header, raw_disk, stream_vmdk, vmdk_header

from ovis.node.imports import headers
from ovis.node.imports.errors import BadDisk


def reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda at, count: data[at : at + count]


def check(data: bytes, announced: str | None = None) -> headers.Header:
    return headers.check(reader(data), "disk", announced)


def test_honest_images_pass(tmp_path: Path) -> None:
    raw = raw_disk(tmp_path / "raw")
    size = raw.stat().st_size
    assert check(image(raw, tmp_path / "q", "qcow2").read_bytes()) == headers.Header("qcow2", size)
    assert check(image(raw, tmp_path / "q2", "qcow2", "-o", "compat=0.10").read_bytes()).size == size
    assert check(image(raw, tmp_path / "qz", "qcow2", "-c", "-o", "compression_type=zstd").read_bytes()).size == size
    assert check(stream_vmdk(raw, tmp_path / "v").read_bytes()) == headers.Header("vmdk", size)
    assert check(image(raw, tmp_path / "s", "vmdk").read_bytes(), "vmdk").size == size


def test_raw_is_raw_whatever_a_guest_has_written() -> None:
    assert check(qcow2_header(backing=512), "raw") == headers.Header("raw", None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (qcow2_header(backing=512), "backing file"),
        (qcow2_header(features=4), "external data file"),
        (qcow2_header(features=2), "corrupt"),
        (qcow2_header(features=1 << 40), "not supported"),
        (qcow2_header(encryption=2), "encrypted"),
        (qcow2_header(version=9), "version 9"),
        (qcow2_header(size=headers.LARGEST + 1), "cannot have"),
        (qcow2_header(size=0), "cannot have"),
        (qcow2_header()[:80], "cut off"),
        (vmdk_header(capacity=0), "lists other files"),
        (vmdk_header(capacity=1 << 60), "cannot have"),
        (vmdk_header(version=7), "version 7"),
        (vmdk_header(sectors=1 << 40), "descriptor"),
        (vmdk_header(descriptor=b'CID=1\nParentFileNameHint="/etc/shadow"\n'), "parent"),
        (b'# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0\n', "list of other files"),
        (b"COWD" + bytes(600), "ESX sparse"),
        (b"vhdxfile" + bytes(600), "VHDX"),
        (bytes(4096), "neither"),
        (b"", "neither"),
    ],
)
def test_images_that_must_not_be_opened_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(BadDisk, match=said):
        check(data)


def test_another_format_than_announced_is_refused() -> None:
    with pytest.raises(BadDisk, match="announced as vmdk"):
        check(qcow2_header(), "vmdk")
