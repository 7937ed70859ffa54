"""The connections to libvirt: opened together, lost together, opened again.

Each pool has a connection of its own. libvirtd reads no more from a connection with `max_client_requests` (5) calls
under way, not even keep-alives, so a few stuck QEMUs would otherwise take the whole agent off the bus. No pool has more
than 4 threads. All pools together stay within libvirtd's `max_workers` (20), and only some of their calls can stick.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import libvirt

from ovis.node.hypervisor import event_loop, libvirt_events
from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorError, HypervisorLost, ThreadsExhausted
from ovis.node.hypervisor.events import ConnectionLost, ConnectionRestored, Event
from ovis.node.hypervisor.libvirt_errors import is_lost
from ovis.node.hypervisor.libvirt_names import words
from ovis.node.hypervisor.pools import Pool
from ovis.node.hypervisor.subscriptions import EventHub

log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 5
KEEPALIVE_COUNT = 5  # a silent daemon is given up after 30 s: long enough for a loaded host, not measured further
OPEN_DEADLINE = 10.0
BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # the last one repeats
_CLOSE_REASONS = words("VIR_CONNECT_CLOSE_REASON_")


@dataclass(frozen=True)
class Links:
    """One generation of connections, by the name of their pool. The first one delivers the events."""

    connections: dict[str, libvirt.virConnect]
    callbacks: list[int]

    def close(self) -> None:
        """Blocks. Without it the callbacks would hold the connections for ever."""
        connections = list(self.connections.values())
        if connections:
            libvirt_events.deregister(connections[0], self.callbacks)
        for connection in connections:
            with contextlib.suppress(libvirt.libvirtError):
                connection.unregisterCloseCallback()
            with contextlib.suppress(libvirt.libvirtError):
                connection.close()


class Connection:
    def __init__(self, uri: str, roles: Iterable[str], hub: EventHub) -> None:
        self._uri = uri
        self._roles = tuple(roles)
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._links: Links | None = None
        self._old: Links | None = None
        self._reason = "not connected yet"
        self._wake = asyncio.Event()
        self._first = asyncio.Event()
        self._pool = Pool("connection", threads=2)
        self._keeper: asyncio.Task[None] | None = None
        event_loop.start()

    @property
    def connected(self) -> bool:
        return self._links is not None

    async def start(self, *, wait: float) -> None:
        """Begin to connect and give it `wait` seconds; without success go on trying behind the scene."""
        self._keeper = asyncio.create_task(self._keep(), name="libvirt connection")
        try:
            async with asyncio.timeout(wait):
                await self._first.wait()
        except TimeoutError:
            log.warning("%s does not answer yet (%s), going on without", self._uri, self._reason)

    def of(self, role: str) -> libvirt.virConnect:
        if self._links is None:
            raise HypervisorLost(self._reason)
        return self._links.connections[role]

    def report_lost(self, connection: libvirt.virConnect, reason: str) -> None:
        """`connection` is dead. One of an older generation changes nothing."""
        links = self._links
        if links is None or all(known is not connection for known in links.connections.values()):
            return
        self._links = None
        self._reason = reason
        log.warning("lost the connection to %s: %s", self._uri, reason)
        self._hub.publish(ConnectionLost(reason))
        self._old = links
        self._wake.set()

    async def close(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        links, self._links = [links for links in (self._links, self._old) if links], None
        self._reason = "the agent has closed its connection"
        for generation in links:
            await self._dispose(generation)
        self._pool.close()

    async def _keep(self) -> None:
        await self._connect()
        self._first.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._old:
                await self._dispose(self._old)
                self._old = None
            await self._connect()
            log.info("connected to %s again", self._uri)
            self._hub.publish(ConnectionRestored())

    async def _connect(self) -> None:
        attempt = 0
        while True:
            try:
                links = await self._open()
            except HypervisorError as error:
                self._reason = str(error)
                if attempt == 0:
                    log.warning("cannot connect to %s: %s", self._uri, error)
            else:
                self._links = links
                # A loss between opening and here was reported while nobody held these links.
                for connection in links.connections.values():
                    if is_lost(connection):
                        self.report_lost(connection, "closed right after opening")
                return
            await asyncio.sleep(BACKOFF[min(attempt, len(BACKOFF) - 1)])
            attempt += 1

    async def _open(self) -> Links:
        given_up = threading.Event()
        work = _Opening(self._uri, self._roles, self._publish, self._closed, given_up)
        try:
            return await self._pool.run("connect", work, deadline=OPEN_DEADLINE)
        except libvirt.libvirtError as error:
            raise HypervisorLost(error.get_error_message() or str(error)) from error
        except (DeadlineExceeded, ThreadsExhausted, asyncio.CancelledError):
            given_up.set()
            raise

    async def _dispose(self, links: Links) -> None:
        try:
            await self._pool.run("disconnect", links.close, deadline=OPEN_DEADLINE)
        except HypervisorError as error:
            log.warning("closing the connection to %s: %s", self._uri, error)

    def _publish(self, event: Event) -> None:
        """From libvirt's event thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
            self._loop.call_soon_threadsafe(self._hub.publish, event)

    def _closed(self, connection: libvirt.virConnect, reason: int, _: object) -> None:
        """From libvirt's event thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(
                self.report_lost, connection, f"closed ({_CLOSE_REASONS.get(reason, 'unknown')})"
            )


@dataclass(frozen=True)
class _Opening:
    """Opens one generation; blocks. All or nothing."""

    uri: str
    roles: tuple[str, ...]
    publish: Callable[[Event], None]
    closed: Callable[[libvirt.virConnect, int, object], None]
    given_up: threading.Event

    def __call__(self) -> Links:
        links = Links({}, [])
        try:
            for role in self.roles:
                links.connections[role] = self._open()
            links.callbacks.extend(libvirt_events.register(links.connections[self.roles[0]], self.publish))
        except libvirt.libvirtError:
            links.close()
            raise
        if self.given_up.is_set():
            links.close()
        return links

    def _open(self) -> libvirt.virConnect:
        connection = libvirt.open(self.uri)
        try:
            connection.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_COUNT)
            connection.registerCloseCallback(self.closed, None)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:  # a driver inside this process cannot be lost
                connection.close()
                raise
        return connection
