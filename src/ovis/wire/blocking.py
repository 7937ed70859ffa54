"""The client for short-lived processes: native framing over a blocking socket, one call at a time.

What it loads decides how long a command line takes: neither asyncio nor msgspec (50 ms here) nor, without TLS, ssl.
An answer of our server to the request that was just sent is recognised by its first bytes and cut out as it is; only
errors and events are really decoded, by modules loaded then.
"""

from __future__ import annotations

import socket
import time

from ovis.wire.errors import CallTimeout, ConnectionLost
from ovis.wire.target import TcpTarget, UnixTarget

TYPE_CHECKING = False  # see target.py
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from ovis.wire.events import Event, Lost, Subscription

LIMIT = 64 << 20
CALL_SECONDS = 60.0
CONNECT_SECONDS = 10.0
_CHUNK = 256 * 1024


class BlockingConnection:
    """Made by `open`; not for several threads at once."""

    def __init__(self, sock: socket.socket, address: str, limit: int = LIMIT) -> None:
        self.address = address
        self._socket = sock
        self._limit = limit
        self._number = 0
        self._buffer = bytearray()
        self._kept: Subscription | None = None

    @classmethod
    def open(
        cls, target: UnixTarget | TcpTarget, *, timeout: float = CONNECT_SECONDS, limit: int = LIMIT
    ) -> BlockingConnection:
        """Connect within `timeout` seconds. Raises ConnectionLost."""
        address = str(target)
        return cls(connect(target, timeout), address, limit)

    def call(
        self, method: str, params: bytes | None, *, timeout: float = CALL_SECONDS, flow: str = ""
    ) -> bytes | bytearray:
        """The JSON text of the result. `params`: JSON text of an object or array.

        Raises RpcError (the server's), CallTimeout, ConnectionLost. The last two leave open whether the call was done;
        after them the connection is of no further use.
        """
        self._number += 1
        deadline = time.monotonic() + timeout
        expected = b'{"jsonrpc":"2.0","id":%d,"result":' % self._number
        try:
            self._send(_request(self._number, method, params, flow), deadline)
            while True:
                message = self._receive(deadline)
                if message.startswith(expected) and message.endswith(b"}"):
                    return message[len(expected) : -1]
                answer = self._decode(message)
                if answer is not None:
                    return answer
        except TimeoutError as error:
            self.close()
            raise CallTimeout(method, timeout) from error
        except OSError as error:
            self.close()
            raise ConnectionLost(self.address, str(error)) from error

    def subscribe(self, pattern: str, *, timeout: float = CALL_SECONDS) -> Iterator[Event | Lost | None]:
        """Events from now on, without end; None after every second without one, so that the caller gets a turn.

        One subscription a connection. Raises BadPattern and what `call` raises, also while iterating.
        """
        import json

        from ovis.wire.events import Subscription

        self._kept = Subscription(pattern)
        self.call("rpc.subscribe", json.dumps({"pattern": pattern}).encode(), timeout=timeout)
        return self._events(self._kept)

    def close(self) -> None:
        """Safe to repeat."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _events(self, kept: Subscription) -> Iterator[Event | Lost | None]:
        while True:
            while (item := kept.take()) is not None:
                yield item
            try:
                self._decode(self._receive(time.monotonic() + 1.0))
            except TimeoutError:
                yield None
            except OSError as error:
                self.close()
                raise ConnectionLost(self.address, str(error)) from error

    def _decode(self, message: bytes | bytearray) -> bytes | None:
        """The result in `message` if it answers the newest call; events are kept. Raises RpcError, ProtocolError."""
        from ovis.wire.responses import Answer, LostOf, read

        item = read(bytes(message))
        if isinstance(item, LostOf):
            if self._kept is not None:
                self._kept.put_lost(item.lost)
            return None
        if not isinstance(item, Answer):
            if self._kept is not None:
                self._kept.put(item)
            return None
        if item.id not in (self._number, None):
            return None
        if item.error is not None:
            raise item.error
        return bytes(item.result) if item.result is not None else b"null"

    def _send(self, data: bytes, deadline: float) -> None:
        self._socket.settimeout(_left(deadline))
        self._socket.sendall(data)

    def _receive(self, deadline: float) -> bytearray:
        """One whole message. What arrived before a timeout is kept for the next try."""
        buffer = self._buffer
        while True:
            if len(buffer) >= 8:
                size = int.from_bytes(buffer[:8], "big")
                if size > self._limit:
                    raise OSError(f"a message of {size} bytes, the limit is {self._limit}")
                if len(buffer) >= 8 + size:
                    message = buffer[8 : 8 + size]
                    del buffer[: 8 + size]
                    return message
            self._socket.settimeout(_left(deadline))
            data = self._socket.recv(_CHUNK)
            if not data:
                raise ConnectionResetError("the server closed it")
            buffer += data


def connect(target: UnixTarget | TcpTarget, timeout: float) -> socket.socket:
    """A connected socket, with TLS where the target has it. Raises ConnectionLost."""
    try:
        return _connect_unix(target.path, timeout) if isinstance(target, UnixTarget) else _connect_tcp(target, timeout)
    except OSError as error:  # ssl.SSLError is one
        raise ConnectionLost(str(target), str(error)) from error


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _request(number: int, method: str, params: bytes | None, flow: str) -> bytes:
    """As `jsonrpc.encode_request`, without what that imports."""
    parts = [b'{"jsonrpc":"2.0","id":%d,"method":%b' % (number, _text(method))]
    if params is not None:
        parts += (b',"params":', params)
    if flow:
        parts += (b',"ovirtCorrelationId":', _text(flow))
    parts.append(b"}")
    message = b"".join(parts)
    return len(message).to_bytes(8, "big") + message


def _text(text: str) -> bytes:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return b'"%b"' % text.encode()
    import json

    return json.dumps(text).encode()


def _connect_unix(path: str, timeout: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_tcp(target: TcpTarget, timeout: float) -> socket.socket:
    sock = socket.create_connection((target.host, target.port), timeout)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.tls is None:
            return sock
        from ovis.wire.tls import client_context

        context = client_context(target.tls, check_hostname=target.check_hostname)
        return context.wrap_socket(sock, server_hostname=target.server_name or target.host)
    except BaseException:
        sock.close()
        raise
