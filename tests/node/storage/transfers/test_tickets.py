"""Tickets at a real daemon."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Awaitable
from pathlib import Path
from threading import Thread

import pytest

from deploy.image_daemon.daemon import ImageDaemon as RunningDaemon
from ovis.client.types import ImageTicket, ImageTicketInfo, ImageTicketOps
from ovis.node.errors import BadParameter
from ovis.node.storage.transfers.errors import DaemonFailed, DaemonMissing, TicketRefused
from ovis.node.storage.transfers.image_daemon import ImageDaemon
from ovis.node.storage.transfers.tickets import Places, Tickets

ID = "2d7a1a2e-3f5b-4a55-9d3a-0a0a0a0a0a01"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    disk = tmp_path / "allowed/disk"
    disk.parent.mkdir()
    disk.write_bytes(bytes(1 << 20))
    return disk


@pytest.fixture
def tickets(image_daemon: RunningDaemon, disk: Path) -> Tickets:
    return Tickets(ImageDaemon(image_daemon.control), Places(files=[disk.parent], sockets=[disk.parent]))


def ticket(url: str, **changes: object) -> ImageTicket:
    values: dict[str, object] = {
        "uuid": ID, "size": 1 << 20, "url": url, "timeout": 300, "ops": [ImageTicketOps.READ], "filename": "disk.raw"
    }  # fmt: skip
    return ImageTicket(**values | changes)  # type: ignore[arg-type]


def run(work: Awaitable[object]) -> object:
    async def main() -> object:
        return await work

    return asyncio.run(main())


def test_ticket_is_given_prolonged_and_taken_away(tickets: Tickets, disk: Path) -> None:
    run(tickets.add(ticket(f"file://{disk}")))
    info = run(tickets.read(ID))
    assert isinstance(info, ImageTicketInfo)
    assert (info.size, info.url, info.active, info.transferred) == (1 << 20, f"file://{disk}", False, 0)
    run(tickets.extend(ID, 600))
    run(tickets.remove(ID))
    run(tickets.remove(ID))  # gone is gone
    with pytest.raises(TicketRefused) as refused:
        run(tickets.read(ID))
    assert ID not in str(refused.value)


def test_ticket_that_nobody_gave_cannot_be_prolonged(tickets: Tickets) -> None:
    with pytest.raises(TicketRefused):
        run(tickets.extend(str(uuid.uuid4()), 60))


def hostile(folder: Path) -> list[str]:
    (folder / "link").symlink_to("/etc/passwd")
    return [
        "file:///etc/passwd",
        f"file://{folder}/link",
        f"file://{folder}/../../../../../../etc/passwd",
        f"file://{folder}/missing",
        f"file://{folder}/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        f"file://elsewhere{folder}/disk",
        "file:disk",
        "nbd:unix:/run/other.sock",
        "nbd://elsewhere:10809/disk",
        "https://elsewhere/images/1",
        "",
    ]


def test_ticket_opens_nothing_else(tickets: Tickets, disk: Path) -> None:
    for url in hostile(disk.parent):
        with pytest.raises(BadParameter, match=r"ticket\.url"):
            run(tickets.add(ticket(url)))
    with pytest.raises(BadParameter, match=r"ticket\.ops"):
        run(tickets.add(ticket(f"file://{disk}", ops=[])))


def test_socket_of_an_nbd_server_may_be_opened(tickets: Tickets, disk: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(disk.parent / "nbd"))
        run(tickets.add(ticket(f"nbd:unix:{disk.parent}/nbd")))
        run(tickets.remove(ID))


def test_missing_daemon_is_said(disk: Path) -> None:
    tickets = Tickets(ImageDaemon(disk.parent / "nobody"), Places([disk.parent], []))
    with pytest.raises(DaemonMissing):
        run(tickets.add(ticket(f"file://{disk}")))


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"],
    ids=["none", "no HTTP", "500"],
)
def test_daemon_that_fails_is_said(tmp_path: Path, answer: bytes) -> None:
    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "control"))
        server.listen()
        thread = Thread(target=serve, args=(server,))
        thread.start()
        with pytest.raises(DaemonFailed):
            run(ImageDaemon(tmp_path / "control").read(ID))
        thread.join(10)
