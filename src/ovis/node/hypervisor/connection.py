"""Keeps a generation of connections to libvirt open: notices its loss and opens the next one."""

import asyncio
import contextlib
import logging
import threading

import libvirt

from ovis.node.hypervisor import event_loop
from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorError, HypervisorLost, ThreadsExhausted
from ovis.node.hypervisor.events import ConnectionLost, ConnectionRestored, Event
from ovis.node.hypervisor.libvirt_names import words
from ovis.node.hypervisor.links import Links
from ovis.node.hypervisor.pools import Pool
from ovis.node.hypervisor.subscriptions import EventHub

log = logging.getLogger(__name__)

OPEN_DEADLINE = 10.0
BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # the last one repeats
_CLOSE_REASONS = words("VIR_CONNECT_CLOSE_REASON_")


class Connection:
    def __init__(self, uri: str, hub: EventHub) -> None:
        self._uri = uri
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._links: Links | None = None
        self._old: list[Links] = []
        self._reason = "not connected yet"
        self._wake = asyncio.Event()
        self._first = asyncio.Event()
        self._pool = Pool("connection", threads=2)
        self._keeper: asyncio.Task[None] | None = None
        event_loop.start()

    @property
    def connected(self) -> bool:
        return self._links is not None

    @property
    def links(self) -> Links:
        """Raises HypervisorLost at once while there are none."""
        if self._links is None:
            raise HypervisorLost(self._reason)
        return self._links

    async def start(self, *, wait: float) -> None:
        """Begin to connect and give it `wait` seconds; without success go on trying behind the scene."""
        self._keeper = asyncio.create_task(self._keep(), name="libvirt connection")
        try:
            async with asyncio.timeout(wait):
                await self._first.wait()
        except TimeoutError:
            if wait:
                log.warning("%s does not answer yet (%s), going on without", self._uri, self._reason)

    def report_lost(self, links: Links, reason: str) -> None:
        """`links` are dead. Those of an older generation change nothing."""
        if links is not self._links:
            return
        self._links = None
        self._reason = reason
        self._old.append(links)
        log.warning("lost the connection to %s: %s", self._uri, reason)
        self._hub.publish(ConnectionLost(reason))
        self._wake.set()

    async def close(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._links:
            self._old.append(self._links)
        self._links = None
        self._reason = "the agent has closed its connection"
        await self._dispose()
        self._pool.close()

    async def _keep(self) -> None:
        while True:
            await self._connect()
            log.info("connected to %s", self._uri)
            self._hub.publish(ConnectionRestored())  # the first time only for who did not wait for it
            self._first.set()
            await self._wake.wait()
            self._wake.clear()
            await self._dispose()

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
                if links.lost:  # between opening and here: was told while nobody held these links
                    self.report_lost(links, "closed right after opening")
                return
            await asyncio.sleep(BACKOFF[min(attempt, len(BACKOFF) - 1)])
            attempt += 1

    async def _open(self) -> Links:
        given_up = threading.Event()

        def work() -> Links:
            links = Links(self._uri, self._publish, self._closed)
            if given_up.is_set():
                links.close()
            return links

        try:
            return await self._pool.run("connect", work, deadline=OPEN_DEADLINE)
        except libvirt.libvirtError as error:
            raise HypervisorLost(error.get_error_message() or str(error)) from error
        except (DeadlineExceeded, ThreadsExhausted, asyncio.CancelledError):
            given_up.set()
            raise

    async def _dispose(self) -> None:
        while self._old:
            try:
                await self._pool.run("disconnect", self._old.pop().close, deadline=OPEN_DEADLINE)
            except HypervisorError as error:
                log.warning("closing the connection to %s: %s", self._uri, error)

    def _publish(self, event: Event) -> None:
        """From libvirt's event thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
            self._loop.call_soon_threadsafe(self._hub.publish, event)

    def _closed(self, _: libvirt.virConnect, reason: int, __: object) -> None:
        """From libvirt's event thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._note_closed, _CLOSE_REASONS.get(reason, "unknown"))

    def _note_closed(self, reason: str) -> None:
        if self._links and self._links.lost:  # else it was one of an older generation
            self.report_lost(self._links, f"closed ({reason})")
