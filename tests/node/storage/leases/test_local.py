import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath

import pytest

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.leases.errors import AcquireFailed, HostIdTaken, LockspaceLost
from ovis.node.storage.leases.interface import HostIdState, Lockspace, Owner, Resource, Tie
from ovis.node.storage.leases.local import LocalLocks
from ovis.node.storage.volumes.store import LeasePlace


def lockspace(folder: Path) -> Lockspace:
    ids = folder / "ids"
    ids.touch()
    return Lockspace(DomainId("d0"), LeasePlace(PurePosixPath(ids)), Geometry())


def start_writer(tie: Tie) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], pass_fds=[tie.fileno()])


def run(folder: Path, test: Callable[[LocalLocks, Lockspace, Resource], Awaitable[None]]) -> None:
    async def main() -> None:
        place = lockspace(folder)
        locks = LocalLocks()
        await locks.join(place, 1)
        await test(locks, place, Resource(place, "SDM", LeasePlace(PurePosixPath(folder / "leases"))))
        await locks.close()

    asyncio.run(main())


def test_this_process_holds_what_it_takes(tmp_path: Path) -> None:
    async def test(locks: LocalLocks, place: Lockspace, sdm: Resource) -> None:
        assert await locks.owner(sdm) is None
        for _ in range(2):
            await locks.acquire(sdm, 1)
        assert await locks.owner(sdm) == Owner(1, 1)
        for _ in range(2):
            await locks.release(sdm)
        assert await locks.owner(sdm) is None
        await locks.acquire(sdm, 1)
        assert await locks.owner(sdm) == Owner(1, 2)

    run(tmp_path, test)


def test_another_agent_of_the_machine_is_kept_out(tmp_path: Path) -> None:
    async def test(locks: LocalLocks, place: Lockspace, sdm: Resource) -> None:
        another = LocalLocks()
        with pytest.raises(HostIdTaken):
            await another.join(place, 1)
        await locks.leave(place, 1)
        await another.join(place, 1)
        with pytest.raises(HostIdTaken):
            await locks.join(place, 1)
        await another.close()

    run(tmp_path, test)


def test_a_writer_that_is_left_behind_keeps_others_out_until_it_ends(tmp_path: Path) -> None:
    async def test(locks: LocalLocks, place: Lockspace, sdm: Resource) -> None:
        tie = locks.tie(place)
        assert tie is not None
        writer = start_writer(tie)
        await locks.close()  # as the agent's death does
        assert not tie.is_open
        another = LocalLocks()
        with pytest.raises(HostIdTaken):
            await another.join(place, 1)
        writer.kill()
        writer.wait()
        await another.join(place, 1)
        await another.close()

    run(tmp_path, test)


def test_without_a_host_id_there_is_no_lease(tmp_path: Path) -> None:
    async def test(locks: LocalLocks, place: Lockspace, sdm: Resource) -> None:
        with pytest.raises(AcquireFailed):
            await locks.acquire(sdm, 2)
        with pytest.raises(HostIdTaken):
            await locks.join(place, 2)
        await locks.acquire(sdm, 1)
        watching = asyncio.ensure_future(locks.lost(place))
        await locks.leave(place, 1)
        assert await watching
        assert await locks.state(place) is HostIdState.FREE
        assert await locks.owner(sdm) is None
        with pytest.raises(LockspaceLost):
            await locks.acquire(sdm, 1)

    run(tmp_path, test)


def test_a_domain_without_ids_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        nowhere = Lockspace(DomainId("d0"), LeasePlace(PurePosixPath(tmp_path / "ids")), Geometry())
        with pytest.raises(LockspaceLost, match="ids cannot be opened"):
            await LocalLocks().join(nowhere, 1)

    asyncio.run(main())
