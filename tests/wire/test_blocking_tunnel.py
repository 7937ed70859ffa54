"""The command line's end of a tunnel, against the real server."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ovis.wire.blocking_tunnel import BlockingTunnel, Refused
from ovis.wire.errors import ConnectionLost, ProtocolError
from ovis.wire.routes import HttpRequest, HttpResponse, fault
from ovis.wire.target import TcpTarget, UnixTarget

Serve = Callable[..., Any]


class Echo:
    """Speaks first, gives back what it gets, leaves at an empty line."""

    def __init__(self) -> None:
        self.reason = ""
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queue.put_nowait(b"hello")

    async def read(self) -> bytes:
        return await self._queue.get()

    async def write(self, data: bytes) -> None:
        self.reason = "left" if data == b"\n" else ""
        self._queue.put_nowait(b"" if data == b"\n" else data)

    async def close(self) -> None:
        pass


async def give(request: HttpRequest) -> HttpResponse:
    return HttpResponse(201, request.body) if request.body != b'{"no": 1}' else fault(409, "no")  # type: ignore[arg-type]


async def open_echo(request: HttpRequest) -> Echo | HttpResponse:
    return Echo() if request.query == "right" else fault(403, "wrong")  # type: ignore[arg-type]


@pytest.fixture
def rig(serve: Serve) -> Any:
    return serve(options={"routes": {("POST", "/ask"): give}, "tunnels": {"/echo": open_echo}})


def reached(rig: Any, kind: str) -> BlockingTunnel:
    if kind == "unix":
        return BlockingTunnel.connect(UnixTarget(rig.path))
    host, port = rig.server.addresses[2]
    return BlockingTunnel.connect(TcpTarget(host, port, rig.made.admin, server_name="localhost"))


def read(tunnel: BlockingTunnel, size: int) -> bytes:
    found = b""
    while len(found) < size and not tunnel.is_over:
        found += b"".join(tunnel.receive())
    return found


@pytest.mark.parametrize("kind", ["unix", "tls"])
def test_bytes_go_both_ways_after_a_post_on_the_same_connection(rig: Any, kind: str) -> None:
    tunnel = reached(rig, kind)
    assert tunnel.post("/ask", {"a": "ä"}) == {"a": "ä"}
    tunnel.open("/echo?right")
    assert read(tunnel, 5) == b"hello"
    for size in (1, 125, 126, 65535, 65536, 1_000_000):
        data = os.urandom(size)
        tunnel.send(data)
        assert read(tunnel, size) == data
    tunnel.send(b"\n")
    assert read(tunnel, 1) == b""
    assert (tunnel.is_over, tunnel.reason) == (True, "left")
    tunnel.close()


def test_refusals_carry_the_agents_words(rig: Any) -> None:
    tunnel = reached(rig, "unix")
    with pytest.raises(Refused, match="no") as refused:
        tunnel.post("/ask", {"no": 1})
    assert refused.value.status == 409
    with pytest.raises(Refused, match="wrong"):
        tunnel.open("/echo?false")
    tunnel.close()


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n", b"x" * 70000]
)
def test_other_servers_are_told_apart(answer: bytes) -> None:
    near, far = socket.socketpair()
    with near, far:
        far.sendall(answer)
        with pytest.raises(ProtocolError):
            BlockingTunnel(near, "there").post("/ask", {})


def test_lost_connection_is_said() -> None:
    near, far = socket.socketpair()
    with near:
        far.close()
        with pytest.raises(ConnectionLost):
            BlockingTunnel(near, "there").post("/ask", {})
