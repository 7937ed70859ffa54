"""The load: a process of its own with any number of connections, each of which sends its next call when the last is
answered. It also takes the agent's CPU time at the first call and after the last answer.

With many connections one process serves them all: sixteen would take the agent's core away on a small machine.
"""

from __future__ import annotations

import multiprocessing
import os
import selectors
import socket
import ssl
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Self

import machine
from calls import STOMP_HELLO, STOMP_READY, Framing, answer_length, is_error
from rows import Load, load_since

from ovis.wire.tls import TlsFiles, client_context

_CHUNK = 1 << 20
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
"""A load that gets no answer for so long has failed."""


class LoadFailed(Exception):
    """An answer was an error, or none came."""


@dataclass(frozen=True)
class Address:
    """TCP address of the agent; `tls` holds the client's files."""

    host: str
    port: int
    tls: TlsFiles | None = None


@dataclass(frozen=True)
class Work:
    """`requests`: one for each connection, whole with its framing. At least one call each is made."""

    address: Address
    framing: Framing
    requests: tuple[bytes, ...]
    seconds: float
    agent: int
    """Process number."""
    one_core: bool = False
    """Agent and load share a core: what waking up the other core costs is not counted."""


@dataclass(frozen=True)
class Outcome:
    """`seconds` in all, `cpu` seconds of the agent and of the load itself, `latencies` in seconds."""

    calls: int
    seconds: float
    cpu: float
    own_cpu: float
    answer_bytes: int
    latencies: list[float] = field(repr=False)
    load: Load


class LoadProcess(AbstractContextManager["LoadProcess"]):
    """Ends with its context, and when nobody holds the other end of its pipe."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, work: Work) -> Outcome:
        """Raises LoadFailed."""
        self.start(work)
        return self.finish(work.seconds)

    def start(self, work: Work) -> None:
        self._pipe.send(work)

    def finish(self, seconds: float) -> Outcome:
        if not self._pipe.poll(seconds + 2 * _ANSWER_SECONDS):
            raise LoadFailed("the load process does not end")
        outcome = self._pipe.recv()
        if isinstance(outcome, Exception):
            raise LoadFailed(str(outcome)) from outcome
        assert isinstance(outcome, Outcome)
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(2)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(pipe: Pipe) -> None:
    while True:
        try:
            work = pipe.recv()
        except EOFError:
            return
        try:
            with machine.on_one_core(work.agent, os.getpid()) if work.one_core else nullcontext():
                outcome = _run(work)
            pipe.send(outcome)
        except (LoadFailed, OSError) as error:
            pipe.send(LoadFailed(f"{type(error).__name__}: {error}"))


def connect(address: Address, framing: Framing) -> socket.socket:
    """A connection that is ready for calls."""
    sock = socket.create_connection((address.host, address.port), timeout=_CONNECT_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.tls is not None:
        sock = client_context(address.tls).wrap_socket(sock, server_hostname="localhost")
    if framing is Framing.STOMP:
        sock.sendall(STOMP_HELLO)
        seen = b""
        while STOMP_READY not in seen:
            data = sock.recv(4096)
            if not data:
                raise LoadFailed(f"the agent closed the connection: {seen!r}")
            seen += data
    return sock


class _Client:
    """One connection and its call in flight."""

    __slots__ = ("begun", "expected", "framing", "head", "latencies", "received", "request", "sock")

    def __init__(self, sock: socket.socket, framing: Framing, request: bytes) -> None:
        self.sock = sock
        self.framing = framing
        self.request = request
        self.begun = 0.0
        self.head = b""
        self.received = 0
        self.expected = 0
        self.latencies: list[float] = []

    def send(self) -> None:
        self.received = self.expected = 0
        self.head = b""
        self.begun = time.perf_counter()
        self.sock.sendall(self.request)

    def receive(self, buffer: memoryview) -> bool:
        """Take what is there; True when the answer is whole."""
        while True:
            try:
                count = self.sock.recv_into(buffer)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if count == 0:
                raise LoadFailed("the agent closed the connection")
            self.received += count
            if not self.expected:
                self._begin(bytes(buffer[: min(count, 4096)]))
            if self.expected and self.received >= self.expected:
                self.latencies.append(time.perf_counter() - self.begun)
                return True

    def _begin(self, data: bytes) -> None:
        self.head += data
        length = answer_length(self.framing, self.head)
        if length is not None:
            self.expected = length
            if is_error(self.head):
                raise LoadFailed(f"the agent answered an error: {self.head[:600]!r}")


def _run(work: Work) -> Outcome:
    clients: list[_Client] = []
    try:
        for request in work.requests:
            clients.append(_Client(connect(work.address, work.framing), work.framing, request))
        return _measure(work, clients)
    finally:
        for client in clients:
            client.sock.close()


def _measure(work: Work, clients: list[_Client]) -> Outcome:
    buffer = memoryview(bytearray(_CHUNK))
    selector = selectors.EpollSelector()
    for client in clients:
        client.sock.settimeout(_ANSWER_SECONDS)
        selector.register(client.sock, selectors.EVENT_READ, client)
    machine_before, own_before = machine.cpu_times(), time.process_time()
    cpu_before, begin = machine.cpu_seconds(work.agent), time.perf_counter()
    end = begin + work.seconds
    for client in clients:
        client.send()
        client.sock.setblocking(False)
    waiting = len(clients)
    while waiting:
        ready = selector.select(_ANSWER_SECONDS)
        if not ready:
            raise LoadFailed(f"no answer within {_ANSWER_SECONDS:.0f} s")
        more = time.perf_counter() < end
        for key, _ in ready:
            if key.data.receive(buffer):
                if more:
                    key.data.send()
                else:
                    waiting -= 1
    seconds = time.perf_counter() - begin
    cpu = machine.cpu_seconds(work.agent) - cpu_before
    latencies = [latency for client in clients for latency in client.latencies]
    return Outcome(
        calls=len(latencies),
        seconds=seconds,
        cpu=cpu,
        own_cpu=time.process_time() - own_before,
        answer_bytes=clients[0].expected,
        latencies=latencies,
        load=load_since(machine_before),
    )
