"""The storage of an agent as it is, through its verbs: root helper, I/O processes, LVM, sanlock."""

import grp
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

from ovis.node.jobs import Jobs
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.settings import StorageSettings
from ovis.node.storage.storage import Storage
from ovis.wire.events import Bus
from tests.bed.parts.nfs import VDSM

sys.path.insert(0, str(Path(__file__).parents[2] / "node" / "storage"))


@asynccontextmanager
async def agent_storage(folder: Path) -> AsyncIterator[Storage]:
    """One life of an agent's storage; what it keeps lies in the folder."""
    settings = StorageSettings(
        state=folder / "state",
        run=folder / "run",
        repository=Repository(PurePosixPath("/rhev/data-center"), PurePosixPath(folder / "links")),
        owner=(VDSM, grp.getgrnam("sanlock").gr_gid),  # sanlock opens what the agent makes
        retry_period=1.0,
        sanlock_io_timeout=2,  # a host id is good for 16 s: at 1, for 8, a busy machine loses it
    )
    Path(settings.repository.mounts).mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    storage = Storage(settings, Jobs(Bus()), Bus())
    await storage.recover()
    try:
        yield storage
    finally:
        await storage.close()
