"""The bytes of a request and the length of its answer, in the two framings that are measured.

No client library takes part: what is not the agent's work is as little as can be.
"""

from __future__ import annotations

import struct
from enum import StrEnum

import msgspec

_SIZE = struct.Struct(">Q")
_ID = "4f6a9d6e-1a45-4c9a-b1d2-7c1f0a9d6e11"
STOMP_HELLO = (
    b"CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0"
    b"SUBSCRIBE\nid:1\nack:auto\ndestination:answers\nreceipt:ready\n\n\0"
)
STOMP_READY = b"receipt-id:ready\n\n\0"


class Framing(StrEnum):
    NATIVE = "native"
    STOMP = "STOMP"


def request(framing: Framing, method: str, params: object = None) -> bytes:
    """A call as existing clients make it: an id of 36 characters; over STOMP a batch of one."""
    call = {"jsonrpc": "2.0", "method": method, "params": params or {}, "id": _ID}
    if framing is Framing.NATIVE:
        text = msgspec.json.encode(call)
        return _SIZE.pack(len(text)) + text
    body = msgspec.json.encode([call])
    head = (
        "SEND\ndestination:jms.topic.vdsm_requests\nreply-to:answers\ncontent-type:application/json\n"
        f"content-length:{len(body)}\n\n"
    )
    return head.encode() + body + b"\0"


def answer_length(framing: Framing, begin: bytes) -> int | None:
    """Bytes of the whole answer that starts with `begin`; None while that cannot be told."""
    if framing is Framing.NATIVE:
        return 8 + int(_SIZE.unpack_from(begin)[0]) if len(begin) >= 8 else None
    end = begin.find(b"\n\n")
    if end < 0:
        return None
    at = begin.index(b"content-length:") + len(b"content-length:")
    return end + 2 + int(begin[at : begin.index(b"\n", at)]) + 1


def is_error(begin: bytes) -> bool:
    return b'"error":' in begin[:400] or begin.startswith(b"ERROR")
