"""The control side of the image transfer daemon (ovirt-imageio): HTTP/1.1 over a Unix socket.

    PUT    /tickets/<id>   {uuid, size, url, timeout, ops, ...}     200   give a permission, replacing one of that id
    GET    /tickets/<id>                                            200   what the daemon knows of it
    PATCH  /tickets/<id>   {timeout}                                200   prolong
    DELETE /tickets/<id>                                            204   take it away; 404 counts as gone, 409: busy

A ticket's id is its password: it is never part of a log line or an error.
Source: reference/engine-api.md 9, tried against ovirt-imageio 2.5.1.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import h11
import msgspec

from ovis.node.storage.transfers.errors import DaemonFailed, DaemonMissing, TicketRefused

ANSWER_LIMIT = 1 << 20
SECONDS = 20.0
REMOVAL_SECONDS = 75.0  # it waits up to 60 s for transfers under the ticket to end


_CLIENT_ERRORS, _SERVER_ERRORS = 400, 500


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


class ImageDaemon:
    """`socket`: where the daemon takes tickets. A connection for each call: they are few."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def add(self, ticket_id: str, ticket: bytes) -> None:
        """`ticket`: its JSON. Raises DaemonMissing, DaemonFailed, TicketRefused."""
        await self._change("PUT", ticket_id, ticket)

    async def extend(self, ticket_id: str, seconds: int) -> None:
        """Raises DaemonMissing, DaemonFailed, TicketRefused."""
        await self._change("PATCH", ticket_id, msgspec.json.encode({"timeout": seconds}))

    async def read(self, ticket_id: str) -> bytes:
        """What the daemon says of the ticket, as JSON. Raises DaemonMissing, DaemonFailed, TicketRefused."""
        return await self._change("GET", ticket_id)

    async def remove(self, ticket_id: str) -> None:
        """A ticket that is not there counts as removed. Raises DaemonMissing, DaemonFailed, TicketRefused (in use)."""
        await self._change("DELETE", ticket_id, seconds=REMOVAL_SECONDS, also=HTTPStatus.NOT_FOUND)

    async def _change(
        self, method: str, ticket_id: str, body: bytes = b"", *, seconds: float = SECONDS, also: int = 0
    ) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                answer = await self._exchange(method, f"/tickets/{ticket_id}", body)
        except TimeoutError as error:
            raise DaemonFailed(f"the image transfer daemon did not answer within {seconds:g} s") from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise DaemonMissing(self._socket) from error
        except (OSError, h11.RemoteProtocolError) as error:
            raise DaemonFailed(f"the image transfer daemon at {self._socket} failed: {error}") from error
        if answer.status < _CLIENT_ERRORS or answer.status == also:
            return answer.body
        words = answer.body.decode(errors="replace").replace(ticket_id, "<ticket>").strip()[:500]
        if answer.status < _SERVER_ERRORS:
            raise TicketRefused(f"the image transfer daemon refused to {_MEANINGS[method]} a ticket: {words}")
        raise DaemonFailed(f"the image transfer daemon failed with status {answer.status}: {words}")

    async def _exchange(self, method: str, path: str, body: bytes) -> Answer:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            connection = h11.Connection(h11.CLIENT)
            headers = [("Host", "localhost"), ("Connection", "close"), ("Content-Length", str(len(body)))]
            for event in (h11.Request(method=method, target=path, headers=headers), h11.Data(body), h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            await writer.drain()
            return await _answer(connection, reader)
        finally:
            writer.close()


_MEANINGS = {"PUT": "take", "PATCH": "prolong", "GET": "show", "DELETE": "give up"}


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    status, body = 0, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > ANSWER_LIMIT:
                raise OSError("its answer is larger than a ticket can be")
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, bytes(body))
        elif isinstance(event, h11.ConnectionClosed):
            raise OSError("it closed the connection without an answer")
