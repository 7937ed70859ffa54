"""The images that are made for VMs, read by programs that others wrote; and what is refused."""

import ctypes
import ctypes.util
import shutil
import subprocess
from pathlib import Path

import pytest

from ovis.node.errors import BadParameter
from ovis.node.vm.payloads import floppy, iso
from ovis.node.vm.payloads.media import usual_label
from ovis.node.vm.payloads.tree import SIZE_LIMIT, tree

FILES = {
    "user-data": b"#cloud-config\n" * 300,
    "meta-data": b"",
    "openstack/latest/meta_data.json": b"{}",
    "openstack/latest/user_data": b"x" * 2048,
    "A file with a long name.and.dots": b"z" * 5000,
    "umläut.txt": b"u",
    **{f"many/file-number-{number:03}-of-many.txt": str(number).encode() for number in range(60)},
}


class Archive:
    """libarchive reads ISO 9660 and Joliet."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("archive")
        if name is None:
            pytest.skip("libarchive is not installed")
        self._lib = ctypes.CDLL(name)
        self._lib.archive_read_new.restype = ctypes.c_void_p
        self._lib.archive_entry_pathname_w.restype = ctypes.c_wchar_p
        self._lib.archive_entry_pathname_w.argtypes = [ctypes.c_void_p]
        self._lib.archive_entry_size.restype = ctypes.c_int64
        self._lib.archive_entry_size.argtypes = [ctypes.c_void_p]

    def read(self, image: Path) -> dict[str, bytes]:
        handle = ctypes.c_void_p(self._lib.archive_read_new())
        self._lib.archive_read_support_format_iso9660(handle)
        assert self._lib.archive_read_open_filename(handle, str(image).encode(), 10240) == 0
        entry = ctypes.c_void_p()
        found = {}
        while self._lib.archive_read_next_header(handle, ctypes.byref(entry)) == 0:
            size = self._lib.archive_entry_size(entry)
            data = ctypes.create_string_buffer(max(size, 1))
            self._lib.archive_read_data(handle, data, ctypes.c_size_t(size))
            found[str(self._lib.archive_entry_pathname_w(entry))] = data.raw[:size]
        return found


def test_a_cd_holds_its_files_under_their_long_names(tmp_path: Path) -> None:
    image = tmp_path / "cd"
    image.write_bytes(iso.write(tree(FILES, "f"), "config-2"))
    found = Archive().read(image)
    assert {path: found.get(path) for path in FILES} == FILES
    assert iso.write(tree(FILES, "f"), "config-2") == image.read_bytes()


def test_a_floppy_holds_its_files_and_is_sound(tmp_path: Path) -> None:
    if not (shutil.which("fsck.fat") and shutil.which("mcopy")):
        pytest.skip("dosfstools and mtools are not installed")
    image = tmp_path / "floppy"
    image.write_bytes(floppy.write(tree(FILES, "f"), "cidata", "f"))
    assert image.stat().st_size == 1440 * 1024
    subprocess.run(["fsck.fat", "-n", image], check=True, capture_output=True, timeout=20)
    out = tmp_path / "out"
    out.mkdir()
    environment = {"MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    subprocess.run(
        ["mcopy", "-s", "-i", image, "::", out], check=True, capture_output=True, timeout=20, env=environment
    )  # fmt: skip
    copied = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    plain = {path: data for path, data in FILES.items() if path.isascii()}
    assert {path: copied.get(path) for path in plain} == plain


@pytest.mark.parametrize(
    "path", ["../x", "a/../b", "", "/", "a//b", "x" * 65, "a\nb", "a\0", "a:b", "/".join("abcdefghi"), "\U0001f600"]
)
def test_a_path_that_does_not_belong_on_a_medium_is_refused(path: str) -> None:
    with pytest.raises(BadParameter):
        tree({path: b""}, "f")


def test_too_much_is_refused() -> None:
    with pytest.raises(BadParameter, match="MiB together"):
        tree({"a": bytes(SIZE_LIMIT + 1)}, "f")
    with pytest.raises(BadParameter, match="too many"):
        tree({str(number): b"" for number in range(1001)}, "f")
    with pytest.raises(BadParameter, match="do not fit"):
        floppy.write(tree({"a": bytes(1500 * 1024)}, "f"), "", "f")
    with pytest.raises(BadParameter, match="first folder"):
        floppy.write(tree({f"file-{number}": b"" for number in range(200)}, "f"), "", "f")
    for twice in ({"a": b"", "A": b""}, {"a": b"", "a/b": b""}):
        with pytest.raises(BadParameter):
            tree(twice, "f")


def test_the_label_is_the_one_that_cloud_init_looks_for() -> None:
    assert usual_label(["user-data", "meta-data"]) == "cidata"
    assert usual_label(["/openstack/latest/user_data"]) == "config-2"
