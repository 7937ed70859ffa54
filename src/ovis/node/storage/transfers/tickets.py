"""Permissions to read or write one image through the transfer daemon, which runs with rights that callers lack.

So the agent looks at what a ticket opens: a volume below the repository or one of the other allowed places, or the
socket of an NBD server below the run folders. Links are followed first: one on a hostile export opens nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from ovis.client import codec
from ovis.client.types import ImageTicket, ImageTicketInfo
from ovis.node import processes
from ovis.node.errors import BadParameter
from ovis.node.storage.transfers.errors import DaemonFailed, TicketRefused
from ovis.node.storage.transfers.image_daemon import ImageDaemon

LOOKING_SECONDS = 10.0


@dataclass(frozen=True)
class Places:
    """Where files, and where sockets of NBD servers, may be opened through a ticket."""

    files: Sequence[Path]
    sockets: Sequence[Path]


class Tickets:
    def __init__(self, daemon: ImageDaemon, places: Places) -> None:
        self._daemon = daemon
        self._places = places

    async def add(self, ticket: ImageTicket) -> None:
        """Raises BadParameter, TicketRefused, DaemonMissing, DaemonFailed."""
        if not ticket.ops:
            raise BadParameter("ticket.ops", "a ticket that permits nothing")
        await self._check(ticket.url)
        await self._daemon.add(str(ticket.uuid), codec.encode_value(ticket))

    async def extend(self, ticket_id: str, seconds: int) -> None:
        """Raises TicketRefused, DaemonMissing, DaemonFailed."""
        await self._daemon.extend(ticket_id, seconds)

    async def read(self, ticket_id: str) -> ImageTicketInfo:
        """Raises TicketRefused, DaemonMissing, DaemonFailed."""
        answer = await self._daemon.read(ticket_id)
        try:
            return msgspec.json.decode(answer, type=ImageTicketInfo)
        except msgspec.DecodeError as error:
            raise DaemonFailed(f"the image transfer daemon described a ticket in an unknown way: {error}") from error

    async def remove(self, ticket_id: str) -> None:
        """Raises TicketRefused (in use), DaemonMissing, DaemonFailed."""
        await self._daemon.remove(ticket_id)

    async def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "file" and not parts.netloc and not parts.query:
            path, places = unquote(parts.path), self._places.files
        elif parts.scheme == "nbd" and parts.path.startswith("unix:"):
            path, places = parts.path.removeprefix("unix:").partition(":")[0], self._places.sockets
        else:
            raise BadParameter("ticket.url", "only file:///PATH and nbd:unix:PATH are possible")
        if not path.startswith("/"):
            raise BadParameter("ticket.url", "the path must begin with a slash")
        real = await _real_path(path)
        if not _is_below(real, places):
            raise BadParameter("ticket.url", f"{path} lies outside of the places that tickets may open")


def _is_below(path: Path, places: Sequence[Path]) -> bool:
    return any(path.is_relative_to(os.path.realpath(place)) for place in places)  # folders of this machine itself


async def _real_path(path: str) -> Path:
    """Looked up by a process of its own: the storage may hang."""
    command = processes.Command(["readlink", "--canonicalize-existing", "--no-newline", "--", path])
    try:
        ended = await processes.run(command, seconds=LOOKING_SECONDS)
    except processes.Stalled as error:
        raise TicketRefused(f"{path} could not be looked at within {LOOKING_SECONDS:g} s") from error
    if ended.status:
        raise BadParameter("ticket.url", f"{path} does not exist")
    return Path(os.fsdecode(ended.output))
