r"""STOMP 1.2 frames, without I/O. Source: https://stomp.github.io/stomp-specification-1.2.html

    COMMAND\n
    name:value\n        any number; the first of repeated names wins
    \n
    body NUL            `content-length` bytes, or up to the first NUL without that header

Between frames any number of line ends may stand (heart-beats). Lines end with \n or \r\n. In names and values \r, \n,
`:` and \ are written as \r \n \c \\, except in CONNECT and CONNECTED frames.

Lenient where existing clients are: a raw `:` in a value is taken as it is (names cannot contain one).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from ovis.wire.errors import ProtocolError, TooLarge

HEAD_BYTES = 16 * 1024
HEADERS = 64
KNOWN_HEADS = 8
"""Parsed heads kept for each connection, of up to KNOWN_BYTES each: saves 2 us of a call."""
KNOWN_BYTES = 512

_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_PLAIN = {"\\": "\\", "r": "\r", "n": "\n", "c": ":"}
_SPECIAL = re.compile(r"[\\\r\n:]")
_ESCAPED = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"}
_NOT_ESCAPED = frozenset({"CONNECT", "CONNECTED"})
_DIGITS = re.compile(r"[0-9]{1,19}")


class Frame(msgspec.Struct, frozen=True):
    command: str
    headers: Mapping[str, str]
    body: bytes = b""


def escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], text) if _SPECIAL.search(text) else text


def encode(command: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A frame on the wire; `content-length` is added when there is a body."""
    clean = str if command in _NOT_ESCAPED else escape
    lines = [command, *(f"{clean(name)}:{clean(value)}" for name, value in headers.items())]
    if body and "content-length" not in headers:
        lines.append(f"content-length:{len(body)}")
    return b"".join(("\n".join(lines).encode(), b"\n\n", body, b"\0"))


class StompParser:
    """Cuts a stream into frames. After a ProtocolError it is of no further use."""

    __slots__ = ("_at", "_body_limit", "_buffer", "_head", "_known", "_scanned")

    def __init__(self, body_limit: int) -> None:
        self._body_limit = body_limit
        self._buffer: bytes | bytearray = b""
        self._at = 0
        self._head: tuple[str, dict[str, str], int, int] | None = None  # command, headers, body start, length or -1
        self._known: dict[bytes, tuple[str, dict[str, str]]] = {}  # a client's heads are few and come again and again
        self._scanned = 0  # a body without a length is searched only once for its NUL

    @property
    def pending(self) -> int:
        """Bytes received and not yet taken as frames."""
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
            if self._head is not None:
                command, headers, body, length = self._head
                self._head = command, headers, body - self._at, length
                self._scanned -= self._at
        self._at = 0

    def pop(self) -> Frame | None:
        """The next whole frame. Raises TooLarge and ProtocolError."""
        if self._head is None:
            self._head = self._parse_head()
            if self._head is None:
                return None
        command, headers, start, length = self._head
        buffer = self._buffer
        if length >= 0:
            end = start + length
            if len(buffer) <= end:
                return None
            if buffer[end] != 0:
                raise ProtocolError("A frame's body is not followed by NUL")
        else:
            end = buffer.find(b"\0", max(start, self._scanned))
            if (len(buffer) if end < 0 else end) - start > self._body_limit:
                raise TooLarge("A frame's body", len(buffer) - start, self._body_limit)
            if end < 0:
                self._scanned = len(buffer)
                return None
        body = bytes(memoryview(buffer)[start:end])
        self._head = None
        self._scanned = 0
        self._at = end + 1
        if self._at == len(buffer):
            self._buffer = b""
            self._at = 0
        return Frame(command, headers, body)

    def _parse_head(self) -> tuple[str, dict[str, str], int, int] | None:
        buffer = self._buffer
        at = self._at
        size = len(buffer)
        while at < size and buffer[at] in b"\r\n":
            at += 1
        self._at = at
        end, start = self._end_of_head(at)
        if end < 0:
            if size - at > HEAD_BYTES:
                raise TooLarge("A frame's headers", size - at, HEAD_BYTES)
            return None
        command, headers = self._read_head(bytes(memoryview(buffer)[at:end]))
        length = -1
        if (text := headers.get("content-length")) is not None:
            if not _DIGITS.fullmatch(text):
                raise ProtocolError("content-length is not a number")
            length = int(text)
            if length > self._body_limit:
                raise TooLarge("A frame's body", length, self._body_limit)
        return command, headers, start, length

    def _read_head(self, head: bytes) -> tuple[str, dict[str, str]]:
        known = self._known.get(head)
        if known is None:
            known = _read_head(head)
            if len(head) <= KNOWN_BYTES:
                if len(self._known) >= KNOWN_HEADS:
                    self._known.clear()
                self._known[head] = known
        return known

    def _end_of_head(self, at: int) -> tuple[int, int]:
        """Where the headers end and where the body starts: behind the first empty line, which may be \\n or \\r\\n."""
        stop = at + HEAD_BYTES
        end = self._buffer.find(b"\n\n", at, stop)
        start = end + 2
        other = self._buffer.find(b"\n\r\n", at, end if end >= 0 else stop)
        return (other, other + 3) if other >= 0 else (end, start)


def _read_head(head: bytes) -> tuple[str, dict[str, str]]:
    try:
        lines = str(head, "utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ProtocolError("A frame's headers are not UTF-8") from error
    if "\r" in lines[0] or b"\r" in head:
        lines = [line.removesuffix("\r") for line in lines]
    if len(lines) > HEADERS + 1:
        raise TooLarge("A frame's number of headers", len(lines) - 1, HEADERS)
    command = lines[0]
    escaped = b"\\" in head and command not in _NOT_ESCAPED
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError("A header line without a colon")
        if escaped:
            name, value = _unescape(name), _unescape(value)
        headers.setdefault(name, value)
    return command, headers


def _unescape(text: str) -> str:
    try:
        return _ESCAPE.sub(lambda found: _PLAIN[found[1]], text)
    except KeyError as error:
        raise ProtocolError(f"Unknown escape \\{error.args[0]} in a header") from error
