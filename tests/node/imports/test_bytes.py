"""Whatever bytes arrive: an answer or a refusal, never another error."""

import tarfile
import tempfile
from pathlib import Path

from archives import OvfDisk, member, ovf, qcow2_header, tar_of, vmdk_header
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ovis.node.errors import BadParameter
from ovis.node.imports import headers, tar
from ovis.node.imports import ovf as description
from ovis.node.imports.errors import NoDescription
from ovis.node.imports.ova import Ova


def an_archive(format: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        name = "a-long-name/" * 12 + "é.vmdk" if format != tarfile.USTAR_FORMAT else "a.vmdk"
        path = tar_of(Path(folder) / "a", member("vm.ovf", b"x" * 700), member(name, b"y"), format=format)
        return path.read_bytes()[:6144]


ARCHIVES = [an_archive(format) for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]
CHANGES = st.lists(st.tuples(st.integers(0, 6143), st.integers(0, 255)), max_size=8)


def repaired(data: bytearray) -> bytes:
    """With right checksums in each block that looks like a header, so that what is behind the check is reached."""
    for at in range(0, len(data) - 511, 512):
        if data[at + 257 : at + 262] == b"ustar":
            block = data[at : at + 512]
            block[148:156] = b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(block)
    return bytes(data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ARCHIVES), CHANGES, st.integers(0, 6144), st.booleans())
def test_changed_archives(archive: bytes, changes: list[tuple[int, int]], length: int, repair: bool) -> None:
    data = bytearray(archive)
    for at, value in changes:
        if at < len(data):
            data[at] = value
    written = (repaired(data) if repair else bytes(data))[:length]
    with tempfile.NamedTemporaryFile() as file:
        file.write(written)
        file.flush()
        try:
            with Ova(file.name) as found:
                found.description()
        except (BadParameter, NoDescription):
            return
        for name in found._names:
            assert not name.startswith("/")
            assert ".." not in name.split("/")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([qcow2_header(), vmdk_header()]), st.dictionaries(st.integers(0, 110), st.integers(0, 255)))
@example(qcow2_header(), {15: 1})
def test_changed_headers(header: bytes, changes: dict[int, int]) -> None:
    data = bytearray(header)
    for at, value in changes.items():
        data[at] = value
    try:
        found = headers.check(lambda at, count: bytes(data[at : at + count]), "disk", None)
    except BadParameter:
        return
    assert found.size is not None
    assert 0 < found.size <= headers.LARGEST
    if found.driver == "qcow2":
        assert data[8:16] == bytes(8)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2500), st.text(max_size=30), st.integers(0, 40))
def test_changed_descriptions(at: int, put: str, cut: int) -> None:
    text = ovf(OvfDisk("a.vmdk", 1, 7))
    try:
        description.read(text[:at] + put + text[at + cut :], "a.ova")
    except BadParameter:
        return


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            tar.members(file.fileno(), "a.ova")
        except BadParameter:
            return
