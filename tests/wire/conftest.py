"""A real server in a thread with its own event loop, and plain blocking sockets to talk to it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest

from ovis.wire import certificates
from ovis.wire.certificates import MadeFiles
from ovis.wire.endpoints import PlainEndpoint, TlsEndpoint, UnixEndpoint
from ovis.wire.errors import RpcError
from ovis.wire.events import Bus, Subscription
from ovis.wire.limits import Limits
from ovis.wire.listener import Server
from ovis.wire.service import Caller
from ovis.wire.tls import client_context

DEADLINE = 10.0


class FakeService:
    """A service that behaves: answers at once, later, never, wrongly."""

    def __init__(self, limits: Limits) -> None:
        self.bus = Bus()
        self.event_limit = 1000
        self.release = asyncio.Event()
        self.seen: list[tuple[str, object, str]] = []
        self.blocked = 0

    def call_now(self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str) -> bytes | None:
        self.seen.append((method, msgspec.json.decode(params) if params is not None else None, flow))
        if method == "ping":
            return b"true"
        if method == "whoami":
            return msgspec.json.encode([caller.name, caller.transport, sorted(caller.access), caller.running])
        if method == "big":
            assert params is not None
            return b'"' + b"x" * msgspec.json.decode(params, type=list[int])[0] + b'"'
        return None

    async def call(self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str) -> bytes | msgspec.Raw:
        if method == "echo":
            return params if params is not None else b"null"
        if method == "block":
            self.blocked += 1
            await self.release.wait()
            return b'"released"'
        if method == "fail":
            raise ValueError("a fault of the service")
        raise RpcError(-32601, f"No method {method}", {"method": method})

    def subscribe(self, pattern: str, caller: Caller) -> Subscription:
        return self.bus.subscribe(pattern, limit=self.event_limit)


class Peer:
    """A blocking socket with the framings of a client, written anew here on purpose."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(DEADLINE)
        self.sock = sock
        self.buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def more(self) -> None:
        data = self.sock.recv(1 << 20)
        if not data:
            raise EOFError
        self.buffer += data

    def until(self, end: Callable[[bytes], int]) -> bytes:
        """Read until `end` finds where the first message ends."""
        while (at := end(self.buffer)) <= 0:
            self.more()
        message, self.buffer = self.buffer[:at], self.buffer[at:]
        return message

    def through(self, mark: bytes) -> bytes:
        """Read up to the end of the first `mark`."""
        return self.until(lambda data: data.index(mark) + len(mark) if mark in data else 0)

    def is_closed(self) -> bool:
        """Wait for the server to close; whatever it still says is dropped."""
        try:
            while True:
                self.buffer = b""
                self.more()
        except (EOFError, ConnectionError):
            return True

    # -- native

    def call(self, method: str, params: object = None, call_id: object = 1, **members: object) -> Any:
        self.send_json(request(method, params, call_id, **members))
        return self.receive()

    def send_json(self, message: object) -> None:
        self.send_text(json.dumps(message).encode())

    def send_text(self, text: bytes) -> None:
        self.send(struct.pack(">Q", len(text)) + text)

    def receive(self) -> Any:
        (size,) = struct.unpack(">Q", self.until(lambda data: 8 if len(data) >= 8 else 0))
        return json.loads(self.until(lambda data: size if len(data) >= size else 0))

    # -- STOMP

    def stomp(self, command: str, body: bytes = b"", **headers: str) -> None:
        lines = [command, *(f"{name.replace('_', '-')}:{value}" for name, value in headers.items())]
        if body:
            lines.append(f"content-length:{len(body)}")
        self.send("\n".join(lines).encode() + b"\n\n" + body + b"\0")

    def frame(self) -> tuple[str, dict[str, str], bytes]:
        while self.buffer.startswith(b"\n"):
            self.buffer = self.buffer[1:]
        head = self.through(b"\n\n").strip(b"\n").decode()
        command, *lines = head.split("\n")
        headers = dict(line.split(":", 1) for line in lines)
        size = int(headers.get("content-length", 0)) + 1
        return command, headers, self.until(lambda data: size if len(data) >= size else 0)[:-1]


def request(method: str, params: object = None, call_id: object = 1, **members: object) -> dict[str, object]:
    message: dict[str, object] = {"jsonrpc": "2.0", "method": method, **members}
    if params is not None:
        message["params"] = params
    if call_id is not ...:
        message["id"] = call_id
    return message


class Rig:
    def __init__(self, folder: Path, made: MadeFiles, limits: Limits, uvloop: bool, options: dict[str, Any]) -> None:
        self.made = made
        self.limits = limits
        self.path = str(folder / "socket")
        self._options = options
        self._uvloop = uvloop
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._peers: list[Peer] = []
        self.faults: list[dict[str, Any]] = []

    def _run(self) -> None:
        if self._uvloop:
            import uvloop

            uvloop.run(self._serve())
        else:
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))
        self.service = FakeService(self.limits)
        self._stop = asyncio.Event()
        endpoints = [PlainEndpoint(), UnixEndpoint(self.path), TlsEndpoint(self.made.node, "127.0.0.1", 0)]
        try:
            async with Server(self.service, endpoints, self.limits, **self._options) as self.server:
                self._ready.set()
                await self._stop.wait()
            await asyncio.sleep(0)
            self.left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        finally:
            self._ready.set()

    def start(self) -> Self:
        self._thread.start()
        assert self._ready.wait(DEADLINE)
        return self

    def stop(self) -> None:
        for peer in self._peers:
            peer.sock.close()
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        assert self.left == []
        assert self.faults == []

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE)

    def ask(self, function: Callable[[], Any]) -> Any:
        """Run a function on the server's loop."""

        async def run() -> Any:
            return function()

        return self.run(run())

    def eventually(self, claim: Callable[[], object]) -> None:
        """Wait until `claim`, asked on the server's loop, holds."""

        async def look() -> None:
            async with asyncio.timeout(DEADLINE):
                while not claim():  # noqa: ASYNC110 - any claim, not an event
                    await asyncio.sleep(0.005)

        self.run(look())

    def peer(self, kind: str = "plain") -> Peer:
        """A connected client: plain, unix, or tls with the administrator's certificate."""
        plain, path, tls = self.server.addresses
        if kind == "unix":
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(path))
        else:
            address = tls if kind == "tls" else plain
            assert isinstance(address, tuple)
            sock = socket.create_connection(address, DEADLINE)
            if kind == "tls":
                sock = client_context(self.made.admin).wrap_socket(sock, server_hostname="localhost")
        self._peers.append(Peer(sock))
        return self._peers[-1]

    def still_answers(self) -> bool:
        with self.peer() as other:
            return bool(other.call("ping") == {"jsonrpc": "2.0", "id": 1, "result": True})


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeFiles:
    return certificates.ensure(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=["uvloop", "asyncio"])
def serve(request: pytest.FixtureRequest, tmp_path: Path, made: MadeFiles) -> Iterator[Callable[..., Rig]]:
    """Start a server: `serve(message_bytes=1000)`; keyword arguments are limits, `options` go to Server."""
    rigs: list[Rig] = []

    def start(options: dict[str, Any] | None = None, **limits: Any) -> Rig:
        folder = tmp_path / str(len(rigs))
        folder.mkdir()
        rigs.append(Rig(folder, made, Limits(**limits), request.param == "uvloop", options or {}))
        return rigs[-1].start()

    yield start
    for rig in rigs:
        rig.stop()


@pytest.fixture
def rig(serve: Callable[..., Rig]) -> Rig:
    return serve()
