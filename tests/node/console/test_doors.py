"""Tickets and consoles over HTTP and WebSocket, through a real server on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from vm_host import ID, VmHost, vm_host
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ovis.client import node_schema
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.console.doors import ConsoleDoors
from ovis.wire.endpoints import UnixEndpoint
from ovis.wire.listener import Server
from ovis.wire.service import Access

DEVICES = "<serial type='pty'/><graphics type='vnc' port='-1'/>"
JSON = "application/json"


class Door:
    def __init__(self, host: VmHost, path: str) -> None:
        self.host = host
        self.path = path

    async def post(self, wish: object, kind: str = JSON) -> tuple[int, dict[str, Any]]:
        body = wish if isinstance(wish, bytes) else json.dumps(wish).encode()
        reader, writer = await asyncio.open_unix_connection(self.path)
        head = f"POST /console/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        head_lines, _, data = answer.partition(b"\r\n\r\n")
        return int(head_lines.split()[1]), json.loads(data)

    async def ticket(self, **wish: Any) -> str:
        status, answer = await self.post({"vmID": ID, "kind": "serial", **wish})
        assert status == 201, answer
        found: str = answer["path"]
        return found

    @asynccontextmanager
    async def opened(self, path: str) -> AsyncIterator[ClientConnection]:
        async with unix_connect(self.path, f"ws://agent{path}", open_timeout=5, close_timeout=5) as client:
            yield client


def run(
    folder: Path,
    body: Callable[[Door], Awaitable[None]],
    access: frozenset[Access] = frozenset(Access),
    devices: str = DEVICES,
) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30), vm_host(folder) as host:
            await host.started(devices=devices)
            doors = ConsoleDoors(lambda: host.vms, asyncio.get_running_loop().time)
            node: Any = host
            bridge = Bridge(node, node_schema.load(), {}, CallLimits())
            path = str(folder / "socket")
            async with Server(
                bridge, [UnixEndpoint(path)], authorize=lambda _: access, routes=doors.routes, tunnels=doors.tunnels
            ):
                await body(Door(host, path))
            await host.until(lambda: len(host.vms.consoles) == 0)

    asyncio.run(whole())


def test_serial_console_goes_both_ways(tmp_path: Path) -> None:
    async def body(door: Door) -> None:
        async with door.opened(await door.ticket()) as client:
            guest = door.host.hypervisor.consoles.serial[ID]
            await client.send(b"ls\r")
            assert await guest.read() == b"ls\r"
            await guest.write(b"file\r\n")
            assert await client.recv() == b"file\r\n"
        assert await guest.read() == b""

    run(tmp_path, body)


def test_screen_goes_both_ways(tmp_path: Path) -> None:
    async def body(door: Door) -> None:
        async with door.opened(await door.ticket(kind="vnc")) as client:
            (screen,) = door.host.hypervisor.consoles.screens[ID]
            screen.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(screen, b"RFB 003.008\n")
            assert await client.recv() == b"RFB 003.008\n"
            await client.send(b"RFB 003.008\n")
            assert await loop.sock_recv(screen, 100) == b"RFB 003.008\n"
        assert await loop.sock_recv(screen, 100) == b""
        screen.close()

    run(tmp_path, body)


def test_vm_that_ends_closes_its_consoles(tmp_path: Path) -> None:
    async def body(door: Door) -> None:
        async with door.opened(await door.ticket()) as client:
            door.host.hypervisor.stop(ID)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.reason == "the domain is gone"

    run(tmp_path, body)


def test_console_is_taken_only_by_force(tmp_path: Path) -> None:
    async def body(door: Door) -> None:
        async with door.opened(await door.ticket()) as first:
            with pytest.raises(InvalidStatus) as refused:
                async with door.opened(await door.ticket()):
                    pass
            assert refused.value.response.status_code == 409
            async with door.opened(await door.ticket(force=True)):
                with pytest.raises(ConnectionClosed):
                    await first.recv()

    run(tmp_path, body)


def test_ticket_opens_once_and_a_guess_opens_nothing(tmp_path: Path) -> None:
    async def body(door: Door) -> None:
        path = await door.ticket()
        async with door.opened(path):
            pass
        for wrong in (path, "/console?ticket=guessed", "/console"):
            with pytest.raises(InvalidStatus) as refused:
                async with door.opened(wrong):
                    pass
            assert refused.value.response.status_code == 403

    run(tmp_path, body)


@pytest.mark.parametrize(
    ("wish", "kind", "status"),
    [
        ({"vmID": "22222222-2222-4333-8444-555555555555", "kind": "serial"}, JSON, 404),
        ({"vmID": ID, "kind": "spice"}, JSON, 400),
        ({"vmID": ID, "kind": "serial", "seconds": 0}, JSON, 400),
        ({"vmID": ID, "kind": "serial", "surprise": 1}, JSON, 400),
        ({"kind": "serial"}, JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b"\xff", JSON, 400),
        ({"vmID": ID, "kind": "serial"}, "text/plain", 415),
    ],
)
def test_bad_wish_is_refused(tmp_path: Path, wish: object, kind: str, status: int) -> None:
    async def body(door: Door) -> None:
        assert (await door.post(wish, kind))[0] == status

    run(tmp_path, body)


def test_tickets_need_the_right_to_administer(tmp_path: Path) -> None:
    async def body(door: Door) -> None:
        assert (await door.post({"vmID": ID, "kind": "serial"}))[0] == 403

    run(tmp_path, body, access=frozenset({Access.OBSERVE, Access.OPERATE}))


def test_vm_without_the_console_is_refused(tmp_path: Path) -> None:
    async def body(door: Door) -> None:
        assert (await door.post({"vmID": ID, "kind": "vnc"}))[0] == 409
        with pytest.raises(InvalidStatus) as refused:
            async with door.opened(await door.ticket()):
                pass
        assert refused.value.response.status_code == 409
        door.host.hypervisor.stop(ID)
        await door.host.until(lambda: door.host.vms.find(ID).is_down)
        assert (await door.post({"vmID": ID, "kind": "serial"}))[0] == 409

    run(tmp_path, body, devices="")
