import uuid

import pytest
from golden_files import DOMAIN, VOLUME, golden
from hypothesis import given, settings
from hypothesis import strategies as st
from values import mails

from ovis.node.storage.formats import mailbox
from ovis.node.storage.formats.errors import Broken, TooLong
from ovis.node.storage.formats.mailbox import Clear, Extend, Message, Unknown
from ovis.node.storage.formats.sanlock_areas import MIB

PAGE = golden("mailbox_page.hex")
EXTEND = Extend(DOMAIN, VOLUME, 2560 * MIB)


def test_a_page_written_by_hand() -> None:
    assert mailbox.read_requests(PAGE) == {0: EXTEND, 1: Clear()}


def test_it_is_written_back_to_the_byte() -> None:
    assert mailbox.write_page({0: EXTEND, 1: Clear()}) == PAGE


@given(mails)
def test_what_is_written_is_read(messages: dict[int, Message]) -> None:
    page = mailbox.write_page(messages)
    assert mailbox.read_requests(page) == mailbox.read_replies(page) == messages


def test_a_page_of_zeros_is_empty() -> None:
    assert mailbox.read_requests(bytes(4096)) == {}


def test_replies_need_no_sum() -> None:
    page = PAGE[:4092] + bytes(4)
    assert mailbox.read_replies(page) == {0: EXTEND, 1: Clear()}
    with pytest.raises(Broken) as refusal:
        mailbox.read_requests(page)
    assert refusal.value.where == "byte 4092"


@settings(max_examples=60, deadline=None)
@given(mails, mails)
def test_in_a_torn_page_each_slot_is_old_or_new(old: dict[int, Message], new: dict[int, Message]) -> None:
    before, written = mailbox.write_page(old), mailbox.write_page(new)
    for cut in range(0, 4097, 512):
        found = mailbox.read_replies(written[:cut] + before[cut:])
        assert all(found.get(slot) in (old.get(slot), new.get(slot)) for slot in range(mailbox.SLOTS))


@given(st.integers(0, mailbox.SLOTS - 1), st.integers(0, 4096))
def test_a_new_page_torn_at_any_byte_is_old_or_new_or_refused(slot: int, cut: int) -> None:
    new = mailbox.write_page({slot: EXTEND})
    try:
        assert mailbox.read_requests(new[:cut] + bytes(4096 - cut)) in ({}, {slot: EXTEND})
    except Broken:
        assert slot * 64 < cut < 4096


def test_one_strange_message_does_not_stop_its_neighbours() -> None:
    for strange in (b"2xtnd" + b"0" * 59, b"1shrk" + b"0" * 59, b"1xtnd" + bytes(32) + b"G" * 27, b"1xtnd" + b"f" * 59):
        page = bytearray(PAGE)
        page[128:192] = strange
        page[4092:] = mailbox.checksum(bytes(page)).to_bytes(4, "little")
        found = mailbox.read_requests(bytes(page))
        assert found[0] == EXTEND
        unknown = found[2]
        assert isinstance(unknown, Unknown)
        assert unknown.data == strange
        assert "byte 128" in unknown.problem
        assert mailbox.write_page(found) == page


@pytest.mark.parametrize("first", [b"\0", b"0"])
def test_a_message_of_version_zero_is_empty(first: bytes) -> None:
    assert mailbox.read_replies(first + bytes(4095)) == {}


def test_a_reply_counts_only_for_the_volume_that_was_asked_for() -> None:
    assert mailbox.answers(Extend(DOMAIN, VOLUME, 0), EXTEND)
    assert not mailbox.answers(Extend(VOLUME, VOLUME, EXTEND.size), EXTEND)
    assert not mailbox.answers(Clear(), EXTEND)


def test_places_of_pages() -> None:
    assert mailbox.page_offset(1) == 4096
    assert mailbox.page_offset(250) == 1024000
    for host in (0, -1, 4096):
        with pytest.raises(Broken):
            mailbox.page_offset(host)


def test_what_a_message_cannot_say_is_not_written() -> None:
    with pytest.raises(Broken):
        mailbox.write_message(Extend(DOMAIN, VOLUME, MIB + 1))
    with pytest.raises(TooLong):
        mailbox.write_message(Extend(DOMAIN, VOLUME, MIB << 32))
    with pytest.raises(Broken):
        mailbox.write_message(Extend("x", VOLUME, MIB))
    with pytest.raises(Broken):
        mailbox.write_page({63: Clear()})
    with pytest.raises(Broken):
        mailbox.read_requests(PAGE[:-1])


def test_the_event_block() -> None:
    event = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
    block = mailbox.write_event(event)
    assert block[:20] == b"\0evt" + bytes.fromhex("00112233445566778899aabbccddeeff")
    assert len(block) == 512
    assert mailbox.read_event(block) == event
    assert mailbox.read_event(mailbox.write_event(event, block_size=4096)) == event
    assert mailbox.read_event(bytes(512)) is None
