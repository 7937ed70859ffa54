"""Each step twice, and undone twice, as after a crash."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from ovis.node.storage.formats.identifiers import DomainId, LeaseId
from ovis.node.storage.leases.errors import LeaseExists, NoSuchLease
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.steps import Find, Make, Rebuild, Remove
from ovis.node.storage.storage import Storage
from tests.node.storage.storage_host import Cluster, connected, make_domain, make_pool

VM = LeaseId("33330000-0000-4000-8000-000000000001")


class OneTask:
    """What steps see of a task; its notes survive the process."""

    task_id = "a task"

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.notes: Mapping[str, Any] = {}

    async def remember(self, **facts: Any) -> None:
        self.notes = {**self.notes, **facts}

    def progress(self, done: int, total: int) -> None:
        assert 0 < done <= total


def run(folder: Path, test: Callable[[Storage, DomainId, ExternalLeases], Awaitable[None]]) -> None:
    async def main() -> None:
        cluster = Cluster(folder)
        async with asyncio.timeout(60), cluster.host() as storage:
            master = await make_domain(cluster, storage)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            await pool.spm.take()
            await test(storage, master, ExternalLeases(await storage.domain(master)))

    asyncio.run(main())


def work_on(storage: Storage) -> Any:
    return cast("Any", OneTask(storage))


def test_a_lease_is_made_once_and_undone(tmp_path: Path) -> None:
    async def test(storage: Storage, domain: DomainId, leases: ExternalLeases) -> None:
        work = work_on(storage)
        step = Make(domain, VM, note="{}")
        for _ in range(2):
            await step.do(work)
        assert await leases.read_note(await leases.find(VM)) == b""  # simulated leases keep it in memory
        with pytest.raises(LeaseExists):
            await step.do(work_on(storage))
        await step.undo(work_on(storage))
        assert await leases.find(VM), "another task's lease"
        for _ in range(2):
            await step.undo(work)
        with pytest.raises(NoSuchLease):
            await leases.find(VM)

    run(tmp_path, test)


def test_a_lease_is_removed_though_it_cannot_be_found_again(tmp_path: Path) -> None:
    async def test(storage: Storage, domain: DomainId, leases: ExternalLeases) -> None:
        await leases.make(await leases.reserve(VM), VM)
        work = work_on(storage)
        for step in (Find(domain, VM), Find(domain, VM), Remove(domain, VM), Remove(domain, VM)):
            await step.do(work)
        with pytest.raises(NoSuchLease):
            await Find(domain, VM).do(work_on(storage))

    run(tmp_path, test)


def test_an_index_is_rebuilt_twice(tmp_path: Path) -> None:
    async def test(storage: Storage, domain: DomainId, leases: ExternalLeases) -> None:
        await leases.make(await leases.reserve(VM), VM)
        for _ in range(2):
            await Rebuild(domain).do(work_on(storage))
        assert await leases.find(VM)

    run(tmp_path, test)
