import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import PurePosixPath

import pytest
from locks_contract import Hosts, TwoHostsContract

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import SDM_RESOURCE, Geometry
from ovis.node.storage.leases.errors import HostIdTaken, LeaseHeld, LocksNotResponding
from ovis.node.storage.leases.interface import HostIdState, Lockspace, Owner, Resource
from ovis.node.storage.leases.simulated import SharedLeases
from ovis.node.storage.volumes.store import LeasePlace

LOCKSPACE = Lockspace(DomainId("d0"), LeasePlace(PurePosixPath("/d0/ids")), Geometry())
LEASES = LeasePlace(PurePosixPath("/d0/leases"))
SDM = Resource(LOCKSPACE, SDM_RESOURCE, LEASES)


class TestTwoSimulatedHosts(TwoHostsContract):
    @asynccontextmanager
    async def hosts(self) -> AsyncIterator[Hosts]:
        storage = SharedLeases()
        one, other = storage.host("one"), storage.host("other")
        await one.format_lockspace(LOCKSPACE)
        await one.join(LOCKSPACE, 1)
        await other.join(LOCKSPACE, 2)
        yield Hosts(one, other, LOCKSPACE, LEASES)


async def shared() -> SharedLeases:
    storage = SharedLeases(dead_after=100)
    formatting = storage.host("formatting")
    await formatting.format_lockspace(LOCKSPACE)
    await formatting.format_resource(SDM)
    return storage


def test_the_lease_of_a_lost_host_stays_taken_until_it_must_be_dead() -> None:
    async def main() -> None:
        storage = await shared()
        one, other = storage.host("one"), storage.host("other")
        await one.join(LOCKSPACE, 1)
        await other.join(LOCKSPACE, 2)
        await one.acquire(SDM, 1)
        watching = asyncio.ensure_future(one.lost(LOCKSPACE))
        await asyncio.sleep(0)
        one.lose(LOCKSPACE)
        assert "renewed" in await watching
        storage.advance(99)
        with pytest.raises(LeaseHeld):
            await other.acquire(SDM, 2)
        storage.advance(1)
        await other.acquire(SDM, 2)
        assert await other.owner(SDM) == Owner(2, 2)

    asyncio.run(main())


def test_a_host_that_returns_has_lost_its_leases() -> None:
    async def main() -> None:
        storage = await shared()
        one, other = storage.host("one"), storage.host("other")
        await one.join(LOCKSPACE, 1)
        await other.join(LOCKSPACE, 2)
        await one.acquire(SDM, 1)
        one.lose(LOCKSPACE)
        await one.join(LOCKSPACE, 1)
        await other.acquire(SDM, 2)
        with pytest.raises(LeaseHeld) as refused:
            await one.acquire(SDM, 1)
        assert refused.value.owner == Owner(2, 2)

    asyncio.run(main())


def test_a_host_that_went_silent_renews_no_more() -> None:
    async def main() -> None:
        storage = await shared()
        one, other = storage.host("one"), storage.host("other")
        assert await other.renews(LOCKSPACE, 1) is None
        await one.join(LOCKSPACE, 1)
        await other.join(LOCKSPACE, 2)
        assert await other.renews(LOCKSPACE, 1)
        one.die()
        assert await other.renews(LOCKSPACE, 1) is False

    asyncio.run(main())


def test_the_id_of_a_dead_host_is_taken_over_in_time() -> None:
    async def main() -> None:
        storage = await shared()
        one, heir = storage.host("one"), storage.host("heir")
        await one.join(LOCKSPACE, 1)
        one.die()
        with pytest.raises(LocksNotResponding):
            await one.state(LOCKSPACE)
        with pytest.raises(HostIdTaken):
            await heir.join(LOCKSPACE, 1)
        storage.advance(100)
        await heir.join(LOCKSPACE, 1)

    asyncio.run(main())


def test_joining_may_take_a_while() -> None:
    async def main() -> None:
        storage = await shared()
        storage.slow_joins = True
        one = storage.host("one")
        await one.join(LOCKSPACE, 1, wait=False)
        assert await one.state(LOCKSPACE) is HostIdState.JOINING
        storage.finish_joins()
        await one.join(LOCKSPACE, 1)
        assert await one.state(LOCKSPACE) is HostIdState.HELD

    asyncio.run(main())


def test_a_call_can_be_made_to_fail() -> None:
    async def main() -> None:
        storage = await shared()
        one = storage.host("one")
        storage.fail_next("join")
        with pytest.raises(LocksNotResponding):
            await one.join(LOCKSPACE, 1)
        await one.join(LOCKSPACE, 1)

    asyncio.run(main())
