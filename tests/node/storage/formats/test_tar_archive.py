import io
import tarfile

import pytest
from golden_files import golden
from hypothesis import given
from hypothesis import strategies as st

from ovis.node.storage.formats import tar_archive
from ovis.node.storage.formats.errors import Broken, TooLong

names = st.from_regex(r"[a-z0-9.-]{1,100}", fullmatch=True)
files = st.dictionaries(names, st.binary(max_size=1500), max_size=4)


def by_tarfile(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def of_tarfile(member: tarfile.TarInfo, content: bytes = b"", *, format: int = tarfile.USTAR_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=format) as archive:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


@given(files)
def test_what_is_written_is_read_here_and_by_others(content: dict[str, bytes]) -> None:
    data = tar_archive.write(content, modified=1795172644)
    assert len(data) % 512 == 0
    assert tar_archive.read(data) == by_tarfile(data) == content


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
def test_archives_of_others_are_read(format: int) -> None:
    assert tar_archive.read(of_tarfile(tarfile.TarInfo("a"), b"x" * 513, format=format)) == {"a": b"x" * 513}


def test_what_is_behind_the_closing_zeros_is_passed_over() -> None:
    assert tar_archive.read(tar_archive.write({"a": b"b"}, modified=0) + b"rest of the volume") == {"a": b"b"}


@given(files)
def test_an_archive_cut_anywhere_is_refused(content: dict[str, bytes]) -> None:
    data = tar_archive.write(content, modified=0)
    for cut in range(0, len(data), 97):
        with pytest.raises(Broken):
            tar_archive.read(data[:cut])


def test_an_archive_made_by_tar_is_refused_wherever_it_is_cut() -> None:
    data = golden("ovf_store.tar")
    for cut in range(len(data)):
        with pytest.raises(Broken):
            tar_archive.read(data[:cut])


def test_an_archive_cut_within_a_file_names_it() -> None:
    with pytest.raises(Broken, match="ends within 'a'"):
        tar_archive.read(tar_archive.write({"a": b"x" * 600}, modified=0)[:1024])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind: bytes) -> None:
    member = tarfile.TarInfo("a")
    member.type = kind
    member.linkname = "/etc/passwd"
    with pytest.raises(Broken) as refusal:
        tar_archive.read(of_tarfile(member))
    assert refusal.value.where == "byte 156"


def test_long_names_in_extended_headers_are_refused() -> None:
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with pytest.raises(Broken):
            tar_archive.read(of_tarfile(tarfile.TarInfo("a" * 200), format=format))


def test_a_damaged_header_is_named_by_its_byte() -> None:
    data = tar_archive.write({"a": b"", "b": b""}, modified=0)
    with pytest.raises(Broken) as refusal:
        tar_archive.read(data[:512] + b"c" + data[513:])
    assert refusal.value.where == "byte 660"


def test_a_file_twice_is_refused() -> None:
    one = tar_archive.write({"a": b""}, modified=0)
    with pytest.raises(Broken):
        tar_archive.read(one[:512] + one)


def test_names_that_do_not_fit_are_not_written() -> None:
    with pytest.raises(TooLong):
        tar_archive.write({"a" * 101: b""}, modified=0)
    with pytest.raises(Broken):
        tar_archive.write({"é": b""}, modified=0)
