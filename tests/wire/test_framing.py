from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovis.wire.errors import TooLarge
from ovis.wire.framing import HEADER, SizeFramer, frame


def cut(framer: SizeFramer, *chunks: bytes) -> list[bytes]:
    messages = []
    for chunk in chunks:
        framer.push(chunk)
        while (message := framer.pop()) is not None:
            messages.append(message)
    return messages


@given(messages=st.lists(st.binary(max_size=50), max_size=8), cuts=st.lists(st.integers(0, 400), max_size=12))
def test_messages_survive_any_chunking(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(message) for message in messages)
    edges = [0, *sorted(min(at, len(stream)) for at in cuts), len(stream)]
    framer = SizeFramer(100)
    assert cut(framer, *(stream[a:b] for a, b in pairwise(edges))) == messages
    assert framer.pending == 0


@pytest.mark.parametrize("size", [101, 1 << 40, 1 << 63, (1 << 64) - 1])
def test_size_over_the_limit_is_refused_before_the_message_arrives(size: int) -> None:
    framer = SizeFramer(100)
    framer.push(HEADER.pack(size))
    with pytest.raises(TooLarge):
        framer.pop()


def test_pending_counts_what_waits() -> None:
    framer = SizeFramer(100)
    assert cut(framer, frame(b"12345"), frame(b"12345")[:10]) == [b"12345"]
    assert framer.pending == 10
