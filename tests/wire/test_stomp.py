from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovis.wire.errors import ProtocolError, TooLarge
from ovis.wire.stomp import Frame, StompParser, encode


def cut(parser: StompParser, *chunks: bytes) -> list[Frame]:
    frames = []
    for chunk in chunks:
        parser.push(chunk)
        while (frame := parser.pop()) is not None:
            frames.append(frame)
    return frames


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FRAMES = st.builds(
    Frame,
    st.sampled_from(["SEND", "SUBSCRIBE", "MESSAGE"]),
    st.dictionaries(TEXT.filter(lambda name: name not in ("content-length", "")), TEXT, max_size=4),
    st.binary(max_size=40),
)


@given(frames=st.lists(FRAMES, max_size=4), cuts=st.lists(st.integers(0, 400), max_size=12), beats=st.integers(0, 3))
def test_frames_survive_encoding_and_any_chunking(frames: list[Frame], cuts: list[int], beats: int) -> None:
    stream = b"".join(b"\n" * beats + encode(frame.command, frame.headers, frame.body) for frame in frames)
    edges = [0, *sorted(min(at, len(stream)) for at in cuts), len(stream)]
    parser = StompParser(1000)
    found = cut(parser, *(stream[a:b] for a, b in pairwise(edges)))
    assert [(f.command, f.body) for f in found] == [(f.command, f.body) for f in frames]
    assert [{name: value for name, value in f.headers.items() if name != "content-length"} for f in found] == [
        dict(f.headers) for f in frames
    ]
    assert parser.pending == 0


def test_body_without_length_ends_at_nul() -> None:
    stream = b"SEND\ndestination:a\n\nhello\0\nSEND\n\n\0"
    for step in (1, 5, 100):
        chunks = [stream[at : at + step] for at in range(0, len(stream), step)]
        assert [frame.body for frame in cut(StompParser(100), *chunks)] == [b"hello", b""]


def test_length_lets_a_body_contain_nul() -> None:
    assert cut(StompParser(100), b"SEND\ncontent-length:3\n\n\0\0\0\0")[0].body == b"\0\0\0"


def test_carriage_returns_are_accepted() -> None:
    (frame,) = cut(StompParser(100), b"\r\nSEND\r\na:b\r\n\r\nx\n\ny\0")
    assert frame == Frame("SEND", {"a": "b"}, b"x\n\ny")


def test_first_of_repeated_headers_wins() -> None:
    assert cut(StompParser(100), b"SEND\na:1\na:2\n\n\0")[0].headers == {"a": "1"}


def test_equal_and_many_different_heads_are_read_right() -> None:
    parser = StompParser(100)
    frames = cut(parser, *(encode("SEND", {"n": str(number % 13)}, b"x") for number in range(60)))
    assert [frame.headers["n"] for frame in frames] == [str(number % 13) for number in range(60)]


def test_connect_is_not_escaped() -> None:
    assert cut(StompParser(100), b"CONNECT\npasscode:a\\c\n\n\0")[0].headers == {"passcode": "a\\c"}


@pytest.mark.parametrize(
    "stream",
    [
        b"SEND\nnocolon\n\n\0",
        b"SEND\na:\\x\n\n\0",
        b"SEND\na:\\\n\n\0",
        b"SEND\ncontent-length:-1\n\n\0",
        b"SEND\ncontent-length:1\n\nab\0",
        b"SEND\na:\xff\n\n\0",
    ],
)
def test_broken_frame_is_refused(stream: bytes) -> None:
    with pytest.raises(ProtocolError):
        cut(StompParser(100), stream)


@pytest.mark.parametrize(
    "stream",
    [
        b"SEND\ncontent-length:101\n\n",
        b"SEND\ncontent-length:99999999999999999999\n\n"[:44],
        b"SEND\n\n" + b"x" * 101,
        b"SEND\n" + b"a:b\n" * 5000,
        b"SEND\n" + b"a:b\n" * 65 + b"\n\0",
    ],
)
def test_oversized_frame_is_refused_early(stream: bytes) -> None:
    with pytest.raises((TooLarge, ProtocolError)):
        cut(StompParser(100), stream)
