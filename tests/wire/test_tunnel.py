"""WebSocket tunnels: bytes both ways, and nothing that piles up or stays behind."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ovis.wire.routes import FarEnd, HttpRequest, HttpResponse, TunnelBroken, fault

Serve = Callable[..., Any]
PATH = "/console"


class Far:
    """Keeps what it gets; `say` is what comes from the other side. `stuck` takes nothing."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.reason = ""
        self.reads = 0
        self.stuck = False
        self.broken = False
        self.is_closed = False
        self._out: asyncio.Queue[bytes] = asyncio.Queue()

    def say(self, data: bytes) -> None:
        self._out.put_nowait(data)

    async def read(self) -> bytes:
        self.reads += 1
        return await self._out.get()

    async def write(self, data: bytes) -> None:
        if self.broken:
            raise TunnelBroken("no longer there")
        if self.stuck:
            await asyncio.Event().wait()
        self.got += data

    async def close(self) -> None:
        self.is_closed = True


class Door:
    def __init__(self) -> None:
        self.far = Far()

    async def open(self, request: HttpRequest) -> FarEnd | HttpResponse:
        if request.query == "fail":
            raise ValueError("a fault of the opener")
        return self.far if request.query == "ticket=right" else fault(403, "Your ticket is not valid")  # type: ignore[arg-type]


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def tunnels(serve: Serve, door: Door) -> Any:
    return serve(options={"tunnels": {PATH: door.open}})


@contextmanager
def opened(rig: Any, query: str = "ticket=right", **options: Any) -> Iterator[ClientConnection]:
    host, port = rig.server.addresses[0]
    with connect(f"ws://{host}:{port}{PATH}?{query}", open_timeout=5, close_timeout=5, **options) as client:
        yield client


def test_bytes_go_both_ways(tunnels: Any, door: Door) -> None:
    with opened(tunnels) as client:
        client.send(b"\x00one")
        client.send("two")
        tunnels.ask(lambda: door.far.say(b"\xffanswer"))
        assert client.recv(timeout=5) == b"\xffanswer"
        tunnels.eventually(lambda: door.far.got == b"\x00onetwo")
    tunnels.eventually(lambda: door.far.is_closed)


def test_old_clients_of_screens_get_their_subprotocol(tunnels: Any) -> None:
    with opened(tunnels, subprotocols=["binary"]) as client:
        assert client.subprotocol == "binary"


@pytest.mark.parametrize(("query", "status"), [("ticket=wrong", 403), ("fail", 500)])
def test_refused_request_gets_an_answer_and_no_tunnel(tunnels: Any, query: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(tunnels, query):
        pass
    assert refused.value.response.status_code == status


def test_foreign_page_is_refused(tunnels: Any, door: Door) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(tunnels, origin="https://elsewhere.example"):
        pass
    assert refused.value.response.status_code == 403
    tunnels.eventually(lambda: door.far.is_closed)


def test_end_of_the_far_side_ends_the_connection_with_the_reason(tunnels: Any, door: Door) -> None:
    with opened(tunnels) as client:

        def end() -> None:
            door.far.reason = "the VM is off"
            door.far.say(b"")

        tunnels.ask(end)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "the VM is off")
    tunnels.eventually(lambda: door.far.is_closed)


def test_broken_far_side_ends_the_connection(tunnels: Any, door: Door) -> None:
    door.far.broken = True
    with opened(tunnels) as client:
        client.send(b"x")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.reason == "no longer there"
    tunnels.eventually(lambda: door.far.is_closed)


def test_far_side_that_takes_nothing_stops_the_reading_and_is_given_up(serve: Serve, door: Door) -> None:
    tunnels = serve(options={"tunnels": {PATH: door.open}}, write_seconds=1.5)
    door.far.stuck = True
    with opened(tunnels) as client:
        client.socket.settimeout(0.5)
        frame = b"\x82\xfe\xff\xff\x00\x00\x00\x00" + bytes(65535)
        with pytest.raises(TimeoutError):
            client.socket.sendall(200 * frame)  # the sockets' buffers are some megabytes
        (link,) = tunnels.ask(lambda: list(tunnels.server._hub.links))
        assert tunnels.ask(lambda: link.session.pending) < 1 << 20
        client.socket.close()
    tunnels.eventually(lambda: door.far.is_closed)


def test_client_that_reads_nothing_stops_the_far_side(tunnels: Any, door: Door) -> None:
    with tunnels.peer() as peer:
        peer.send(
            f"GET {PATH}?ticket=right HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        peer.through(b"\r\n\r\n")
        tunnels.ask(lambda: [door.far.say(bytes(1 << 20)) for _ in range(64)])
        tunnels.eventually(lambda: next(iter(tunnels.server._hub.links)).blocked)
        assert door.far.reads < 60
    tunnels.eventually(lambda: door.far.is_closed)
