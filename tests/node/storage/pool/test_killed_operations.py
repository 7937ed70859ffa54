"""The agent dies before the n-th write of an operation on a pool; its next life does it again: the model, each time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import storage_host
from storage_host import POOL, Cluster, HostParts, connected, make_domain, make_pool, until

from ovis.client.types import TaskResult
from ovis.node.errors import NodeError
from ovis.node.storage.domains import membership
from ovis.node.storage.formats.domain_metadata import Role
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.pool import asking, creating
from ovis.node.storage.pool.creating import NewPool
from ovis.node.storage.pool.errors import DomainAttached, DomainNotInPool, PoolExists, SpmStartFailed, WrongMaster
from ovis.node.storage.storage import Storage

ACTIVE, ATTACHED = DomainStatus.ACTIVE, DomainStatus.ATTACHED
WRITES = {"write", "replace", "create", "resize", "make_folder", "rename", "remove", "remove_tree"}


class Life:
    """One life of an agent: so many writes, then nothing of it has any effect."""

    def __init__(self) -> None:
        self.left = 10**9
        self.is_over = asyncio.Event()
        self.at_death: Callable[[], None] = lambda: None

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.is_over.set()
            self.at_death()
            raise ConnectionAbortedError("the agent is dead")


class MortalIo:
    def __init__(self, io: FileIo, life: Life) -> None:
        self._io, self._life = io, life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._io, name)
        if name not in WRITES:
            return call

        async def spend(*arguments: Any, **named: Any) -> Any:
            self._life.spend()
            return await call(*arguments, **named)

        return spend


class MortalParts(HostParts):
    life: Life

    def io(self, mount: Any) -> FileIo:
        return cast(FileIo, MortalIo(super().io(mount), self.life))


@dataclass(frozen=True)
class Domains:
    master: DomainId
    second: DomainId


@dataclass(frozen=True)
class Operation:
    """`prepare` brings the pool to where `run` begins; `model`: status of both, and the master, afterwards."""

    run: Callable[[Storage, Domains], Awaitable[object]]
    model: tuple[dict[str, DomainStatus], str]
    prepare: Callable[[Storage, Domains], Awaitable[object]] | None = None
    second_is_member: bool = True


def pool_of(storage: Storage) -> Any:
    return storage.pools.find(POOL)


async def attach(storage: Storage, found: Domains) -> None:
    await membership.attach(storage, pool_of(storage), found.second)


async def activate(storage: Storage, found: Domains) -> None:
    await membership.activate(storage, pool_of(storage), found.second)


async def deactivate(storage: Storage, found: Domains) -> None:
    await membership.deactivate(storage, pool_of(storage), found.second, new_master=None, master_version=0)


async def detach(storage: Storage, found: Domains) -> None:
    await membership.detach(storage, pool_of(storage), found.second)


async def switch(storage: Storage, found: Domains) -> None:
    pool = pool_of(storage)
    task = await asking.switch_master(storage, pool, old=found.master, new=found.second, version=2)
    assert (await storage.tasks.wait(task)).result is TaskResult.SUCCESS


async def nothing(storage: Storage, found: Domains) -> None: ...


async def give_up(storage: Storage, found: Domains) -> None:
    await pool_of(storage).spm.give_up()


async def start_spm(storage: Storage, found: Domains) -> None:
    pool = pool_of(storage)
    task = await asking.start_spm(storage, pool, previous_id=-1, previous_version=-1, domain_version=None)
    assert (await storage.tasks.wait(task)).result is TaskResult.SUCCESS
    await storage.tasks.clear(task)


OPERATIONS = {
    "attach": Operation(attach, ({"master": ACTIVE, "second": ATTACHED}, "master"), second_is_member=False),
    "activate": Operation(activate, ({"master": ACTIVE, "second": ACTIVE}, "master")),
    "deactivate": Operation(deactivate, ({"master": ACTIVE, "second": ATTACHED}, "master"), prepare=activate),
    "detach": Operation(detach, ({"master": ACTIVE}, "master")),
    "switch": Operation(switch, ({"master": ACTIVE, "second": ACTIVE}, "second"), prepare=activate),
    "spm start": Operation(start_spm, ({"master": ACTIVE, "second": ATTACHED}, "master"), prepare=give_up),
}


async def begin(cluster: Cluster, storage: Storage, operation: Operation) -> Domains:
    found = Domains(await make_domain(cluster, storage), await make_domain(cluster, storage))
    await make_pool(storage, found.master, *([found.second] if operation.second_is_member else []))
    pool = await connected(storage, found.master)
    await pool.spm.take()
    await (operation.prepare or nothing)(storage, found)
    return found


async def dies_in(cluster: Cluster, operation: Operation, lives: int) -> tuple[Domains, bool]:
    async with cluster.host("one") as storage:
        life = cast(MortalParts, storage.parts).life
        found = await begin(cluster, storage, operation)
        life.at_death = cluster.locks("one").die
        life.left = lives
        work = asyncio.ensure_future(operation.run(storage, found))
        end = asyncio.create_task(life.is_over.wait())
        await asyncio.wait([work, end], return_when=asyncio.FIRST_COMPLETED)
        died = life.is_over.is_set()
        if not died:
            await work
        life.left = 0
        for task in (work, end):
            task.cancel()
        await asyncio.gather(work, end, return_exceptions=True)
    cluster.locks("one").die()
    return found, died


async def lives_again(cluster: Cluster, found: Domains, operation: Operation) -> None:
    cluster.boot("one")
    cluster.leases.advance(1000)
    async with cluster.host("one") as storage:
        await storage.recover()
        await asyncio.sleep(0.02)
        if not storage.pools.joined:
            await rejoin(storage, found)
        await done_again(storage, found, operation)


async def done_again(storage: Storage, found: Domains, operation: Operation) -> None:
    """With nobody in the way it ends as the model says."""
    pool = pool_of(storage)
    try:
        await pool.spm.take()
    except SpmStartFailed:  # a start that was cut short was being undone in that moment: engines ask again
        await pool.spm.take()
    for task in storage.tasks.all():
        await storage.tasks.wait(task.task_id)
    with contextlib.suppress(DomainAttached, DomainNotInPool, WrongMaster):  # it was done before
        await operation.run(storage, found)
    names = {found.master: "master", found.second: "second"}
    statuses, leader = operation.model
    _, record, metadata = await pool.read()
    assert {names[domain]: status for domain, status in metadata.domains.items()} == statuses
    assert names[record.domain.id] == leader
    for domain, name in names.items():
        pools, role = (POOL,) if name in statuses else (), Role.MASTER if name == leader else Role.REGULAR
        for _ in range(500):  # the SPM corrects former masters by and by
            member = (await (await storage.domain(domain)).read_record()).domain
            if (member.pools, member.role) == (pools, role):
                break
            await asyncio.sleep(0.01)
        assert (member.pools, member.role) == (pools, role), name


async def rejoin(storage: Storage, found: Domains) -> None:
    """As an engine does: with the master that has the highest version."""
    records = [await (await storage.domain(domain)).read_record() for domain in (found.master, found.second)]
    leading = [record for record in records if record.domain.role is Role.MASTER and record.pool]
    newest = max(leading, key=lambda record: record.pool.master_version if record.pool else 0)
    assert newest.pool is not None
    await until(lambda: not storage.pools._is_recovering)
    await connected(storage, newest.domain.id, version=newest.pool.master_version)


@pytest.mark.parametrize("name", OPERATIONS)
def test_done_again_after_each_death_it_is_as_if_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def main() -> None:
        for lives in range(60):
            MortalParts.life = Life()
            cluster = Cluster(tmp_path / str(lives))
            found, died = await dies_in(cluster, OPERATIONS[name], lives)
            MortalParts.life = Life()
            await lives_again(cluster, found, OPERATIONS[name])
            if not died:
                assert lives > 0
                return
        raise AssertionError("it never ended by itself")

    monkeypatch.setattr(storage_host, "HostParts", MortalParts)
    asyncio.run(main())


async def lease_is_lost_in(cluster: Cluster, operation: Operation, writes: int) -> bool:
    """As when sanlock is killed: what writes dies with it, the agent lives on and joins again."""
    async with cluster.host("one") as storage:
        life = cast(MortalParts, storage.parts).life
        found = await begin(cluster, storage, operation)
        lockspaces = [(await storage.domain(domain)).lockspace for domain in (found.master, found.second)]

        def lose() -> None:
            life.left = 10**9
            for lockspace in lockspaces:
                with contextlib.suppress(KeyError):  # it is in none
                    cluster.locks("one").lose(lockspace)

        life.at_death, life.left = lose, writes
        with contextlib.suppress(NodeError, ConnectionAbortedError, AssertionError):
            async with asyncio.timeout(20):
                await operation.run(storage, found)
        life.left = 10**9
        cluster.leases.advance(1000)
        if life.is_over.is_set():
            await until(lambda: pool_of(storage).spm.role == "Free")
        await retaken(storage)
        await done_again(storage, found, operation)
        return life.is_over.is_set()


async def retaken(storage: Storage) -> None:
    """As an engine does: until it is had."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(NodeError):
                return await pool_of(storage).spm.take()
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", OPERATIONS)
def test_done_again_after_its_lease_was_lost_at_any_write_it_is_as_if_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def main() -> None:
        for writes in range(60):
            MortalParts.life = Life()
            if not await lease_is_lost_in(Cluster(tmp_path / str(writes)), OPERATIONS[name], writes):
                assert writes > 0
                return
        raise AssertionError("it never ended by itself")

    monkeypatch.setattr(storage_host, "HostParts", MortalParts)
    asyncio.run(main())


