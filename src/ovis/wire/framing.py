"""The native framing, without I/O:

    0        8                    8 + size
    +--------+---------------------+--------+---
    | size   | JSON text           | size   | ...
    +--------+---------------------+--------+---

`size` is an unsigned 64-bit big-endian number, so with any sane limit the first byte on the wire is 0x00: that is how
the listener tells it from STOMP and HTTP, which begin with letters. A size over the limit (a "negative" one has its top
bit set) cannot be skipped and ends the connection. Size 0 is an empty text, which is no JSON.
"""

from __future__ import annotations

from struct import Struct

from ovis.wire.errors import TooLarge

HEADER = Struct(">Q")


def frame(message: bytes) -> bytes:
    """`message` with its size in front."""
    return HEADER.pack(len(message)) + message


class SizeFramer:
    """Cuts a stream into messages. After TooLarge it is of no further use."""

    __slots__ = ("_at", "_buffer", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer: bytes | bytearray = b""
        self._at = 0

    @property
    def pending(self) -> int:
        """Bytes received and not yet taken as messages."""
        return len(self._buffer) - self._at

    def push(self, data: bytes) -> None:
        if self._at >= len(self._buffer):
            self._buffer = data
        else:
            if isinstance(self._buffer, bytearray):
                del self._buffer[: self._at]
            else:
                self._buffer = bytearray(memoryview(self._buffer)[self._at :])
            self._buffer += data
        self._at = 0

    def pop(self) -> bytes | None:
        """The next whole message. Raises TooLarge as soon as a size says so, before its message arrives."""
        buffer = self._buffer
        start = self._at + 8
        if len(buffer) < start:
            return None
        (size,) = HEADER.unpack_from(buffer, self._at)
        if size > self._limit:
            raise TooLarge("A message", size, self._limit)
        end = start + size
        if len(buffer) < end:
            return None
        message = bytes(memoryview(buffer)[start:end]) if isinstance(buffer, bytearray) else buffer[start:end]
        self._at = end
        if end == len(buffer):
            self._buffer = b""
            self._at = 0
        return message
