"""A host that loses the SPM's lease in the middle of a change: no other host gets it before the change is over, and
nothing is written after that.

Both hosts are sanlock daemons of one bed. The lease lies beside the volume group, on a device of its own, so that the
group's disk can stand still while the daemons talk.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import pytest

from deploy.rig import sanlock
from ovis.node.privileged.client import Privileged
from ovis.node.privileged.errors import PrivilegedError, Refused
from ovis.node.privileged.lvm import RunLvm
from ovis.node.storage.domains.block_domain import BlockHost
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import MIB, SDM_RESOURCE, Geometry
from ovis.node.storage.leases import held
from ovis.node.storage.leases.errors import LeaseError, LeaseHeld
from ovis.node.storage.leases.interface import Locks, Lockspace, Resource
from ovis.node.storage.leases.sanlock import SanlockLocks
from ovis.node.storage.lvm import groups, logical_volumes
from ovis.node.storage.lvm.errors import LvmFailed
from ovis.node.storage.lvm.groups import EXTENT
from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.volumes.qemu_img import QCOW2, RAW, Disk, QemuImg
from ovis.node.storage.volumes.store import LeasePlace
from tests.bed.parts.block import GIB, block_host
from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run, until
from tests.real.remote_locks import remote_locks

SLOW, VOLUME = "slow", "volume"
DISK = Path("/dev/mapper", SLOW)
LIMIT = 60.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """One that can be made to stand still."""
    (tmp_path / "disks").mkdir()
    with loop_device(tmp_path / "disks", 16 * GIB) as below:
        run("dmsetup", "create", SLOW, "--table", f"0 {16 * GIB // 512} linear {below} 0")
        try:
            yield DISK
        finally:
            run("dmsetup", "resume", SLOW)
            run("dmsetup", "remove", "--retry", SLOW)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With two daemons, in `one` and `two`; the root helper asks the first, as this process does."""
    made = tmp_path_factory.mktemp("sanlock")
    with (
        pytest.MonkeyPatch.context() as patch,
        sanlock.sanlock(made / "one", "one"),
        sanlock.sanlock(made / "two", "two"),
    ):
        patch.setenv("SANLOCK_RUN_DIR", str(made / "one"))
        yield made