async def create(storage: Storage, found: Domains) -> None:
    await make_pool(storage, found.master, found.second)


async def reconstruct(storage: Storage, found: Domains) -> None:
    statuses = {found.master: ACTIVE, found.second: ACTIVE}
    await creating.reconstruct(storage, NewPool(POOL, "first", found.second, 2), statuses, host_id=1)


@pytest.mark.parametrize("is_new", [True, False], ids=["create", "reconstruct"])
def test_pool_whose_making_was_cut_short_is_made_by_the_same_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    async def dies(cluster: Cluster, lives: int) -> tuple[Domains, bool]:
        async with cluster.host("one") as storage:
            life = cast(MortalParts, storage.parts).life
            found = Domains(await make_domain(cluster, storage), await make_domain(cluster, storage))
            if not is_new:
                await create(storage, found)
            life.at_death, life.left = cluster.locks("one").die, lives
            with contextlib.suppress(NodeError, ConnectionAbortedError):
                await (create if is_new else reconstruct)(storage, found)
            return found, life.is_over.is_set()

    async def main() -> None:
        for lives in range(60):
            MortalParts.life = Life()
            cluster = Cluster(tmp_path / str(lives))
            found, died = await dies(cluster, lives)
            MortalParts.life = Life()
            cluster.boot("one")
            cluster.leases.advance(1000)
            async with cluster.host("one") as storage:
                with contextlib.suppress(PoolExists):  # it was done
                    await (create if is_new else reconstruct)(storage, found)
                leader, version = (found.master, 1) if is_new else (found.second, 2)
                pool = await connected(storage, leader, version=version)
                await pool.spm.take()
                second = ATTACHED if is_new else ACTIVE
                assert (await pool.read())[2].domains == {found.master: ACTIVE, found.second: second}
            if not died:
                return
        raise AssertionError("it never ended by itself")

    monkeypatch.setattr(storage_host, "HostParts", MortalParts)
    asyncio.run(main())
