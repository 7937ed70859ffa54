import gzip
from pathlib import Path

import pytest

from deploy.guest import initramfs
from deploy.guest.kernel_modules import ModuleMissing, load_order


def module(folder: Path, name: str, depends: str) -> None:
    (folder / f"{name}.ko").write_bytes(b"\x7fELF...\0license=GPL\0depends=" + depends.encode() + b"\0name=x\0")


def names(archive: bytes) -> list[str]:
    """Entry names, read the way the kernel does."""
    found, at = [], 0
    while True:
        header = archive[at : at + 110]
        assert header[:6] == b"070701"
        size, name_size = int(header[54:62], 16), int(header[94:102], 16)
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        if name == "TRAILER!!!":
            return found
        found.append(name)
        at += -(-(110 + name_size) // 4) * 4 + -(-size // 4) * 4


def test_archive_holds_entries_after_their_parents(tmp_path: Path) -> None:
    initramfs.write(
        tmp_path / "a", [initramfs.file("etc/net/hosts", b"12345"), initramfs.link("bin/sh", "/bin/busybox")]
    )
    assert names(gzip.decompress((tmp_path / "a").read_bytes())) == ["bin", "bin/sh", "etc", "etc/net", "etc/net/hosts"]


def test_equal_entries_give_equal_bytes(tmp_path: Path) -> None:
    entries = [initramfs.file("init", b"#!/bin/sh\n", 0o755), initramfs.directory("dev")]
    initramfs.write(tmp_path / "a", entries)
    initramfs.write(tmp_path / "b", entries[::-1])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_name_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="init"):
        initramfs.write(tmp_path / "a", [initramfs.file("init", b"1"), initramfs.file("init", b"2")])


def test_modules_load_after_what_they_depend_on(tmp_path: Path) -> None:
    module(tmp_path, "virtio_net", "virtio-ring,net_failover")
    module(tmp_path, "virtio_ring", "")
    module(tmp_path, "net_failover", "failover")
    module(tmp_path, "failover", "")
    order = [path.stem for path in load_order(tmp_path, ["virtio-net", "virtio_ring"])]
    assert order == ["virtio_ring", "failover", "net_failover", "virtio_net"]


def test_absent_module_is_named(tmp_path: Path) -> None:
    module(tmp_path, "ext4", "jbd2")
    with pytest.raises(ModuleMissing, match="jbd2"):
        load_order(tmp_path, ["ext4"])
