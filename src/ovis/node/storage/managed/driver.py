"""What a kind of managed volume is: how a host gets its device, and how it gets rid of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from ovis.node.errors import BadParameter
from ovis.node.privileged.client import Root
from ovis.node.storage.connections.connections import Connections

T = TypeVar("T")
READ_ONLY = "ro"


class Connection(Struct, frozen=True):
    """How a volume is reached, as the storage system's side wrote it. `data` may hold secrets."""

    kind: str
    data: dict[str, Any]
    adapter: str = ""


class Attachment(Struct, frozen=True):
    """`path`: a block device. `multipath`: the name of the map. `wwn`: of the SCSI disk."""

    path: str
    type: str = "block"
    multipath: str | None = None
    wwn: str | None = None
    conf: str | None = None


@dataclass(frozen=True)
class Tools:
    """`others`: connections of the same kind that this host remembers beside that of a volume."""

    root: Root
    connections: Callable[[], Connections]
    others: Callable[[str], Awaitable[Sequence[Connection]]]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Driver(Protocol):
    """`attach` and `detach` may be repeated, and each ends by the deadlines of what it calls, within 150 s.

    `detach` finds what is there by itself: nothing, a part or all, also when the agent died within `attach`. They
    raise NodeError or OSError; then the volume may be attached in part.
    """

    def check(self, connection: Connection) -> None:
        """Before anything is done. Raises BadParameter."""

    async def attach(self, volume: str, connection: Connection, tools: Tools) -> Attachment: ...

    async def detach(
        self, volume: str, connection: Connection, attachment: Attachment | None, tools: Tools
    ) -> None: ...


def parsed(data: Mapping[str, Any], form: type[T]) -> T:
    """The driver's own values; others among them are left alone. Numbers may be text. Raises BadParameter."""
    try:
        return msgspec.convert(data, form, strict=False)
    except msgspec.ValidationError as error:
        raise BadParameter("connection_info.data", str(error)) from error
