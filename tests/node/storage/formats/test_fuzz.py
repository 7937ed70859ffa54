"""Whatever bytes lie on a disk: a value or a refusal, never another error. And what was read can be written and is the
same again, so that a reader takes nothing for granted that a writer would refuse."""

from collections.abc import Callable

from golden_files import golden, golden_lines
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from ovis.node.storage.formats import (
    domain_record,
    group_tags,
    lease_index,
    mailbox,
    ovf_store,
    sealed_keys,
    tar_archive,
    volume_metadata,
    volume_tags,
)
from ovis.node.storage.formats.errors import FormatError, TooLong
from ovis.node.storage.formats.sanlock_areas import Geometry

many = settings(max_examples=200, deadline=None)
pieces = st.binary(max_size=6) | st.text("0123456789=\n-AEFO&,:", max_size=4).map(str.encode)
changes = st.lists(st.tuples(st.integers(0, 4095), pieces), max_size=4)
INDEX = golden("lease_index.hex")
INDEX += INDEX[-64:] * (lease_index.RECORDS - 3)


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with a few places overwritten or filled in, perhaps cut; or anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=600))
    for at, inserted in draw(changes):
        place = at % (len(data) + 1)
        data = data[:place] + inserted + data[place + draw(st.sampled_from((0, len(inserted)))) :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 4)) == 0 else data


def resealed(data: bytes) -> bytes:
    """With a right seal again, so that what is behind it is reached."""
    lines = [line for line in data.split(b"\n") if line and not line.startswith(b"_SHA_CKSUM=")]
    try:
        keys = dict(line.decode().split("=", 1) for line in lines)
        return sealed_keys.write(keys)
    except (FormatError, ValueError):
        return data


def refused_or(read: Callable[[], object], check: Callable[[object], None]) -> None:
    try:
        found = read()
    except FormatError as error:
        refusal = error
        event("refused")
    else:
        event("read")
        check(found)
        return
    assert refusal.where
    assert len(str(refusal)) < 2000


@many
@given(damaged(golden("file_domain_v4.metadata")), st.booleans())
@example(b"=\n", False)
def test_domain_metadata_in_a_file(data: bytes, reseal: bool) -> None:
    def check(found: object) -> None:
        assert domain_record.read_file(domain_record.write_file(found)) == found

    refused_or(lambda: domain_record.read_file(resealed(data) if reseal else data), check)


TAG_LINES = "\n".join(tag.removeprefix("MDT_") for tag in golden_lines("block_domain_v5.tags")[1:]).encode()


@many
@given(damaged(group_tags.decode(TAG_LINES.decode().replace("\n", "&10&")).encode()))
def test_domain_metadata_in_tags(data: bytes) -> None:
    lines = resealed(data).decode(errors="replace").split("\n")
    tags = [f"MDT_{group_tags.encode(line)}" for line in lines if line]

    def check(found: object) -> None:
        again = domain_record.write_tags((), found).add
        assert domain_record.read_tags(again) == found

    refused_or(lambda: domain_record.read_tags(tags), check)


@many
@example(["MDT_=", "MDT_="])
@given(st.lists(st.text(max_size=30).map("MDT_".__add__) | st.sampled_from(golden_lines("block_domain_v5.tags"))))
def test_tags_of_any_kind(tags: list[str]) -> None:
    refused_or(lambda: domain_record.read_tags(tags), lambda found: None)
    refused_or(lambda: volume_tags.read(tags), lambda found: None)


@many
@given(damaged(golden("volume_v4.meta")) | damaged(golden("volume_v5.meta")))
def test_volume_metadata(data: bytes) -> None:
    def check(found: object) -> None:
        try:
            again = volume_metadata.write(found, 5)
        except TooLong:  # CAP takes more room than SIZE
            return
        assert volume_metadata.read(again) == found

    refused_or(lambda: volume_metadata.read(data), check)


@settings(max_examples=60, deadline=None)
@given(damaged(INDEX[:4096]))
def test_lease_index(data: bytes) -> None:
    def check(found: object) -> None:
        if not any(isinstance(record, lease_index.BrokenRecord) for record in found.records):
            again = lease_index.write(found)
            assert lease_index.read(again, Geometry()) == found

    whole = data.ljust(4096, b"\0")[:4096] + INDEX[4096:]
    refused_or(lambda: lease_index.read(whole, Geometry()), check)
    refused_or(lambda: lease_index.read_header(data), lambda found: None)


@many
@given(damaged(golden("mailbox_page.hex")))
def test_mailbox(data: bytes) -> None:
    page = data.ljust(4096, b"\0")[:4096]

    def check(found: object) -> None:
        again = mailbox.write_page(found)
        assert mailbox.read_requests(again) == found

    refused_or(lambda: mailbox.read_replies(page), check)
    refused_or(lambda: mailbox.read_requests(page), check)
    mailbox.read_event(data)


def repaired(data: bytes) -> bytes:
    """With right sums in what looks like headers."""
    fixed = bytearray(data)
    for at in range(0, len(fixed) - 511, 512):
        if fixed[at + 257 : at + 262] == b"ustar":
            fixed[at + 148 : at + 156] = b" " * 8
            fixed[at + 148 : at + 156] = b"%06o\0 " % sum(fixed[at : at + 512])
    return bytes(fixed)


@many
@given(damaged(golden("ovf_store.tar")), st.booleans())
def test_ovf_store(data: bytes, repair: bool) -> None:
    data = repaired(data) if repair else data
    refused_or(lambda: tar_archive.read(data), lambda found: None)

    def check(found: object) -> None:
        assert ovf_store.read_archive(ovf_store.write(found, modified=0)) == found

    refused_or(lambda: ovf_store.read_archive(data), check)


@many
@given(
    damaged(b'{"Updated":true,"Size":20480,"Last Updated":null,"Storage Domains":[],"Disk Description":"OVF_STORE"}')
)
def test_ovf_store_description(data: bytes) -> None:
    refused_or(lambda: ovf_store.read_description(data.decode(errors="surrogateescape")), lambda found: None)
