"""The server: accepts on its endpoints, proves who connects, and hands each connection to a `Link`.

    accepted --TLS: handshake within detect_seconds--> identified --authorize--> Link
             --Unix: SO_PEERCRED---------------------> identified
             --plain TCP-----------------------------> anonymous

Nothing of this waits for anything else: each handshake is a task of its own, ended by its deadline or by `stop`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict

from ovis.wire.endpoints import Endpoint, TlsEndpoint, UnixEndpoint, listening_socket
from ovis.wire.hub import Hub
from ovis.wire.identity import PeerIdentity, authorize, from_certificate, from_unix_socket
from ovis.wire.limits import Limits
from ovis.wire.link import Link, PlainLink, TlsLink
from ovis.wire.service import Access, Caller
from ovis.wire.tls import ServerContexts

if TYPE_CHECKING:
    from ovis.wire.routes import Routes, Tunnels
    from ovis.wire.service import Service

log = logging.getLogger(__name__)

_KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
"""A host that is gone without a word is found after a minute."""
_ACCEPT_AGAIN_SECONDS = 1.0
_TLS_SHUTDOWN_SECONDS = 1.0
_FLUSH_SECONDS = 0.3
"""At stop, for the last answers to leave."""

Authorize = Callable[[PeerIdentity], frozenset[Access]]


class Server:
    """Listens while its context is entered.

    `stop` ends it in less than `grace` + 1 s: no new connections, calls in flight are answered or refused, and nothing
    (task, socket, socket file) is left.
    """

    def __init__(
        self,
        service: Service,
        endpoints: Iterable[Endpoint],
        limits: Limits | None = None,
        *,
        authorize: Authorize = authorize,
        routes: Routes | None = None,
        origins: Iterable[str] = (),
        tunnels: Tunnels | None = None,
    ) -> None:
        """`routes`: see `http`, `tunnels`: see `tunnel`.

        `origins`: web pages that may use WebSocket besides this server's own.
        """
        self._hub = Hub(service, limits or Limits(), routes or {}, origins, tunnels or {})
        self._hub.gone = self._gone
        self._endpoints = tuple(endpoints)
        self._authorize = authorize
        self._listening: list[_Listening] = []
        self._stopped = False
        self._empty = asyncio.Event()

    @property
    def addresses(self) -> list[str | tuple[str, int]]:
        """One for each endpoint: the path, or host and the real port."""
        return [listening.address for listening in self._listening]

    @property
    def connections(self) -> int:
        return len(self._hub.links)

    @property
    def running(self) -> int:
        """Calls in flight."""
        return len(self._hub.calls.tasks)

    async def __aenter__(self) -> Self:
        try:
            for endpoint in self._endpoints:
                self._listen(endpoint)
        except BaseException:
            await self.stop(grace=0)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self, *, grace: float = 1.0) -> None:
        """Safe to repeat."""
        if self._stopped:
            return
        self._stopped = True
        for listening in self._listening:
            await listening.close()
        await self._hub.calls.finish(grace=grace)
        tasks = tuple(self._hub.tasks)
        for task in tasks:
            task.cancel()
        links = tuple(self._hub.links)
        for link in links:
            link.close()
        if tasks:
            await asyncio.wait(tasks, timeout=_FLUSH_SECONDS)
        if self._hub.links:
            await self._all_gone(_FLUSH_SECONDS)
        for link in tuple(self._hub.links):
            link.cut()
        if self._hub.links:
            await self._all_gone(_FLUSH_SECONDS)

    async def _all_gone(self, seconds: float) -> None:
        """Wait until the last connection has gone, or `seconds` are over."""
        self._empty.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            log.debug("%d connections are left", len(self._hub.links))

    def _listen(self, endpoint: Endpoint) -> None:
        listening = _Listening(endpoint)
        self._listening.append(listening)
        listening.accepting = asyncio.get_running_loop().create_task(
            self._accept(listening), name=f"accept at {listening.address}"
        )
        listening.accepting.add_done_callback(_report)
        log.info("Listening at %s", listening.address)

    async def _accept(self, listening: _Listening) -> None:
        loop = asyncio.get_running_loop()
        limit = self._hub.limits.connections
        while True:
            try:
                sock, peer = await loop.sock_accept(listening.sock)
            except ConnectionError:  # it left while it waited for us
                continue
            except OSError as error:  # no file descriptors or memory left: others may give some back
                log.warning("Cannot accept at %s: %s", listening.address, error)
                await asyncio.sleep(_ACCEPT_AGAIN_SECONDS)
                continue
            if len(listening.connections) >= limit:
                if not listening.full:  # once, not for every connection of a flood
                    log.warning("%d connections are open at %s, more are refused", limit, listening.address)
                listening.full = True
                sock.close()
                continue
            listening.full = False
            kind = PlainLink if listening.contexts is None else TlsLink
            link = kind(self._hub, lambda transport: self._admit(transport, listening))
            listening.connections.add(link)
            self._hub.spawn(self._connect(sock, _address(peer), link, listening), "connect")

    def _gone(self, link: Link) -> None:
        for listening in self._listening:
            listening.connections.discard(link)
        if not self._hub.links:
            self._empty.set()

    # -- a new connection

    async def _connect(self, sock: socket.socket, address: str, link: Link, listening: _Listening) -> None:
        """Give an accepted socket to the loop and see the TLS handshake through; then the link lives by itself."""
        served = False
        try:
            _keep_alive(sock)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: link, sock, **self._tls(listening))
            served = True
        except (OSError, ssl.SSLError) as error:  # a handshake out of time is a ConnectionAbortedError
            log.info("No connection with %s: %s", address, error)
        finally:
            if not served:
                self._gone(link)
                sock.close()

    def _tls(self, listening: _Listening) -> _TlsOptions:
        if listening.contexts is None:
            return {}
        return {
            "ssl": listening.contexts.current(),
            "ssl_handshake_timeout": self._hub.limits.detect_seconds,
            "ssl_shutdown_timeout": _TLS_SHUTDOWN_SECONDS,
        }

    def _admit(self, transport: asyncio.Transport, listening: _Listening) -> Caller:
        """Who the transport proves to be at the other end."""
        if isinstance(listening.endpoint, UnixEndpoint):
            identity = from_unix_socket(transport.get_extra_info("socket").fileno(), listening.endpoint.path)
        else:
            address = _address(transport.get_extra_info("peername"))
            if listening.contexts is not None:
                identity = from_certificate(transport.get_extra_info("peercert") or {}, address)
            else:
                identity = PeerIdentity("tcp", address, "anonymous")
        caller = Caller(identity.name, identity.transport, identity.address, self._authorize(identity))
        log.debug("%s connected from %s by %s", caller.name, caller.address, caller.transport)
        return caller


class _TlsOptions(TypedDict, total=False):
    ssl: ssl.SSLContext
    ssl_handshake_timeout: float
    ssl_shutdown_timeout: float


class _Listening:
    """One endpoint that listens."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.contexts = ServerContexts(endpoint.files) if isinstance(endpoint, TlsEndpoint) else None
        self.endpoint = endpoint
        self.sock = listening_socket(endpoint)
        self.sock.setblocking(False)
        self.connections: set[Link] = set()
        self.full = False
        self.accepting: asyncio.Task[None] | None = None
        self.address: str | tuple[str, int]
        self.address = endpoint.path if isinstance(endpoint, UnixEndpoint) else self.sock.getsockname()[:2]
        self._inode = os.stat(endpoint.path).st_ino if isinstance(endpoint, UnixEndpoint) else 0

    async def close(self) -> None:
        if self.accepting is not None:
            self.accepting.cancel()
            await asyncio.wait([self.accepting])
        self.sock.close()
        if isinstance(self.endpoint, UnixEndpoint):
            self._unlink(self.endpoint.path)

    def _unlink(self, path: str) -> None:
        try:
            if os.stat(path).st_ino == self._inode:  # a successor may have put its own there
                os.unlink(path)
        except FileNotFoundError:
            pass


def _report(accepting: asyncio.Task[None]) -> None:
    """An endpoint that stopped accepting by a fault of ours must not go unnoticed."""
    if not accepting.cancelled() and (error := accepting.exception()) is not None:
        log.critical("%s: ended, no new connections are served", accepting.get_name(), exc_info=error)


def _keep_alive(sock: socket.socket) -> None:
    if sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option, value in _KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _address(peer: object) -> str:
    """`host:port` of a socket name."""
    if isinstance(peer, tuple) and len(peer) >= 2:
        return f"[{peer[0]}]:{peer[1]}" if ":" in str(peer[0]) else f"{peer[0]}:{peer[1]}"
    return "a local process"
