"""Connections to storage servers as the agent has them: a root helper of its own, a repository in a folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from ovis.client.types import ConnectionRefParameters
from ovis.node.privileged import mount_table
from ovis.node.privileged.client import Privileged, child
from ovis.node.storage.connections.connections import Connections, Outcome
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.formats.repository import Repository

OWNER = 36


class Scene:
    """`seconds`: how long a server may take to mount, and to answer. `users`: who needs all that is mounted."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder
        self.repository = Repository(root=PurePosixPath(folder / "repository"))
        self.users: list[str] = []
        self.root = Privileged(child(repository=self.repository.root, user=OWNER, group=OWNER))
        self.tools = Tools(
            self.root,
            self.repository,
            nfs_options=("timeo=10", "retrans=1"),
            users=lambda place: self.users,
            mount_seconds=seconds,
            access_seconds=seconds,
        )
        self.connections = Connections(self.tools, folder / "state/connections.json", retry_period=3600)

    @property
    def mounted(self) -> list[str]:
        """Sources."""
        root = self.repository.root
        return [mounted.source for mounted in mount_table.read() if mounted.target.is_relative_to(root)]

    def options(self, source: str) -> set[str]:
        lines = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
        return {option for line in lines if line[0] == source for option in line[3].split(",")}

    async def connect(self, kind: int, **given: Any) -> Outcome:
        return (await self.connections.connect(kind, [ConnectionRefParameters(**given)]))[0]

    async def disconnect(self, kind: int, **given: Any) -> Outcome:
        return (await self.connections.disconnect(kind, [ConnectionRefParameters(**given)]))[0]


@asynccontextmanager
async def connections(folder: Path, *, seconds: float = 60) -> AsyncIterator[Scene]:
    for parent in (folder, *folder.parents):
        await asyncio.to_thread(parent.chmod, parent.stat().st_mode | 0o055)  # pytest's folders are root's alone
    scene = Scene(folder, seconds)
    try:
        yield scene
    finally:
        await scene.connections.close()
        await scene.root.close()
