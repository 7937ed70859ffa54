"""What all connections of one server share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING

from ovis.wire.detect import Framing
from ovis.wire.dispatch import Calls
from ovis.wire.native_session import NativeSession
from ovis.wire.relay import Relay
from ovis.wire.stomp_session import StompSession

if TYPE_CHECKING:
    from ovis.wire.limits import Limits
    from ovis.wire.link import Link, Session
    from ovis.wire.routes import Routes, Tunnels
    from ovis.wire.service import Service


class Hub:
    def __init__(
        self, service: Service, limits: Limits, routes: Routes, origins: Iterable[str], tunnels: Tunnels
    ) -> None:
        self.service = service
        self.limits = limits
        self.routes = routes
        self.origins = frozenset(origins)
        self.tunnels = tunnels
        self.calls = Calls()
        self.relay = Relay()
        self.links: set[Link] = set()
        self.received = 0
        """Half-received bytes of all connections."""
        self.tasks: set[asyncio.Task[None]] = set()
        """Handshakes and event pumps: what may be cancelled without an answer."""
        self.gone: Callable[[Link], None] = lambda _: None

    def make_session(self, framing: Framing, link: Link) -> Session:
        if framing is Framing.SIZE:
            return NativeSession(link)
        if framing is Framing.STOMP:
            return StompSession(link)
        from ovis.wire.http import HttpSession  # here: h11 is loaded by the first who needs it

        return HttpSession(link)

    def spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        """Run `work` until it ends or the server stops."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
