"""Locks over two real sanlock daemons, as two hosts on one shared file system."""

import asyncio
import fcntl
import os
import signal
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from deploy.rig import sanlock
from ovis.node.storage.formats import sanlock_records
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry
from ovis.node.storage.formats.sanlock_records import SanlockRecord
from ovis.node.storage.leases.errors import LeaseError, LeaseHeld, LocksNotResponding
from ovis.node.storage.leases.holders import Holder
from ovis.node.storage.leases.interface import HostIdState, Locks, Lockspace, Owner, Resource
from ovis.node.storage.leases.sanlock import SanlockLocks
from ovis.node.storage.volumes.store import LeasePlace
from tests.node.storage.leases.locks_contract import Hosts, TwoHostsContract
from tests.real.remote_locks import RemoteLocks, remote_locks

LIMIT = 200.0
LOOP_GET_STATUS, LOOP_SET_STATUS = 0x4C05, 0x4C04  # linux/loop.h, the 64-bit forms
STATUS_BYTES, SIZE_LIMIT_AT = 232, 32
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


@dataclass(frozen=True)
class FailingDisk:
    """A loop device over `file`; once it fails nothing behind its first sector can be read or written through it."""

    file: Path
    device: str

    def fail(self) -> None:
        status = bytearray(STATUS_BYTES)
        with open(self.device, "rb") as device:
            fcntl.ioctl(device, LOOP_GET_STATUS, status)
            struct.pack_into("Q", status, SIZE_LIMIT_AT, 512)
            fcntl.ioctl(device, LOOP_SET_STATUS, bytes(status))


@contextmanager
def failing_disk(file: Path) -> Iterator[FailingDisk]:
    with file.open("wb") as made:
        made.truncate(MIB)
    found = subprocess.run(["losetup", "--find", "--show", str(file)], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no loop device: {found.stderr.strip()}")
    device = found.stdout.strip()
    try:
        yield FailingDisk(file, device)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


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


def record(place: LeasePlace) -> SanlockRecord | None:
    with open(place.path, "rb") as file:
        file.seek(place.offset)
        return sanlock_records.read(file.read(512))


def test_its_records_are_read_past_it(daemons: TwoDaemons) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, _):
            sdm = await hosts.formatted(9)
            await hosts.other.acquire(sdm, 2)
            taken = record(sdm.place)
            joined = [record(replace(daemons.lockspace.place, offset=512 * number)) for number in range(3)]
            owner = await hosts.one.owner(sdm)
            assert taken is not None
            assert (taken.lockspace, taken.name) == (DOMAIN, sdm.name)
            assert owner == Owner(taken.owner, taken.version or 0)
            assert [(one.owner, one.name[:5], one.version) for one in joined[:2] if one] == [
                (1, "one", None),
                (2, "other", None),
            ]
            assert joined[0] is not None
            assert joined[0].timestamp > 0
            assert joined[2] is not None
            assert joined[2].timestamp == joined[2].generation == 0
            await hosts.other.release(sdm)

    asyncio.run(main())


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


def test_lost_storage_ends_writers_before_another_host_gets_the_lease(daemons: TwoDaemons) -> None:
    """Sanlock itself ends them: the host id of `one` lies on a disk that fails."""
    domain = DomainId("6a4b4e3c-0000-4000-8000-0000000010f7")
    folder = Path(daemons.leases.path).parent
    with failing_disk(folder / "lost-ids") as disk:
        on_disk = Lockspace(domain, LeasePlace(PurePosixPath(disk.device)), Geometry())
        on_file = Lockspace(domain, LeasePlace(PurePosixPath(disk.file)), Geometry())
        place = LeasePlace(daemons.leases.path, 14 * MIB)

        async def main() -> None:
            one = SanlockLocks(daemons.one, io_timeout=1)
            async with remote_locks(daemons.other) as (other, _):
                await other.format_lockspace(on_file)
                await asyncio.gather(one.join(on_disk, 2), other.join(on_file, 1))
                await other.format_resource(Resource(on_file, "SDM", place))
                await one.acquire(Resource(on_disk, "SDM", place), 2)
                tie = one.tie(on_disk)
                assert tie is not None
                writer = start_writer(tie.fileno())
                watching = asyncio.ensure_future(one.lost(on_disk))
                disk.fail()
                while not watching.done():
                    with pytest.raises(LeaseHeld):
                        await other.acquire(Resource(on_file, "SDM", place), 1)
                assert "sanlock ended" in watching.result()
                assert await asyncio.to_thread(writer.wait, 30) == -signal.SIGKILL
                await one.release(Resource(on_disk, "SDM", place))
                with pytest.raises(LeaseHeld) as refused:
                    await other.acquire(Resource(on_file, "SDM", place), 1)
                assert refused.value.owner == Owner(2, 1), "until its watchdog must have fired"
                await until(lambda: has_left(one, on_disk))
                await other.leave(on_file, 1)
                await one.close()

        asyncio.run(asyncio.wait_for(main(), LIMIT))


