"""What becomes of the SPM's tasks when its host, or its role, goes."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from storage_host import POOL, Cluster, call, connected, make_domain, make_pool, until

from ovis.client.types import TaskResult
from ovis.node.storage.pool.pool import Pool
from ovis.node.storage.tasks.errors import NotSpm, TasksInTheWay
from ovis.node.storage.tasks.record import OnCrash
from ovis.node.storage.tasks.steps import Step, Work, step
from ovis.node.storage.tasks.tasks import SPM


def put(path: str) -> None:
    Path(path).touch()


def there(path: str) -> bool:
    return Path(path).exists()


def drop(path: str) -> None:
    Path(path).unlink(missing_ok=True)


@step("volume.tried_slow")
@dataclass(frozen=True)
class Slow(Step):
    """Makes a file, then waits for ever unless told to end."""

    path: str
    writers: ClassVar[set[str]] = set()
    ends: ClassVar[bool] = False

    async def do(self, work: Work) -> None:
        put(self.path)
        self.writers.add(self.path)
        try:
            if not Slow.ends:
                await asyncio.Event().wait()
        finally:
            self.writers.discard(self.path)

    async def undo(self, work: Work) -> None:
        drop(self.path)


@pytest.fixture(autouse=True)
def _slow() -> None:
    Slow.ends = False
    Slow.writers.clear()


async def two_hosts(cluster: Cluster, one: object, two: object) -> tuple[Pool, Pool]:
    master = await make_domain(cluster, one)  # type: ignore[arg-type]
    await make_pool(one, master)  # type: ignore[arg-type]
    return await connected(one, master, host_id=1), await connected(two, master, host_id=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("on_crash", list(OnCrash))
def test_next_spm_recovers_what_a_dead_one_began(tmp_path: Path, on_crash: OnCrash) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("two") as two:
            async with cluster.host("one") as one:
                here, other = await two_hosts(cluster, one, two)
                await here.spm.take()
                path = str(tmp_path / "made")
                task = await one.tasks.start("copyImage", [Slow(path)], tag=SPM, on_crash=on_crash)
                await until(lambda: Slow.writers)
                cluster.locks("one").die()
                with pytest.raises(Exception, match="held by host 1"):
                    await other.spm.take()
                cluster.leases.advance(200)
            Slow.ends = True
            await other.spm.take()
            ended = await two.tasks.wait(task)
            goes_on = on_crash is OnCrash.GO_ON
            assert ended.result is (TaskResult.SUCCESS if goes_on else TaskResult.CLEAN_SUCCESS)
            assert there(path) is goes_on
            assert task in await call(two, "Host.getAllTasksStatuses")

    asyncio.run(main())


def test_work_stops_before_another_host_may_begin(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            here, other = await two_hosts(cluster, one, two)
            await here.spm.take()
            path = str(tmp_path / "made")
            task = await one.tasks.start("copyImage", [Slow(path)], tag=SPM)
            await until(lambda: Slow.writers)
            cluster.locks("one").lose((await one.domain(here.membership.master)).lockspace)
            await until(lambda: here.spm.role == "Free")
            await until(lambda: not Slow.writers)
            assert there(path)  # left for the next SPM
            with pytest.raises(NotSpm):
                await one.tasks.start("copyImage", [Slow(path)], tag=SPM)
            assert await call(one, "Host.getAllTasks") == {}
            cluster.leases.advance(200)
            await other.spm.take()
            assert (await two.tasks.wait(task)).result is TaskResult.CLEAN_SUCCESS
            assert not there(path)

    asyncio.run(main())


def test_role_is_kept_while_tasks_were_not_cleared(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            here, _ = await two_hosts(cluster, one, two)
            await here.spm.take()
            Slow.ends = True
            task = await one.tasks.start("copyImage", [Slow(str(tmp_path / "made"))], tag=SPM)
            await one.tasks.wait(task)
            with pytest.raises(TasksInTheWay):
                await here.spm.give_up()
            await one.tasks.clear(task)
            await here.spm.give_up()
            assert list((tmp_path / POOL / "mastersd" / "master" / "tasks").iterdir()) == []

    asyncio.run(main())


def test_agent_that_starts_again_is_no_spm_and_may_become_it(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one:
            master = await make_domain(cluster, one)
            await make_pool(one, master)
            pool = await connected(one, master)
            await pool.spm.take()
            task = await one.tasks.start("copyImage", [Slow(str(tmp_path / "made"))], tag=SPM)
            await until(lambda: Slow.writers)
        assert not Slow.writers
        async with cluster.host("one") as again:
            await again.recover()
            await until(lambda: again.pools.joined)
            status = await call(again, "StoragePool.getSpmStatus", storagepoolID=POOL)
            assert status["spmStatus"] == "Free"
            await again.pools.find(POOL).spm.take()
            assert (await again.tasks.wait(task)).result is TaskResult.CLEAN_SUCCESS

    asyncio.run(main())
