"""What two hosts may expect of their locks, whoever implements them. A subclass says how to reach them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest

from ovis.node.storage.formats.sanlock_areas import MIB
from ovis.node.storage.leases.errors import (
    HostIdTaken,
    LeaseError,
    LeaseHeld,
    LockspaceLost,
    NotALease,
    NoteFailed,
)
from ovis.node.storage.leases.interface import Found, HostIdState, Locks, Lockspace, Owner, Resource
from ovis.node.storage.volumes.store import LeasePlace

LIMIT = 60.0


@dataclass(frozen=True)
class Hosts:
    """Two hosts that have joined the lockspace as 1 and 2. `leases`: a file with room for leases."""

    one: Locks
    other: Locks
    lockspace: Lockspace
    leases: LeasePlace

    def resource(self, slot: int, name: str = "SDM") -> Resource:
        return Resource(self.lockspace, name, LeasePlace(self.leases.path, slot * MIB))

    async def formatted(self, slot: int, name: str = "SDM") -> Resource:
        await self.one.format_resource(self.resource(slot, name))
        return self.resource(slot, name)


class TwoHostsContract:
    def hosts(self) -> AbstractAsyncContextManager[Hosts]:
        raise NotImplementedError

    def run(self, test: Callable[[Hosts], Awaitable[None]]) -> None:
        async def within_limit() -> None:
            async with asyncio.timeout(LIMIT), self.hosts() as hosts:
                await test(hosts)

        asyncio.run(within_limit())

    def test_one_host_wins_and_the_other_learns_who(self) -> None:
        async def test(hosts: Hosts) -> None:
            sdm = await hosts.formatted(1)
            await hosts.one.acquire(sdm, 1)
            with pytest.raises(LeaseHeld) as refused:
                await hosts.other.acquire(sdm, 2)
            assert refused.value.owner == Owner(1, 1)
            assert await hosts.other.owner(sdm) == Owner(1, 1)
            await hosts.one.release(sdm)
            assert await hosts.other.owner(sdm) is None
            await hosts.other.acquire(sdm, 2)
            assert await hosts.one.owner(sdm) == Owner(2, 2)
            await hosts.other.release(sdm)
            assert await hosts.one.version(sdm) == 2

        self.run(test)

    def test_of_hosts_that_ask_at_once_one_wins(self) -> None:
        async def test(hosts: Hosts) -> None:
            sdm = await hosts.formatted(2)
            asked = await asyncio.gather(hosts.one.acquire(sdm, 1), hosts.other.acquire(sdm, 2), return_exceptions=True)
            assert [type(answer) for answer in asked if answer] == [LeaseHeld]
            winner = asked.index(None)
            assert (owner := await hosts.one.owner(sdm))
            assert owner.host_id == winner + 1
            await (hosts.one, hosts.other)[winner].release(sdm)

        self.run(test)

    def test_calls_may_be_repeated(self) -> None:
        async def test(hosts: Hosts) -> None:
            sdm = await hosts.formatted(3)
            await hosts.one.join(hosts.lockspace, 1)
            assert await hosts.one.state(hosts.lockspace) is HostIdState.HELD
            for _ in range(2):
                await hosts.one.acquire(sdm, 1)
            assert await hosts.one.owner(sdm) == Owner(1, 1)
            assert hosts.one.has(sdm)
            for _ in range(2):
                await hosts.one.release(sdm)
            assert not hosts.one.has(sdm)
            assert await hosts.one.owner(sdm) is None

        self.run(test)

    def test_a_host_has_one_id(self) -> None:
        async def test(hosts: Hosts) -> None:
            with pytest.raises(HostIdTaken):
                await hosts.one.join(hosts.lockspace, 3)

        self.run(test)

    def test_a_host_is_seen_to_renew_its_id(self) -> None:
        async def test(hosts: Hosts) -> None:
            while (seen := await hosts.other.renews(hosts.lockspace, 1)) is None:  # noqa: ASYNC110  # watched first
                await asyncio.sleep(0.1)
            assert seen
            assert not await hosts.other.renews(hosts.lockspace, 7)

        self.run(test)

    def test_what_is_no_lease_is_not_taken(self) -> None:
        async def test(hosts: Hosts) -> None:
            with pytest.raises(NotALease):
                await hosts.one.acquire(hosts.resource(4), 1)
            await hosts.formatted(4, "another")
            with pytest.raises(NotALease):
                await hosts.one.acquire(hosts.resource(4), 1)
            with pytest.raises(NotALease):
                await hosts.one.owner(hosts.resource(4))

        self.run(test)

    def test_a_lease_is_found_until_it_is_cleared(self) -> None:
        async def test(hosts: Hosts) -> None:
            place = hosts.resource(5).place
            assert await hosts.other.found(hosts.lockspace, place) is None
            await hosts.formatted(5, "here")
            assert await hosts.other.found(hosts.lockspace, place) == Found(hosts.lockspace.domain, "here")
            for _ in range(2):
                await hosts.one.clear(hosts.lockspace, place)
                assert await hosts.other.found(hosts.lockspace, place) is None

        self.run(test)

    def test_a_note_goes_from_holder_to_holder(self) -> None:
        async def test(hosts: Hosts) -> None:
            job = await hosts.formatted(6, "job")
            with pytest.raises(NoteFailed):
                await hosts.one.write_note(job, b"not held")
            await hosts.one.acquire(job, 1)
            assert await hosts.one.read_note(job) == b""
            await hosts.one.write_note(job, b"pending")
            await hosts.one.release(job)
            await hosts.other.acquire(job, 2)
            assert await hosts.other.read_note(job) == b"pending"
            with pytest.raises(LeaseError):
                await hosts.other.write_note(job, b"x" * 513)
            await hosts.other.release(job)

        self.run(test)

    def test_without_a_host_id_there_is_no_lease(self) -> None:
        async def test(hosts: Hosts) -> None:
            sdm = await hosts.formatted(7)
            await hosts.one.acquire(sdm, 1)
            watching = asyncio.ensure_future(hosts.one.lost(hosts.lockspace))
            for _ in range(2):
                await hosts.one.leave(hosts.lockspace, 1)
            assert await hosts.one.state(hosts.lockspace) is HostIdState.FREE
            assert await watching
            assert await hosts.one.lost(hosts.lockspace)
            with pytest.raises(LockspaceLost):
                await hosts.one.acquire(sdm, 1)
            await hosts.other.acquire(sdm, 2)
            await hosts.other.release(sdm)

        self.run(test)
