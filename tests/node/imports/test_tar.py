import os
import tarfile
from pathlib import Path

import pytest
from archives import member, tar_of

from ovis.node.imports import tar
from ovis.node.imports.errors import BadArchive


def read(path: Path) -> dict[str, tar.Member]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return tar.members(descriptor, "a.ova")
    finally:
        os.close(descriptor)


def content(path: Path, found: tar.Member) -> bytes:
    return path.read_bytes()[found.offset : found.offset + found.size]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_found_where_they_are(tmp_path: Path, format: int) -> None:
    long = "long-" * 30 + ".vmdk"
    names = ["vm.ovf", "disk.vmdk"] if format == tarfile.USTAR_FORMAT else ["vm.ovf", long, "disk.vmdk"]
    path = tar_of(tmp_path / "a.ova", *(member(name, name.encode() * 100) for name in names), format=format)
    found = read(path)
    assert list(found) == names
    for name in names:
        assert content(path, found[name]) == name.encode() * 100


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "character device"),
        (tarfile.BLKTYPE, "block device"),
        (tarfile.FIFOTYPE, "FIFO"),
        (b"Z", "unknown type"),
    ],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes, said: str) -> None:
    path = tar_of(tmp_path / "a.ova", member("vm.ovf"), member("disk", type=kind, linkname="/etc/shadow"))
    with pytest.raises(BadArchive, match=said):
        read(path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.vmdk", "a/../../up.vmdk", "..", "a\\..\\b", "tab\there"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArchive, match="refused"):
        read(tar_of(tmp_path / "a.ova", member(name, b"x")))


def test_a_name_in_a_pax_record_is_checked_as_well(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.ova", member("../" * 60 + "é"), format=tarfile.PAX_FORMAT)
    with pytest.raises(BadArchive, match="leads out"):
        read(path)


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    for size in (0, 100, 512 + 5120):
        path = tar_of(tmp_path / "a.ova", member("vm.ovf", bytes(5000)))
        os.truncate(path, size)
        with pytest.raises(BadArchive, match="cut off"):
            read(path)


def test_a_member_longer_than_the_archive_is_refused(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.ova", member("disk", bytes(5000)))
    os.truncate(path, 3000)
    with pytest.raises(BadArchive, match="shall have 5000 bytes"):
        read(path)


def test_a_pax_size_that_lies_is_refused(tmp_path: Path) -> None:
    info, data = member("disk", b"x" * 600)
    info.pax_headers = {"size": str(1 << 50)}
    path = tmp_path / "a.ova"
    path.write_bytes(info.tobuf(tarfile.PAX_FORMAT) + data.ljust(1024, b"\0") + bytes(1024))
    with pytest.raises(BadArchive, match="shall have"):
        read(path)


@pytest.mark.parametrize("key", ["GNU.sparse.realsize", "GNU.sparse.major"])
def test_sparse_members_are_refused(tmp_path: Path, key: str) -> None:
    info, data = member("disk", b"x")
    info.pax_headers = {key: "1099511627776"}
    with pytest.raises(BadArchive, match="sparse"):
        read(tar_of(tmp_path / "a.ova", (info, data), format=tarfile.PAX_FORMAT))


def test_old_sparse_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="sparse"):
        read(tar_of(tmp_path / "a.ova", member("disk", type=tarfile.GNUTYPE_SPARSE)))


def test_huge_header_records_are_not_read(tmp_path: Path) -> None:
    info, data = member("disk", b"x")
    info.pax_headers = {"comment": "x" * (tar.RECORD_LIMIT + 1)}
    with pytest.raises(BadArchive, match="header record"):
        read(tar_of(tmp_path / "a.ova", (info, data), format=tarfile.PAX_FORMAT))


def test_damaged_pax_records_are_refused(tmp_path: Path) -> None:
    for record in (b"9999 path=x\n", b"0 path=x\n", b"no number\n", b"8 pathx\n", b"12 size=-5\n "):
        head, data = member("x", record)
        head.type = tarfile.XHDTYPE
        path = tmp_path / "a.ova"
        path.write_bytes(head.tobuf(tarfile.USTAR_FORMAT) + data.ljust(512, b"\0") + bytes(1024))
        with pytest.raises(BadArchive, match=r"pax|size"):
            read(path)


def test_too_many_and_doubled_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="twice"):
        read(tar_of(tmp_path / "a.ova", member("x"), member("./x")))
    with pytest.raises(BadArchive, match="more than"):
        read(tar_of(tmp_path / "b.ova", *(member(f"m{n}") for n in range(tar.MEMBERS + 1))))


def test_damage_and_other_files_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.ova"
    path.write_bytes(os.urandom(2048))
    with pytest.raises(BadArchive, match="no tar archive"):
        read(path)
    tar_of(path, member("vm.ovf", b"x" * 600), member("y"))
    data = bytearray(path.read_bytes())
    data[512 + 1024 + 10] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadArchive, match="header at byte 1536 is damaged"):
        read(path)


def test_sizes_beyond_octal_are_read(tmp_path: Path) -> None:
    """GNU tar writes 8 GiB and more in binary; the content of this one is a hole."""
    info = tarfile.TarInfo("big.vmdk")
    info.size = 9 << 30
    path = tmp_path / "a.ova"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT))
    os.truncate(path, 512 + (9 << 30) + 1024)
    assert read(path)["big.vmdk"].size == 9 << 30