async def has_left(locks: Locks, lockspace: Lockspace) -> bool:
    return await locks.state(lockspace) is HostIdState.FREE


def test_writers_end_with_sanlock(daemons: TwoDaemons, tmp_path: Path) -> None:
    async def main(daemon: subprocess.Popen[bytes]) -> None:
        lockspace = Lockspace(DOMAIN, daemons.lockspace.place, Geometry())
        async with remote_locks(tmp_path) as (third, remote):
            await third.join(lockspace, 3)
            sdm = Resource(lockspace, "SDM", LeasePlace(daemons.leases.path, 15 * MIB))
            await third.format_resource(sdm)
            await third.acquire(sdm, 3)
            writer = int(await remote.start_writer(lockspace))
            watching = asyncio.ensure_future(third.lost(lockspace))
            daemon.kill()
            assert await watching
            await until(lambda: asyncio.to_thread(is_dead, writer))
            with pytest.raises(LeaseError):
                await third.acquire(sdm, 3)
            await third.release(sdm)

    with sanlock.sanlock(tmp_path, "third") as daemon:
        asyncio.run(asyncio.wait_for(main(daemon), LIMIT))


def test_joining_goes_on_by_itself(daemons: TwoDaemons, tmp_path: Path) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, _), remote_locks(tmp_path) as (third, _):
            await third.join(hosts.lockspace, 4, wait=False)
            assert await third.state(hosts.lockspace) in (HostIdState.JOINING, HostIdState.HELD)
            await third.join(hosts.lockspace, 4)
            assert await third.state(hosts.lockspace) is HostIdState.HELD

    with sanlock.sanlock(tmp_path, "third"):
        asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_a_caller_that_goes_leaves_no_lease_behind(daemons: TwoDaemons) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, _):
            sdm = await hosts.formatted(8)
            for steps in range(12):
                taking = asyncio.ensure_future(hosts.one.acquire(sdm, 1))
                for _ in range(steps):
                    await asyncio.sleep(0.003)
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)
                if not taking.cancelled():
                    await hosts.one.release(sdm)
                await until(lambda: is_free(hosts.one, sdm))
            await hosts.other.acquire(sdm, 2)
            await hosts.other.release(sdm)

    asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_a_holder_without_leases_ends(daemons: TwoDaemons, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, _):
            sdm = await hosts.formatted(9)
            await hosts.one.acquire(sdm, 1)
            holder = holder_of(hosts)
            await hosts.one.release(sdm)
            await until(lambda: asyncio.to_thread(is_dead, holder))
            assert hosts.one.tie(hosts.lockspace) is None

    monkeypatch.setattr("ovis.node.storage.leases.sanlock.IDLE_SECONDS", 0.1)
    asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_a_sanlock_that_hangs_is_not_waited_for(daemons: TwoDaemons) -> None:
    async def main() -> None:
        async with two_agents(daemons) as (hosts, _):
            assert isinstance(hosts.one, SanlockLocks)
            hosts.one._calls.seconds = 1.0
            daemons.daemons[0].send_signal(signal.SIGSTOP)
            try:
                assert "sanlock" in await hosts.one.lost(hosts.lockspace)
                with pytest.raises(LocksNotResponding):
                    await hosts.one.state(hosts.lockspace)
            finally:
                daemons.daemons[0].send_signal(signal.SIGCONT)

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
