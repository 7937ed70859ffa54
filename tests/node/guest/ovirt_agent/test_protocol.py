import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovis.node.guest.ovirt_agent.protocol import (
    BURST_BYTES,
    BYTES_PER_SECOND,
    LINE_BYTES,
    Decoder,
    Flood,
    Message,
    encode,
)


def line(name: str, **members: object) -> bytes:
    return json.dumps({"__name__": name, **members}).encode() + b"\n"


def test_messages_come_in_pieces_of_any_size() -> None:
    data = line("heartbeat", **{"free-ram": "12"}) + b"\n" + line("fqdn", fqdn="höst")
    for size in (1, 7, 1000):
        decoder = Decoder(0)
        found = [m for at in range(0, len(data), size) for m in decoder.feed(data[at : at + size], 0)]
        assert found == [Message("heartbeat", {"free-ram": "12"}), Message("fqdn", {"fqdn": "höst"})]
        assert decoder.dropped == 0


@pytest.mark.parametrize(
    "bad",
    [b"{", b"[]", b"1", b"{}", b'{"__name__": 3}', b'{"__name__": null}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5000],
)
def test_what_is_no_message_is_dropped_alone(bad: bytes) -> None:
    decoder = Decoder(0)
    assert decoder.feed(bad + b"\n" + line("echo"), 0) == [Message("echo", {})]
    assert decoder.dropped == 1


def test_line_without_end_is_dropped_up_to_its_end() -> None:
    decoder = Decoder(0)
    for at in range(3):
        assert decoder.feed(b"x" * (LINE_BYTES // 2 + 1), at) == []
        assert len(decoder._line) <= LINE_BYTES
    assert decoder.feed(b"x\n" + line("echo"), 3) == [Message("echo", {})]
    assert decoder.dropped == 1


def test_flood_is_refused_and_a_steady_stream_is_not() -> None:
    decoder = Decoder(0)
    for second in range(200):
        decoder.feed(b"\n" * BYTES_PER_SECOND, second)
    decoder.feed(b"\n" * BURST_BYTES, 300)
    with pytest.raises(Flood):
        decoder.feed(b"\n", 300)


@given(st.lists(st.binary(max_size=50)))
def test_no_bytes_break_the_decoder(pieces: list[bytes]) -> None:
    decoder = Decoder(0)
    for piece in pieces:
        decoder.feed(piece, 0)
    decoder.feed(b"\n", 0)
    assert decoder.feed(line("echo"), 0) == [Message("echo", {})]


def test_command_is_a_line() -> None:
    encoded = encode("login", username="me@there", password='p"\n')
    assert encoded.endswith(b"\n")
    assert encoded.count(b"\n") == 1
    assert json.loads(encoded) == {"__name__": "login", "username": "me@there", "password": 'p"\n'}
