"""The client's end of a tunnel (`tunnel`) on a blocking socket: as much of HTTP and WebSocket as that takes.

For the command line, which has neither `h11` nor `websockets`. Only what our own server answers is understood: bodies
with a content-length, and frames that are not masked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
from http import HTTPStatus

from ovis.wire.blocking import connect
from ovis.wire.errors import ConnectionLost, ProtocolError
from ovis.wire.target import TcpTarget, UnixTarget

TYPE_CHECKING = False  # see target.py
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

CONNECT_SECONDS = 10.0
HEAD_BYTES = 64 * 1024
BODY_BYTES = 1 << 20
FRAME_BYTES = 16 << 20
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_BINARY, _CLOSE, _PING, _PONG = 0x2, 0x8, 0x9, 0xA
_MASK_BYTES = 4


class Refused(Exception):
    """The server's answer is a fault of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class BlockingTunnel:
    """Bytes both ways after `open`. Not for several threads at once. Raises ConnectionLost."""

    def __init__(self, sock: socket.socket, address: str) -> None:
        self.address = address
        self.reason = ""
        self._socket = sock
        self._buffer = bytearray()
        self._is_over = False
        self._ready: tuple[int, bytes] | None = None

    @classmethod
    def connect(cls, target: UnixTarget | TcpTarget, *, timeout: float = CONNECT_SECONDS) -> BlockingTunnel:
        """A connection, for `post` and then `open`."""
        sock = connect(target, timeout)
        sock.settimeout(timeout)
        return cls(sock, str(target))

    def post(self, path: str, wish: dict[str, Any]) -> dict[str, Any]:
        """The JSON object that answers. Raises Refused."""
        body = json.dumps(wish).encode()
        self._request(f"POST {path}", f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n", body)
        status, _, answer = self._response()
        if status >= HTTPStatus.BAD_REQUEST:
            raise Refused(status, _fault_text(answer))
        found = json.loads(answer)
        if not isinstance(found, dict):
            raise ProtocolError("the answer is no JSON object")
        return found

    def open(self, path: str) -> None:
        """Turn the connection into the tunnel. Raises Refused."""
        key = base64.b64encode(os.urandom(16))
        head = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        self._request(f"GET {path}", f"{head}Sec-WebSocket-Key: {key.decode()}\r\n", b"")
        status, headers, body = self._response()
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            raise Refused(status, _fault_text(body))
        proof = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest()).decode()
        if headers.get("sec-websocket-accept") != proof:
            raise ProtocolError("the server does not speak WebSocket")
        self._socket.settimeout(None)
        self._ready = self._take_frame()  # the guest's first words may have come along

    def fileno(self) -> int:
        """Readable when `receive` will not wait; but see `has_more`."""
        return self._socket.fileno()

    @property
    def has_more(self) -> bool:
        """Whether there is something that the socket no longer shows: came with the answer to `open`, or is in TLS."""
        pending = getattr(self._socket, "pending", None)
        return self._ready is not None or bool(pending and pending())

    def receive(self) -> Iterator[bytes]:
        """What has come, or comes next; afterwards `is_over` tells whether that was the end, `reason` why."""
        if self._ready is None:
            self._read()
            self._ready = self._take_frame()
        while self._ready is not None:
            (kind, data), self._ready = self._ready, self._take_frame()
            if kind == _CLOSE:
                self.reason = data[2:].decode("utf-8", "replace")
                self._is_over = True
                return
            if kind == _PING:
                self._send_frame(_PONG, data)
            elif kind != _PONG and data:
                yield data

    @property
    def is_over(self) -> bool:
        return self._is_over

    def send(self, data: bytes) -> None:
        self._send_frame(_BINARY, data)

    def close(self) -> None:
        """Safe to repeat."""
        self._socket.close()

    def _request(self, line: str, headers: str, body: bytes) -> None:
        self._send(f"{line} HTTP/1.1\r\nHost: agent\r\n{headers}\r\n".encode() + body)

    def _response(self) -> tuple[int, dict[str, str], bytes]:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > HEAD_BYTES:
                raise ProtocolError("the head of the answer has no end")
            self._read(ends=False)
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        words = lines[0].split()
        size = headers.get("content-length", "0")
        if len(words) < 2 or not words[1].isdigit() or not size.isdigit() or int(size) > BODY_BYTES:
            raise ProtocolError(f"{lines[0][:60]!r} is no answer of an agent")
        while len(self._buffer) < int(size):
            self._read(ends=False)
        body = bytes(self._buffer[: int(size)])
        del self._buffer[: int(size)]
        return int(words[1]), headers, body

    def _take_frame(self) -> tuple[int, bytes] | None:
        """Source: RFC 6455, section 5.2."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
        if size > FRAME_BYTES:
            raise ProtocolError(f"a frame of {size} bytes")
        if len(buffer) < start + size:
            return None
        kind, data = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return kind, data

    def _send_frame(self, kind: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = bytes((0x80 | kind, 0x80 | size))
        elif size < 1 << 16:
            head = bytes((0x80 | kind, 0x80 | 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | kind, 0x80 | 127)) + size.to_bytes(8, "big")
        mask = os.urandom(_MASK_BYTES)
        repeated = mask * (size // _MASK_BYTES + 1)
        masked = int.from_bytes(data, "big") ^ int.from_bytes(repeated[:size], "big")
        self._send(head + mask + masked.to_bytes(size, "big"))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise ConnectionLost(self.address, str(error)) from error

    def _read(self, *, ends: bool = True) -> None:
        try:
            data = self._socket.recv(256 * 1024)
        except OSError as error:
            raise ConnectionLost(self.address, str(error)) from error
        if not data:
            if not ends:
                raise ConnectionLost(self.address, "the server closed it")
            self._is_over = True
        self._buffer += data


def _fault_text(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return body[:200].decode("utf-8", "replace")
