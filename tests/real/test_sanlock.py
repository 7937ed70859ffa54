"""Locks over two real sanlock daemons, as two hosts on one shared file system."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from deploy.rig import sanlock
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry
from ovis.node.storage.leases.errors import LeaseHeld, LocksNotResponding
from ovis.node.storage.leases.holders import Holder
from ovis.node.storage.leases.interface import HostIdState, Locks, Lockspace, Owner, Resource
from ovis.node.storage.leases.sanlock import SanlockLocks
from ovis.node.storage.volumes.store import LeasePlace
from tests.node.storage.leases.locks_contract import Hosts, TwoHostsContract
from tests.real.remote_locks import RemoteLocks, remote_locks

LIMIT = 90.0
DOMAIN = DomainId("6a4b4e3c-0000-4000-8000-00000000c0de")


@dataclass(frozen=True)
class TwoDaemons:
    one: Path
    other: Path
    lockspace: Lockspace
    leases: LeasePlace
    daemons: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoDaemons]:
    if reason := sanlock.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("sanlock")
    domain = folder / "nas:_export" / DOMAIN  # as mount points are called
    domain.mkdir(parents=True)
    for name in ("ids", "leases"):
        with (domain / name).open("wb") as file:
            file.truncate(16 * MIB)
    lockspace = Lockspace(DOMAIN, LeasePlace(PurePosixPath(domain / "ids")), Geometry())
    with sanlock.sanlock(folder / "a", "one") as one, sanlock.sanlock(folder / "b", "other") as other:
        leases = LeasePlace(PurePosixPath(domain / "leases"))
        started = TwoDaemons(folder / "a", folder / "b", lockspace, leases, (one, other))
        asyncio.run(SanlockLocks(folder / "a", io_timeout=1).format_lockspace(lockspace))
        yield started


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def is_free(locks: Locks, resource: Resource) -> bool:
    return await locks.owner(resource) is None


def is_dead(pid: int) -> bool:
    """Whether it has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@asynccontextmanager
async def two_agents(daemons: TwoDaemons) -> AsyncIterator[tuple[Hosts, RemoteLocks]]:
    one = SanlockLocks(daemons.one, io_timeout=1)
    async with remote_locks(daemons.other) as (other, remote):
        await asyncio.gather(one.join(daemons.lockspace, 1), other.join(daemons.lockspace, 2))
        yield Hosts(one, other, daemons.lockspace, daemons.leases), remote
        await one.close()


class TestTwoHosts(TwoHostsContract):
    @pytest.fixture(autouse=True)
    def _take(self, daemons: TwoDaemons) -> None:
        self.daemons = daemons

    @asynccontextmanager
    async def hosts(self) -> AsyncIterator[Hosts]:
        async with two_agents(self.daemons) as (hosts, _):
            yield hosts


def holder_of(hosts: Hosts) -> int:
    tie = hosts.one.tie(hosts.lockspace)
    assert isinstance(tie, Holder)
    return tie.pid


def start_writer(*descriptors: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "300"], pass_fds=descriptors)


def test_the_end_of_an_agent_ends_its_writers_and_then_its_leases(daemons: TwoDaemons) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, remote):
            sdm = await hosts.formatted(10)
            await hosts.other.acquire(sdm, 2)
            writer = int(await remote.start_writer(hosts.lockspace))
            remote.process.send_signal(signal.SIGKILL)
            await until(lambda: is_free(hosts.one, sdm))
            assert is_dead(writer)
            await hosts.one.acquire(sdm, 1)

    asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_an_agent_that_starts_again_has_its_host_id(daemons: TwoDaemons) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, remote):
            remote.process.send_signal(signal.SIGKILL)
            await remote.process.wait()
            async with remote_locks(daemons.other) as (again, _):
                assert await again.state(hosts.lockspace) is HostIdState.HELD
                await again.join(hosts.lockspace, 2)
                sdm = await hosts.formatted(11)
                await again.acquire(sdm, 2)

    asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_a_writer_keeps_the_lease_until_it_is_dead(daemons: TwoDaemons) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, _):
            sdm = await hosts.formatted(12)
            await hosts.one.acquire(sdm, 1)
            tie = hosts.one.tie(hosts.lockspace)
            assert tie is not None
            watching = asyncio.ensure_future(hosts.one.lost(hosts.lockspace))
            writer = start_writer(tie.fileno())
            os.kill(holder_of(hosts), signal.SIGKILL)  # sanlock's last means: nobody is left to kill the writer
            assert "sanlock ended" in await watching
            assert not tie.is_open
            await hosts.one.release(sdm)  # the agent has stopped its own work
            with pytest.raises(LeaseHeld) as refused:
                await hosts.other.acquire(sdm, 2)
            assert refused.value.owner == Owner(1, 1)
            writer.kill()
            writer.wait()
            await until(lambda: is_free(hosts.other, sdm))
            await hosts.other.acquire(sdm, 2)
            await hosts.other.release(sdm)

    asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_writers_end_when_sanlock_takes_the_lease_away(daemons: TwoDaemons) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, _):
            sdm = await hosts.formatted(13)
            await hosts.one.acquire(sdm, 1)
            tie = hosts.one.tie(hosts.lockspace)
            assert tie is not None
            writer = start_writer(tie.fileno())
            watching = asyncio.ensure_future(hosts.one.lost(hosts.lockspace))
            os.kill(holder_of(hosts), signal.SIGTERM)  # as sanlock does
            assert writer.wait(30) == -signal.SIGKILL
            assert "sanlock ended" in await watching
            assert await hosts.other.owner(sdm) == Owner(1, 1), "this agent may still write"
            await hosts.one.release(sdm)
            await until(lambda: is_free(hosts.other, sdm))
            await hosts.one.acquire(sdm, 1)
            assert await hosts.other.owner(sdm) == Owner(1, 2)

    asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_without_a_daemon_everything_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        lockspace = Lockspace(DOMAIN, LeasePlace(PurePosixPath(tmp_path / "ids")), Geometry())
        async with remote_locks(tmp_path) as (locks, _):
            with pytest.raises(LocksNotResponding, match="sanlock does not answer"):
                await locks.join(lockspace, 1)
            with pytest.raises(LocksNotResponding):
                await locks.state(lockspace)
            with pytest.raises(LocksNotResponding):
                await locks.acquire(Resource(lockspace, "SDM", lockspace.place), 1)
            assert "sanlock does not answer" in await locks.lost(lockspace)

    asyncio.run(asyncio.wait_for(main(), LIMIT))
