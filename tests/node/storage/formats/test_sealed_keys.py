import hashlib

import pytest
from golden_files import DOMAIN, golden
from hypothesis import given, settings
from hypothesis import strategies as st
from values import texts, torn

from ovis.node.storage.formats import sealed_keys
from ovis.node.storage.formats.errors import Broken, SealBroken

key_names = st.from_regex(r"[A-Z_][A-Z0-9_]{0,12}", fullmatch=True).filter(lambda key: key != sealed_keys.SEAL)
tables = st.dictionaries(key_names, texts(40), max_size=6)


def test_a_file_written_by_hand_is_read() -> None:
    keys = sealed_keys.read(golden("file_domain_v4.metadata"))
    assert keys["DESCRIPTION"] == "étage 1"
    assert keys["SDUUID"] == DOMAIN
    assert keys["LOCKPOLICY"] == ""
    assert sealed_keys.SEAL not in keys


def test_it_is_written_back_to_the_byte() -> None:
    data = golden("file_domain_v4.metadata")
    assert sealed_keys.write(sealed_keys.read(data)) == data


def test_the_seal_is_sha1_of_sorted_lines_without_their_ends() -> None:
    keys = {"B": "2=", "A": "é"}
    assert sealed_keys.checksum(keys) == hashlib.sha1(b"A=&#233;B=2=").hexdigest()


@given(tables)
def test_what_is_written_is_read(keys: dict[str, str]) -> None:
    assert sealed_keys.read(sealed_keys.write(keys)) == keys


@settings(max_examples=60, deadline=None)
@given(tables, tables)
def test_a_torn_write_shows_the_old_the_new_or_is_refused(old: dict[str, str], new: dict[str, str]) -> None:
    for data in torn(sealed_keys.write(old), sealed_keys.write(new)):
        try:
            assert sealed_keys.read(data) in (old, new)
        except Broken:
            continue


def test_every_prefix_of_a_file_but_the_whole_is_refused() -> None:
    data = golden("file_domain_v4.metadata")
    assert data.endswith(b"\n")
    for cut in range(len(data) - 1):
        with pytest.raises(Broken):
            sealed_keys.read(data[:cut])


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "_SHA_CKSUM"),
        (b"A=1\n", "_SHA_CKSUM"),
        (b"A=1\nno equals sign\n", "'no equals sign'"),
        (b"A=1\nA=2\n", "A"),
        (b"A=1\nB=\xff\n", "byte 6"),
        (b"A=1\n_SHA_CKSUM=00\n", "_SHA_CKSUM"),
        (b"_SHA_CKSUM=da39a3ee5e6b4b0d3255bfef95601890afd80709\nA=1\n", "byte 52"),
        (b"a b=1\n_SHA_CKSUM=00\n", "'a b'"),
        (b"A=1\x002\n_SHA_CKSUM=00\n", "A"),
        (bytes(4096), repr("\0" * 81) + "... (4096 long)"),
    ],
)
def test_a_refusal_names_the_key_or_the_byte(data: bytes, where: str) -> None:
    with pytest.raises(Broken) as refusal:
        sealed_keys.read(data)
    assert refusal.value.where == where


def test_a_changed_value_breaks_the_seal() -> None:
    with pytest.raises(SealBroken):
        sealed_keys.read(golden("file_domain_v4.metadata").replace(b"VERSION=4", b"VERSION=5"))


@pytest.mark.parametrize("value", [" a", "a\n", "a\nB=1", "\0", "a\u2028b", "\ud800"])
def test_a_value_that_a_line_cannot_hold_is_not_written(value: str) -> None:
    with pytest.raises(Broken):
        sealed_keys.write({"A": value})


@pytest.mark.parametrize("key", ["", "a", "A=B", "_SHA_CKSUM", "A B"])
def test_a_key_that_is_none_is_not_written(key: str) -> None:
    with pytest.raises(Broken):
        sealed_keys.write({key: "1"})
