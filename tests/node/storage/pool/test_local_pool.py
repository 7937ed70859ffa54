"""A pool on a folder of this host: its own lock, nothing shared; as on a machine that manages itself."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

from storage_host import POOL, call, done

from ovis.node.jobs import Jobs
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.parts import Parts
from ovis.node.storage.settings import StorageSettings
from ovis.node.storage.storage import Storage
from ovis.wire.events import Bus


class NoDisks(Parts):
    async def block_domains(self) -> list[DomainId]:
        return []


@asynccontextmanager
async def agent(folder: Path, name: str = "agent") -> AsyncIterator[Storage]:
    settings = StorageSettings(
        state=folder / name,
        run=folder / name / "run",
        repository=Repository(PurePosixPath(folder / name / "dc"), PurePosixPath(folder / name / "links")),
        owner=(os.getuid(), os.getgid()),
        retry_period=0.05,
    )
    _link(folder, Path(settings.repository.mount(str(folder / "disks"))))
    storage = Storage(settings, Jobs(Bus()), Bus(), parts=NoDisks(settings))
    try:
        yield storage
    finally:
        await storage.close()


def _link(folder: Path, link: Path) -> None:
    (folder / "disks").mkdir(exist_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(folder / "disks")


async def join(storage: Storage, domain: str, *, code: int = 0) -> None:
    """In the pool and SPM, or not SPM for the reason of that number."""
    where = {"hostID": 1, "masterSdUUID": domain, "masterVersion": 1}
    await call(storage, "StoragePool.connect", storagepoolID=POOL, **where)
    task = await call(storage, "StoragePool.spmStart", storagepoolID=POOL, prevID=-1, prevLver="-1")
    assert await done(storage, task) == ("cleanSuccess" if code else "success", code)


def test_local_pool_is_made_led_and_led_again_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        domain = str(uuid.uuid4())
        async with agent(tmp_path) as storage:
            new = {
                "domainType": 4,
                "typeArgs": str(tmp_path / "disks"),
                "domainClass": 1,
                "version": "5",
                "name": "own",
            }
            await call(storage, "StorageDomain.create", storagedomainID=domain, **new)
            listed = {"masterSdUUID": domain, "masterVersion": 1, "domainList": [domain]}
            await call(storage, "StoragePool.create", storagepoolID=POOL, name="Local", **listed)
            await join(storage, domain)
            assert (await call(storage, "StoragePool.getInfo", storagepoolID=POOL))["info"]["type"] == "LOCALFS"
            async with agent(tmp_path, "second") as second:
                await join(second, domain, code=661)  # the other agent of this machine has the host id
        async with agent(tmp_path) as storage:
            await join(storage, domain)
            assert (await call(storage, "StoragePool.getSpmStatus", storagepoolID=POOL))["spmStatus"] == "SPM"
            await call(storage, "StoragePool.destroy", storagepoolID=POOL, hostID=1)
            await call(storage, "StorageDomain.format", storagedomainID=domain)
        assert not list((tmp_path / "disks").iterdir())

    asyncio.run(main())
