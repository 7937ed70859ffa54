"""Connections to libvirt of one generation: one that delivers the events, and one for each call under way.

Why no two calls share a connection: with one call pending on it (a QEMU that does not answer), other calls on the same
connection stop for 5 s now and then, until libvirtd's next keep-alive message wakes the client library (libvirt 9.0,
seen in 3 of 18 calls; on a connection of their own 0 of 300, 0.6 ms at most). Also libvirtd reads no further from a
connection with `max_client_requests` (5) calls under way, not even keep-alives. A connection costs 0.9 ms to open.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator

import libvirt

from ovis.node.hypervisor import libvirt_events
from ovis.node.hypervisor.libvirt_errors import is_lost

KEEPALIVE_SECONDS = 5
KEEPALIVE_COUNT = 5  # a silent daemon is given up after 30 s: long enough for a loaded host, not measured further

Closed = Callable[[libvirt.virConnect, int, object], None]


class Links:
    """Used from many threads; every method may block. Raises libvirt.libvirtError."""

    def __init__(self, uri: str, publish: libvirt_events.Publish, closed: Closed) -> None:
        """Opens the first connection; its events begin before the constructor returns."""
        self._uri = uri
        self._lock = threading.Lock()
        self._idle: list[libvirt.virConnect] = []
        self._closed = False
        self._events = open_connection(uri)
        self._callbacks: list[int] = []
        try:
            _unless_unsupported(lambda: self._events.registerCloseCallback(closed, None))
            self._callbacks = libvirt_events.register(self._events, publish)
        except libvirt.libvirtError:
            self.close()
            raise

    @property
    def lost(self) -> bool:
        """Asks this process only, not the daemon."""
        return is_lost(self._events)

    @contextlib.contextmanager
    def borrow(self) -> Iterator[libvirt.virConnect]:
        """A connection for one call at a time: an idle one, or a new one."""
        connection = self._take() or open_connection(self._uri)
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Connections under way are closed when they are given back. Without this the callbacks would hold libvirt's
        objects for ever."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        libvirt_events.deregister(self._events, self._callbacks)
        with contextlib.suppress(libvirt.libvirtError):
            self._events.unregisterCloseCallback()
        for connection in (*idle, self._events):
            _close(connection)

    def _take(self) -> libvirt.virConnect | None:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or not is_lost(connection):
                return connection
            _close(connection)

    def _give_back(self, connection: libvirt.virConnect) -> None:
        if not is_lost(connection):
            with self._lock:
                if not self._closed:
                    self._idle.append(connection)
                    return
        _close(connection)


def open_connection(uri: str) -> libvirt.virConnect:
    """One that notices a dead daemon. Raises libvirt.libvirtError."""
    connection = libvirt.open(uri)
    try:
        _unless_unsupported(lambda: connection.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_COUNT))
    except libvirt.libvirtError:
        _close(connection)
        raise
    return connection


def _unless_unsupported(prepare: Callable[[], object]) -> None:
    try:
        prepare()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:  # a driver inside this process cannot be lost
            raise


def _close(connection: libvirt.virConnect) -> None:
    with contextlib.suppress(libvirt.libvirtError):
        connection.close()
