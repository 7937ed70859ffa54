"""A connection of any kind, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Protocol

from ovis.client.types import ConnectionRefParameters
from ovis.node.privileged import mount_table
from ovis.node.privileged.client import Root
from ovis.node.privileged.mount_table import Mounted
from ovis.node.storage.connections import iscsi_sessions
from ovis.node.storage.connections.iscsi_sessions import Session
from ovis.node.storage.formats.repository import Repository


async def _nothing(place: PurePosixPath) -> None: ...


@dataclass(frozen=True)
class Tools:
    """`users`: who needs what is below a mount point, for a person; nobody: it may go. `let_go`: end what this agent
    itself has open there. `mount_seconds`, `access_seconds`: how long a server may take."""

    root: Root
    repository: Repository
    nfs_options: tuple[str, ...] = ()
    users: Callable[[PurePosixPath], Collection[str]] = lambda place: ()
    let_go: Callable[[PurePosixPath], Awaitable[None]] = _nothing
    mounted: Callable[[], Sequence[Mounted]] = mount_table.read
    sessions: Callable[[Path], Sequence[Session]] = iscsi_sessions.read
    sysfs: Path = Path("/sys")
    mount_seconds: float = 60
    access_seconds: float = 30


class Server(Protocol):
    """What is connected, as a value: two that are equal in `name` are one connection.

    `connect` and `disconnect` may be repeated and raise NodeError or OSError, nothing having changed then as far as
    that can be known. Each ends by its own deadlines, also when the server is dead.
    """

    brings_devices: ClassVar[bool]
    """Disks come and go with it."""

    @property
    def name(self) -> str: ...

    async def connect(self, tools: Tools) -> None: ...

    async def disconnect(self, tools: Tools) -> None: ...

    def is_connected(self, tools: Tools) -> bool:
        """As the kernel says; no server is asked."""

    def kept(self) -> Server:
        """As it may be written down: without secrets. `connect` of that still works, unless a record was removed."""


class Kind(Protocol):
    """A class of servers."""

    @classmethod
    def asked(cls, given: ConnectionRefParameters) -> Server:
        """Raises WrongParameters, and Broken or TooLong for what cannot be a name."""
