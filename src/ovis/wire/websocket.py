"""WebSocket on one connection, after the HTTP upgrade: one JSON-RPC message a frame, events as notifications.

The protocol is `websockets` without its I/O. Fragments are joined up to the limit of a message; nothing is compressed
(a small frame may not become a large one). A browser's page must come from this server or from an origin handed in: the
browser sends the user's certificate along for any page, and knows no preflight for WebSocket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidOrigin
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from ovis.wire.dispatch import Dispatcher
from ovis.wire.errors import ProtocolError, TooLarge
from ovis.wire.subscriptions import Subscriptions

if TYPE_CHECKING:
    from ovis.wire.link import Link

_TOO_LARGE = 1009
_PROTOCOL_ERROR = 1002


class WebSocketSession:
    def __init__(self, link: Link) -> None:
        self.completed = 0
        hub = link.hub
        self._link = link
        self._protocol = ServerProtocol(max_size=hub.limits.message_bytes)
        self._subscriptions = Subscriptions(link, self._send)
        self._dispatcher = Dispatcher(
            hub.service, link.caller, hub.calls, hub.limits, link.settled, self._subscriptions.methods
        )
        self._message = bytearray()
        self._waiting: deque[Request | Frame] = deque()
        self._half = 0  # bytes fed since the last whole message: the protocol's own count is not public

    @property
    def pending(self) -> int:
        return self._half

    def feed(self, data: bytes) -> None:
        self._half += len(data)
        self._protocol.receive_data(data)
        self._waiting += self._protocol.events_received()  # type: ignore[arg-type]
        self.resume()

    def resume(self) -> None:
        while self._waiting and not self._link.blocked:
            event = self._waiting.popleft()
            if isinstance(event, Request):
                self._accept(event)
            else:
                self._frame(event)
                self._half = len(self._message)
        self._half += sum(len(event.data) for event in self._waiting if isinstance(event, Frame))
        self._transmit()

    def refuse(self, error: ProtocolError) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.fail(_TOO_LARGE if isinstance(error, TooLarge) else _PROTOCOL_ERROR, str(error)[:100])
            self._transmit()

    def closed(self) -> None:
        self._subscriptions.close()

    def _accept(self, request: Request) -> None:
        self._half = 0
        if is_from_a_known_page(request, self._link.hub.origins):
            response = self._protocol.accept(request)
        else:
            response = self._protocol.reject(403, "This page may not connect here.\n")
            self._protocol.handshake_exc = InvalidOrigin(request.headers.get("Origin", ""))
        self._protocol.send_response(response)
        self._transmit()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return  # ping, pong and close are answered by the protocol
        self._message += frame.data
        if not frame.fin:
            return
        message = bytes(self._message)
        self._message.clear()
        self.completed += 1
        self._dispatcher.receive(message, self._send)

    def _send(self, message: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(message)
            self._transmit()

    def _transmit(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._link.write(data)
            else:  # the protocol's sign for the end
                self._link.close()


def is_from_a_known_page(request: Request, origins: Container[str]) -> bool:
    """Whether this is no browser, a page of this server, or one of `origins`."""
    origin = request.headers.get("Origin")
    if origin is None:  # not a browser
        return True
    _, _, place = origin.partition("://")
    return place == request.headers.get("Host") or origin in origins
