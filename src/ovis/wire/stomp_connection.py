"""The asyncio client in STOMP 1.2, for agents that know no other framing: the existing ones, in a mixed cluster.

    async with await StompConnection.open(TcpTarget("host", tls=files)) as agent:
        result = await agent.call("Host.ping2", None, timeout=5)

Calls only: events of such an agent cannot be subscribed to here. Facts: reference/vdsm.md, 1.2 and 1.3.
"""

from __future__ import annotations

import asyncio
import uuid

from ovis.wire.connection import Connection, Wire
from ovis.wire.errors import ProtocolError
from ovis.wire.events import Subscription
from ovis.wire.stomp import Frame, StompParser, encode

REQUESTS = "jms.topic.vdsm_requests"
ERROR_TEXT = 300


class StompConnection(Connection):
    """Made by `open`."""

    def _new_wire(self, limit: int) -> Wire:
        return _StompWire(self, limit)

    async def subscribe(self, pattern: str, *, timeout: float = 0.0) -> Subscription:  # noqa: ASYNC109 - as in the base
        raise NotImplementedError("events come over the native framing")


class _StompWire(Wire):
    """Answers come to a destination of our own making, which nobody else knows."""

    def __init__(self, connection: StompConnection, limit: int) -> None:
        super().__init__(connection, limit)
        self._answers = str(uuid.uuid4())
        self._parser = StompParser(limit)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self._transport is not None
        self._transport.write(encode("CONNECT", {"accept-version": "1.2"}))  # without heart-beats
        self._transport.write(
            encode("SUBSCRIBE", {"destination": self._answers, "id": str(uuid.uuid4()), "ack": "auto"})
        )

    def send(self, message: bytes) -> None:
        assert self._transport is not None
        head = {"destination": REQUESTS, "reply-to": self._answers, "content-type": "application/json"}
        self._transport.write(encode("SEND", head, message))

    def data_received(self, data: bytes) -> None:
        self._parser.push(data)
        try:
            while (frame := self._parser.pop()) is not None:
                self._take(frame)
        except ProtocolError as error:
            self.close(str(error))

    def _take(self, frame: Frame) -> None:
        if frame.command == "MESSAGE":
            self._connection.received(frame.body)
        elif frame.command == "ERROR":
            told = frame.headers.get("message") or frame.body.decode("utf-8", "replace")
            raise ProtocolError(f"The server answers with an ERROR frame: {told[:ERROR_TEXT]}")
