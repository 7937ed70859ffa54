"""What an engine does with disks, through the API: a host that is SPM of a pool of two file domains."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from storage_host import POOL, Cluster, call, connected, done, make_domain, make_pool

from ovis.client import node_schema
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.storage import Storage

MIB = 1 << 20
IMAGE = "11111111-0000-4000-8000-00000000000a"
OTHER_IMAGE = "11111111-0000-4000-8000-00000000000b"


def volume(number: int) -> str:
    return f"22222222-0000-4000-8000-{number:012}"


class Engine:
    def __init__(self, storage: Storage, domain: DomainId, other: DomainId) -> None:
        self.storage, self.domain, self.other = storage, domain, other

    async def call(self, method: str, **params: Any) -> Any:
        """About the first domain and image unless said otherwise."""
        takes = node_schema.load_calls().verbs[method].params
        usual = {"storagepoolID": POOL, "storagedomainID": self.domain, "imageID": IMAGE}
        usual = {name: value for name, value in usual.items() if name in takes}
        return await call(self.storage, method, **(usual | params))

    async def task(self, method: str, **params: Any) -> None:
        result = await done(self.storage, await self.call(method, **params))
        assert result == ("success", 0), f"{method}: {result}"

    async def failed_task(self, method: str, **params: Any) -> int:
        result, code = await done(self.storage, await self.call(method, **params))
        assert result == "cleanSuccess", result
        return code

    async def create(self, number: int, **params: Any) -> None:
        given = {"size": str(16 * MIB), "volFormat": 4, "preallocate": 2}
        await self.task("Volume.create", volumeID=volume(number), **(given | params))

    async def job(self, method: str, **params: Any) -> dict[str, Any]:
        """The job when it has ended."""
        job = f"33333333-0000-4000-8000-{len(list(self.storage.jobs)):012}"
        await call(self.storage, method, job_id=job, **params)
        task = self.storage.jobs.find(job).task
        assert task is not None
        await asyncio.wait([task])
        return dict((await call_jobs(self.storage))[job])

    async def path(self, number: int) -> Path:
        prepared = await self.call("Image.prepare", volumeID=volume(number), allowIllegal=True)
        return Path(prepared["path"])

    def endpoint(self, number: int, *, image: str = IMAGE, **more: Any) -> dict[str, Any]:
        return {"sd_id": self.domain, "img_id": image, "vol_id": volume(number), "endpoint_type": "div"} | more


async def call_jobs(storage: Storage) -> dict[str, Any]:
    return {job.id: {"status": job.phase.value, "error": job.error} for job in storage.jobs}


@asynccontextmanager
async def engine(folder: Path) -> AsyncIterator[Engine]:
    cluster = Cluster(folder)
    async with cluster.host() as storage:
        first, second = [await make_domain(cluster, storage) for _ in range(2)]
        await make_pool(storage, first, second)
        pool = await connected(storage, first)
        await pool.spm.take()
        for domain in (first, second):
            await call(storage, "StorageDomain.activate", storagedomainID=domain, storagepoolID=POOL)
            await pool.host_ids.hold(await storage.domain(domain))
        yield Engine(storage, first, second)
