"""Size framing on one connection: a JSON-RPC message a frame, both ways, and events as notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.wire.dispatch import Dispatcher
from ovis.wire.errors import INVALID_REQUEST, ProtocolError, RpcError
from ovis.wire.framing import HEADER, SizeFramer
from ovis.wire.jsonrpc import NULL, encode_error
from ovis.wire.subscriptions import Subscriptions

if TYPE_CHECKING:
    from ovis.wire.link import Link


class NativeSession:
    def __init__(self, link: Link) -> None:
        self.completed = 0
        self._link = link
        self._framer = SizeFramer(link.hub.limits.message_bytes)
        self._subscriptions = Subscriptions(link, self._send)
        hub = link.hub
        self._dispatcher = Dispatcher(
            hub.service, link.caller, hub.calls, hub.limits, link.settled, self._subscriptions.methods
        )

    @property
    def pending(self) -> int:
        return self._framer.pending

    def feed(self, data: bytes) -> None:
        self._framer.push(data)
        self.resume()

    def resume(self) -> None:
        while not self._link.blocked:
            message = self._framer.pop()
            if message is None:
                return
            self.completed += 1
            self._dispatcher.receive(message, self._send)

    def refuse(self, error: ProtocolError) -> None:
        self._send(encode_error(NULL, RpcError(INVALID_REQUEST, f"Invalid request: {error}")))

    def closed(self) -> None:
        self._subscriptions.close()

    def _send(self, message: bytes) -> None:
        self._link.write(HEADER.pack(len(message)), message)
