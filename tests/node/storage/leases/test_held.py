import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath

import pytest
from lease_host import IMAGE, LOCKSPACE, VOLUME, LeaseDomain, joined

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.leases.errors import GenerationMismatch, LeaseHeld, LeaseLost
from ovis.node.storage.leases.held import held, inherited, volume_lease, while_trusted
from ovis.node.storage.leases.interface import Lockspace, Resource
from ovis.node.storage.leases.local import LocalLocks
from ovis.node.storage.leases.simulated import SimulatedLocks
from ovis.node.storage.volumes.store import LeasePlace

SDM = Resource(LOCKSPACE, "SDM", LeasePlace(PurePosixPath("/leases")))


def run(test: Callable[[SimulatedLocks], Awaitable[None]]) -> None:
    async def main() -> None:
        locks = await joined()
        await locks.format_resource(SDM)
        await test(locks)

    asyncio.run(main())


async def lose_soon(locks: SimulatedLocks) -> None:
    for _ in range(3):
        await asyncio.sleep(0)
    locks.lose(LOCKSPACE)


def test_work_ends_with_the_lease_given_back() -> None:
    async def test(locks: SimulatedLocks) -> None:
        async with held(locks, SDM, 1):
            assert await locks.owner(SDM)
        assert await locks.owner(SDM) is None
        with pytest.raises(ZeroDivisionError):
            async with held(locks, SDM, 1):
                raise ZeroDivisionError
        assert await locks.owner(SDM) is None

    run(test)


def test_a_lease_that_the_host_has_already_stays() -> None:
    async def test(locks: SimulatedLocks) -> None:
        await locks.acquire(SDM, 1)
        async with held(locks, SDM, 1):
            pass
        assert await locks.owner(SDM)

    run(test)


def test_of_several_works_the_last_gives_the_lease_back() -> None:
    async def test(locks: SimulatedLocks) -> None:
        async with held(locks, SDM, 1):
            async with held(locks, SDM, 1):
                pass
            assert await locks.owner(SDM)
        assert await locks.owner(SDM) is None

    run(test)


def test_work_is_cancelled_when_the_lease_is_lost() -> None:
    async def test(locks: SimulatedLocks) -> None:
        losing = asyncio.ensure_future(lose_soon(locks))
        cleaned = []

        async def work() -> None:
            async with held(locks, SDM, 1):
                try:
                    await asyncio.sleep(60)
                finally:
                    cleaned.append(True)

        with pytest.raises(LeaseLost, match="could not be renewed"):
            await work()
        assert cleaned
        await losing
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0

    run(test)


def test_a_lease_lost_in_the_last_moment_is_no_success() -> None:
    async def test(locks: SimulatedLocks) -> None:
        async def work() -> None:
            async with held(locks, SDM, 1):
                await asyncio.sleep(0)
                locks.lose(LOCKSPACE)
                await asyncio.sleep(0)

        with pytest.raises(LeaseLost):
            await work()

    run(test)


def test_a_caller_that_goes_is_not_told_of_leases() -> None:
    async def test(locks: SimulatedLocks) -> None:
        async def work() -> None:
            async with held(locks, SDM, 1):
                await asyncio.sleep(60)

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await locks.owner(SDM) is None

    run(test)


def test_what_is_held_elsewhere_is_not_begun() -> None:
    async def test(locks: SimulatedLocks) -> None:
        other = await joined("other", 2, storage=locks._storage)
        await other.acquire(SDM, 2)
        with pytest.raises(LeaseHeld):
            async with held(locks, SDM, 1):
                pytest.fail("begun")

    run(test)


def test_a_volume_of_another_generation_is_left_alone() -> None:
    async def test(locks: SimulatedLocks) -> None:
        domain = LeaseDomain(locks)
        lease = Resource(LOCKSPACE, VOLUME, await domain.store.lease(IMAGE, VOLUME))
        await locks.format_resource(lease)
        domain.store.metadata.generation = 7
        async with volume_lease(domain.as_domain, 1, IMAGE, VOLUME, generation=7) as metadata:
            assert metadata.generation == 7
            assert await locks.owner(lease)
        with pytest.raises(GenerationMismatch) as refused:
            async with volume_lease(domain.as_domain, 1, IMAGE, VOLUME, generation=6):
                pytest.fail("begun")
        assert (refused.value.wanted, refused.value.found) == (6, 7)
        assert await locks.owner(lease) is None

    run(test)


def test_writers_inherit_what_keeps_the_lease(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "ids").touch()
        lockspace = Lockspace(DomainId("d0"), LeasePlace(PurePosixPath(tmp_path / "ids")), Geometry())
        locks = LocalLocks()
        await locks.join(lockspace, 1)
        assert inherited() == ()
        async with while_trusted(locks, lockspace, "work"):
            tie = locks.tie(lockspace)
            assert tie is not None
            assert inherited() == (tie.fileno(),)
            async with while_trusted(locks, lockspace, "work within"):
                assert inherited() == (tie.fileno(),)
        assert inherited() == ()
        with contextlib.suppress(LeaseLost):
            async with while_trusted(locks, lockspace, "work"):
                await locks.close()
                with pytest.raises(LeaseLost):
                    inherited()

    asyncio.run(main())
