"""Which framing does a new connection speak? Its first bytes decide.

    first bytes                              framing
    0x00                                     size framing: the top byte of a sane 64-bit size
    0x01..0x08, 0x0b, 0x0c, 0x0e.., >= 0x80  size framing with an absurd size: refused there, with a clear error
    line end                                 STOMP (a heart-beat before the first frame)
    word, then a line end                    STOMP, if the word is one of its client commands
    word, then a space                       HTTP, if the word is one of its methods

`CONNECT` is a word of both, the sign behind it tells. 0x16 is a TLS handshake on a plain port: refused as such.
"""

from __future__ import annotations

from enum import Enum

from ovis.wire.errors import ProtocolError


class Framing(Enum):
    SIZE = "size"
    STOMP = "stomp"
    HTTP = "http"


STOMP_COMMANDS = frozenset({b"CONNECT", b"STOMP", b"SEND", b"SUBSCRIBE", b"UNSUBSCRIBE", b"DISCONNECT"})
HTTP_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE"})
_LONGEST = 11  # UNSUBSCRIBE
_LETTERS = frozenset(range(0x41, 0x5B))
_TLS_HANDSHAKE = 0x16


def detect(data: bytes) -> Framing | None:
    """The framing that `data` begins, or None while that is open. Raises ProtocolError."""
    first = data[0]
    if first == 0:
        return Framing.SIZE
    if first in b"\r\n":
        return Framing.STOMP
    if first == _TLS_HANDSHAKE:
        raise ProtocolError("TLS on a port without TLS")
    if first not in _LETTERS:
        if first < 0x20 or first >= 0x80:
            return Framing.SIZE
        raise ProtocolError(f"No known protocol begins with {data[:16]!r}")
    return _by_word(data)


def _by_word(data: bytes) -> Framing | None:
    end = next((at for at, sign in enumerate(data[: _LONGEST + 1]) if sign not in _LETTERS), None)
    if end is None:
        if len(data) > _LONGEST:
            raise ProtocolError(f"No known protocol begins with {data[:16]!r}")
        return None
    word = data[:end]
    if data[end] in b"\r\n" and word in STOMP_COMMANDS:
        return Framing.STOMP
    if data[end] == 0x20 and word in HTTP_METHODS:
        return Framing.HTTP
    raise ProtocolError(f"No known protocol begins with {data[:16]!r}")