@pytest.fixture
def lease(tmp_path: Path) -> Resource:
    for name in ("ids", "leases"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(2 * MIB)
    domain = DomainId(str(uuid4()))
    lockspace = Lockspace(domain, LeasePlace(PurePosixPath(tmp_path / "ids")), Geometry())
    return Resource(lockspace, SDM_RESOURCE, LeasePlace(PurePosixPath(tmp_path / "leases"), MIB))


@asynccontextmanager
async def two_hosts(folder: Path, lease: Resource) -> AsyncIterator[tuple[SanlockLocks, Locks]]:
    one = SanlockLocks(folder / "one", io_timeout=1)
    await one.format_lockspace(lease.lockspace)
    await one.format_resource(lease)
    async with remote_locks(folder / "two") as (two, _):
        await asyncio.gather(one.join(lease.lockspace, 1), two.join(lease.lockspace, 2))
        try:
            yield one, two
        finally:
            await two.leave(lease.lockspace, 2)
            await one.close()


class StandingStill:
    """A root helper before whose lvextend the disk stops to answer."""

    def __init__(self, helper: Privileged) -> None:
        self._helper = helper

    async def call(self, request: Any, **more: Any) -> Any:
        if isinstance(request, RunLvm) and request.arguments[0] == "lvextend" and more.get("ties"):
            run("dmsetup", "suspend", "--noflush", SLOW)
        return await self._helper.call(request, **more)


@contextmanager
def going_on() -> Iterator[None]:
    """Whatever happens, the disk answers at the end."""
    try:
        yield
    finally:
        run("dmsetup", "resume", SLOW)


def give_up(folder: Path, lease: Resource) -> None:
    """The first host's sanlock ends whoever has leases, and does not wait for it."""
    name = f"{lease.lockspace.domain}:1:{lease.lockspace.place.path}:0"
    os.spawnvpe(
        os.P_NOWAIT,
        "sanlock",
        ["sanlock", "client", "rem_lockspace", "-s", name],
        {**os.environ, "SANLOCK_RUN_DIR": str(folder / "one")},
    )


async def taken_by(other: Locks, lease: Resource) -> None:
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                await other.acquire(lease, 2)
            except LeaseHeld:
                await asyncio.sleep(0.05)
            else:
                return


def command(name: str) -> int | None:
    """The process that works under that name."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return next((pid for pid in numbers if b"".join(words_of(pid)[:1]).endswith(name.encode())), None)


@asynccontextmanager
async def volume(folder: Path, disk: Path) -> AsyncIterator[tuple[BlockHost, str]]:
    """Named VOLUME, in a group of that name. What is done in the block needs a lease."""
    async with block_host(folder, Isolation((f"^{disk}$",)), wrap=StandingStill) as host:
        group = str(uuid4())
        await groups.create(host.lvm, group, [PurePosixPath(disk)])
        try:
            await logical_volumes.create(host.lvm, group, VOLUME, EXTENT)
            with held.without_lease(""):
                yield host, group
        finally:
            await groups.remove(host.lvm, group)


async def sequence(host: BlockHost, group: str) -> int:
    return (await host.memory.read(group)).sequence


def test_a_change_without_a_lease_is_refused(tmp_path: Path, disk: Path) -> None:
    async def main() -> None:
        async with volume(tmp_path, disk) as (host, group):
            before = await sequence(host, group)
            with pytest.raises(Refused, match="tied to no lease"):
                await logical_volumes.resize(host.lvm, group, VOLUME, 2 * EXTENT, grow=True)
            await logical_volumes.deactivate(host.lvm, group, [VOLUME])  # any host may do that
            await logical_volumes.activate(host.lvm, group, [VOLUME])
            await logical_volumes.activate(host.lvm, group, [VOLUME])
            assert await sequence(host, group) == before

    asyncio.run(main())


def test_lvm_is_dead_before_another_host_has_the_lease(
    tmp_path: Path, folder: Path, disk: Path, lease: Resource
) -> None:
    """The disk stands still in the middle of lvextend, which therefore cannot even be killed."""

    async def main() -> None:
        async with volume(tmp_path, disk) as (host, group), two_hosts(folder, lease) as (one, two):
            before = await sequence(host, group)

            async def extend() -> None:
                async with held.held(one, lease, 1):
                    await logical_volumes.resize(host.lvm, group, VOLUME, 2 * EXTENT, grow=True)

            with going_on():
                extending = asyncio.create_task(extend())
                await dies_standing(folder, lease, "lvm", extending, two)
            await taken_by(two, lease)
            assert not command("lvm")
            after = await sequence(host, group)
            with pytest.raises((LeaseError, LvmFailed, PrivilegedError)):
                await extending
            assert after in (before, before + 1)
            await asyncio.sleep(1)
            assert await sequence(host, group) == after
            with pytest.raises(LeaseError):
                await extend()

    asyncio.run(main())


def test_what_converts_is_dead_before_another_host_has_the_lease(
    tmp_path: Path, folder: Path, disk: Path, lease: Resource
) -> None:
    async def main() -> None:
        source = tmp_path / "source"
        source.write_bytes(os.urandom(MIB) * 16)
        async with volume(tmp_path, disk) as (host, group), two_hosts(folder, lease) as (one, two):
            path = logical_volumes.path(host.lvm, group, VOLUME)

            async def convert() -> None:
                async with held.held(one, lease, 1):
                    run("dmsetup", "suspend", "--noflush", SLOW)
                    await QemuImg().convert(Disk(PurePosixPath(source), RAW), Disk(path, QCOW2))

            with going_on():
                converting = asyncio.create_task(convert())
                await dies_standing(folder, lease, "qemu-img", converting, two)
            await taken_by(two, lease)
            assert not command("qemu-img")
            written = sum_of(path)
            with pytest.raises(LeaseError):
                await converting
            await asyncio.sleep(1)
            assert sum_of(path) == written

    asyncio.run(main())


async def dies_standing(folder: Path, lease: Resource, name: str, work: asyncio.Task[None], other: Locks) -> None:
    """The program is killed, for its host has lost the lease, and cannot end: the other host does not get it."""
    await asyncio.to_thread(until, "it runs", lambda: command(name) or work.done())
    await asyncio.sleep(0.5)  # it has come to the disk
    pid = command(name)
    assert pid is not None
    give_up(folder, lease)
    await asyncio.to_thread(until, "it is to be killed", lambda: is_killed(pid))
    for _ in range(5):
        with pytest.raises(LeaseError):
            await other.acquire(lease, 2)
    assert is_there(pid)


def is_killed(pid: int) -> bool:
    """Whether it has ended, or has to as soon as it can."""
    fields = status_of(pid)
    pending = int(fields.get("SigPnd", "0"), 16) | int(fields.get("ShdPnd", "0"), 16)
    return bool(pending >> (signal.SIGKILL - 1) & 1) or not words_of(pid)


def is_there(pid: int) -> bool:
    """Also while it ends, and waits in the kernel for what it has asked of the disk."""
    return status_of(pid).get("State", "Z")[0] not in "ZX"


def status_of(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def words_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def sum_of(path: PurePosixPath) -> str:
    run("blockdev", "--flushbufs", path)
    return run("cksum", path)
