"""Both sides of the socket understand each other."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovis.node.storage.io import messages
from ovis.node.storage.io.messages import Request

numbers = st.integers(0, 2**64 - 1)
paths = st.binary(max_size=200)


@given(st.integers(0, 255), paths, paths, numbers, numbers, st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_a_request_arrives_as_it_was_sent(
    operation: int, path: bytes, to: bytes, offset: int, size: int, data: bytes, call: int
) -> None:
    sent = Request(operation, path, to=to, offset=offset, size=size, data=data, mode=0o660, flags=3)
    raw = sent.pack(call)
    assert messages.LENGTH.unpack_from(raw)[0] == len(raw) - 4
    got = messages.unpack_request(raw[4:])
    assert (got.operation, got.path, got.to, got.data, got.call) == (operation, path, to, data, call)
    assert (got.offset, got.size, got.mode, got.flags) == (offset, size, 0o660, 3)


@given(st.binary(max_size=100))
def test_rows_that_are_cut_short_are_noticed(raw: bytes) -> None:
    whole = messages.ROW.pack(0, 0o644, 1, 5, 512, 1.5, len(raw)) + raw
    assert list(messages.rows(whole)) == [(0, 0o644, 1, 5, 512, 1.5, raw)]
    with pytest.raises(struct.error):
        list(messages.rows(whole + b"\0"))


def test_every_operation_has_a_name() -> None:
    assert len(messages.OPERATIONS) == messages.READ_DELAY + 1
