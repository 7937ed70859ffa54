"""The manager of a pool ends in the middle of a task on a disk; another host takes over."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine import IMAGE, Engine, volume
from storage_host import POOL, Cluster, call, connected, make_domain, make_pool

from ovis.node.storage.volumes import making


async def hang(*_: Any) -> None:
    await asyncio.Event().wait()


async def until_listed(folder: Path) -> None:
    while not list(folder.rglob(f"{volume(2)}*")):  # noqa: ASYNC110, ASYNC240 - a file tells nobody that it came
        await asyncio.sleep(0.01)


def test_the_next_manager_undoes_what_was_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(tmp_path)

    async def main() -> None:
        async with cluster.host("one") as storage:
            domain = await make_domain(cluster, storage)
            await make_pool(storage, domain)
            await (await connected(storage, domain)).spm.take()
            at = Engine(storage, domain, domain)
            await at.create(1)
            monkeypatch.setattr(making, "write_header", hang)
            parent = {"srcImgUUID": IMAGE, "srcVolUUID": volume(1)}
            size = {"size": "16777216", "volFormat": 4, "preallocate": 2}
            task = await at.call("Volume.create", volumeID=volume(2), **size, **parent)
            async with asyncio.timeout(20):
                await until_listed(cluster.mounts)
        monkeypatch.undo()
        cluster.locks("one").die()
        cluster.leases.advance(1000)  # until everybody may believe it
        async with cluster.host("two") as storage:
            await (await connected(storage, domain, host_id=2)).spm.take()
            at = Engine(storage, domain, domain)
            await storage.tasks.wait(task)
            status = await call(storage, "Task.getStatus", taskID=task)
            assert (status["taskResult"], status["taskState"]) == ("cleanSuccess", "finished")
            assert await at.call("Image.getVolumes") == [volume(1)]
            assert (await at.call("Volume.getInfo", volumeID=volume(1)))["voltype"] == "LEAF"
            assert not list(cluster.mounts.rglob(f"{volume(2)}*"))
            await at.create(2, **parent)
            assert (await at.call("Volume.getInfo", volumeID=volume(1)))["voltype"] == "INTERNAL"
            assert storage.pools.find(POOL).host_id == 2

    asyncio.run(main())
