"""A WebSocket that carries bytes between its client and something else: a VM's screen or serial console.

The opener of a path (`routes.Tunnels`) looks at the request and gives the far end, or the answer that
refuses it. Only then is the WebSocket accepted. A message's bytes go to the far end as they come, where a message ends
means nothing; what comes back leaves in binary messages.

Neither end can make the other's data pile up: the client is not read while the far end takes nothing (which ends the
tunnel after `write_seconds`), and the far end is read only when the client has taken what came before. When one end
closes, so does the other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidOrigin
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ovis.wire.errors import ProtocolError
from ovis.wire.routes import FarEnd, TunnelBroken
from ovis.wire.websocket import is_from_a_known_page

if TYPE_CHECKING:
    from ovis.wire.link import Link

log = logging.getLogger(__name__)

MESSAGE_BYTES = 1 << 20
WAITING_BYTES = 256 * 1024
"""Of the client's bytes, not taken by the far end yet; above it nothing more is read."""
_NORMAL, _GOING_AWAY = 1000, 1001


class TunnelSession:
    """From the handshake on. The tasks are the hub's: they end when the server stops."""

    def __init__(self, link: Link, far: FarEnd) -> None:
        self.completed = 0
        self._link = link
        self._far = far
        self._protocol = ServerProtocol(max_size=MESSAGE_BYTES, select_subprotocol=_binary_if_offered)
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._come = asyncio.Event()
        self._began = False
        self._tasks = [
            link.hub.spawn(self._inward(), "tunnel to the far end"),
            link.hub.spawn(self._outward(), "tunnel from the far end"),
        ]
        self._accepted = asyncio.Event()

    @property
    def pending(self) -> int:
        return self._waiting_bytes

    # -- the session of a link

    def feed(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._accept(event)
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._take(bytes(event.data))
        self._transmit()

    def resume(self) -> None:
        self._transmit()

    def refuse(self, error: ProtocolError) -> None:
        self._hang_up(1002, str(error))

    def closed(self) -> None:
        for task in self._tasks:
            task.cancel()
        if not self._began:  # a task that is cancelled before its first step never gets to its `finally`
            self._link.hub.spawn(self._far.close(), "close the far end")

    # -- from the client

    def _accept(self, request: Request) -> None:
        if is_from_a_known_page(request, self._link.hub.origins):
            response = self._protocol.accept(request)
        else:
            response = self._protocol.reject(403, "This page may not connect here.\n")
            self._protocol.handshake_exc = InvalidOrigin(request.headers.get("Origin", ""))
        self._protocol.send_response(response)
        if self._protocol.state is State.OPEN:
            self._accepted.set()

    def _take(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self.completed += 1
        self._come.set()
        if self._waiting_bytes > WAITING_BYTES:
            self._link.hold(True)

    async def _inward(self) -> None:
        try:
            while True:
                self._come.clear()
                while self._waiting:
                    data = self._waiting.popleft()
                    async with asyncio.timeout(self._link.hub.limits.write_seconds):
                        await self._far.write(data)
                    self._waiting_bytes -= len(data)
                    if self._waiting_bytes <= WAITING_BYTES:
                        self._link.hold(False)
                self._link.proceed()  # it counts what waits
                await self._come.wait()
        except TimeoutError:
            self._hang_up(_GOING_AWAY, "The other side takes nothing")
        except (TunnelBroken, OSError) as error:
            self._hang_up(_GOING_AWAY, str(error))

    # -- to the client

    async def _outward(self) -> None:
        self._began = True
        try:
            await self._accepted.wait()
            while data := await self._far.read():
                self._protocol.send_binary(data)
                self._transmit()
                await self._link.writable()
            self._hang_up(_NORMAL, self._far.reason)
        finally:
            await self._far.close()

    def _hang_up(self, code: int, reason: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._transmit()
        self._link.close()

    def _transmit(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._link.write(data)
            else:  # the protocol's sign for the end
                self._link.close()


def _binary_if_offered(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Old clients of screens ask for it and leave when they do not get it."""
    return Subprotocol("binary") if "binary" in offered else None
