import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
from lease_host import LOCKSPACE, Crash, LeaseDomain, MemoryFile, joined

from ovis.node.storage.errors import NoSpace
from ovis.node.storage.formats import lease_index
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.lease_index import RECORDS, Record
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry
from ovis.node.storage.leases.errors import IndexUnusable, LeaseExists, LocksNotResponding, NoSuchLease
from ovis.node.storage.leases.external import ExternalLeases, NoLeases
from ovis.node.storage.leases.interface import Found

VM = LeaseId("33330000-0000-4000-8000-000000000001")
OTHER = LeaseId("33330000-0000-4000-8000-000000000002")
Test = Callable[[ExternalLeases, LeaseDomain], Awaitable[None]]


def run(test: Test) -> None:
    async def main() -> None:
        locks = await joined()
        domain = LeaseDomain(locks)
        changes = {"format_resource", "clear"}
        locks._storage.check = lambda call: domain.io.step() if call in changes else None  # type: ignore[method-assign]
        leases = ExternalLeases(domain.as_domain)
        await leases.format(1_700_000_000)
        await test(leases, domain)

    asyncio.run(main())


async def add(leases: ExternalLeases, lease: LeaseId) -> int:
    number = await leases.reserve(lease)
    await leases.make(number, lease)
    return number


def test_a_lease_is_found_where_it_was_made() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        assert await add(leases, VM) == 0
        assert await add(leases, OTHER) == 1
        found = await leases.find(OTHER)
        assert (found.place.path.name, found.place.offset) == ("xleases", 4 * MIB)
        assert await domain.locks.found(LOCKSPACE, found.place) == Found(domain.id, OTHER)
        assert len(domain.io.data) == 5 * MIB
        await domain.locks.acquire(found, 1)

    run(test)


def test_one_lease_of_a_name() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        number = await add(leases, VM)
        await leases.make(number, VM)
        with pytest.raises(LeaseExists):
            await leases.reserve(VM)
        with pytest.raises(IndexUnusable):
            await leases.make(number, OTHER)

    run(test)


def test_a_removed_lease_is_gone_and_its_place_free() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        number = await add(leases, VM)
        place = leases.place(number)
        for _ in range(2):
            await leases.remove(await number_or(leases, VM, number), VM)
        with pytest.raises(NoSuchLease):
            await leases.find(VM)
        assert await domain.locks.found(LOCKSPACE, place) is None
        assert await add(leases, OTHER) == number
        await leases.remove(number, VM)
        assert await leases.find(OTHER)

    run(test)


async def number_or(leases: ExternalLeases, lease: LeaseId, known: int) -> int:
    try:
        return await leases.number(lease)
    except NoSuchLease:
        return known


@pytest.mark.parametrize("writes", range(6))
def test_making_survives_a_crash_after_each_write(writes: int) -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        number = await leases.reserve(VM)
        domain.io.crash_after = domain.io.writes + writes
        with contextlib.suppress(Crash):
            await leases.make(number, VM)
        domain.io.crash_after = None
        await check_whole(leases, domain)
        await leases.make(number, VM)
        assert await leases.find(VM)

    run(test)


@pytest.mark.parametrize("writes", range(4))
def test_removing_survives_a_crash_after_each_write(writes: int) -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        number = await add(leases, VM)
        domain.io.crash_after = domain.io.writes + writes
        with contextlib.suppress(Crash):
            await leases.remove(number, VM)
        domain.io.crash_after = None
        await check_whole(leases, domain)
        await leases.remove(number, VM)
        with pytest.raises(NoSuchLease):
            await leases.find(VM)

    run(test)


async def check_whole(leases: ExternalLeases, domain: LeaseDomain) -> None:
    """What the index says before and after the next change is what lies there."""
    try:
        before = await leases.find(VM)
    except NoSuchLease:
        before = None
    number = await leases.reserve(OTHER)
    await leases.make(number, OTHER)
    await leases.remove(number, OTHER)
    if before is None:
        with pytest.raises(NoSuchLease):
            await leases.find(VM)
    else:
        assert await leases.find(VM) == before
        assert await domain.locks.found(LOCKSPACE, before.place) == Found(domain.id, VM)


@pytest.mark.parametrize("writes", range(4))
def test_a_rebuilt_index_has_what_is_there_whenever_it_was_cut_short(writes: int) -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        await add(leases, VM)
        number = await add(leases, OTHER)
        await leases.remove(0, VM)
        domain.io.data[MIB : MIB + 4096] = b"x" * 4096
        with pytest.raises(IndexUnusable):
            await leases.find(OTHER)
        domain.io.crash_after = domain.io.writes + writes
        with contextlib.suppress(Crash):
            await leases.rebuild(1_700_000_001)
        domain.io.crash_after = None
        if writes < 3:
            with pytest.raises(IndexUnusable):
                await leases.find(OTHER)
            await leases.rebuild(1_700_000_001)
        assert await leases.number(OTHER) == number
        with pytest.raises(NoSuchLease):
            await leases.find(VM)

    run(test)


def test_areas_that_cannot_be_read_do_not_vanish_from_the_index() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        await add(leases, VM)

        def fail(call: str) -> None:
            if call == "found":
                raise LocksNotResponding("EIO")

        domain.locks._storage.check = fail  # type: ignore[attr-defined]
        with pytest.raises(LocksNotResponding):
            await leases.rebuild(1_700_000_001)
        domain.locks._storage.check = lambda call: None  # type: ignore[attr-defined]
        await leases.rebuild(1_700_000_001)
        assert await leases.find(VM)

    run(test)


def test_of_two_areas_with_one_name_the_held_one_is_kept() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        await add(leases, VM)
        await add(leases, OTHER)
        twin = leases.resource(1, VM)
        await domain.locks.format_resource(twin)
        await domain.locks.acquire(twin, 1)
        await leases.rebuild(1_700_000_001)
        assert await leases.number(VM) == 1

    run(test)


def test_a_full_domain_says_so() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        domain.is_block = True
        domain.io = MemoryFile(3 * MIB)
        full = lease_index.new(domain.id, 1_700_000_000, Geometry(), updating=False)
        for number in range(1020):
            full = full.with_record(number, Record(LeaseId(f"{number}")))
        domain.io.data[MIB : MIB + lease_index.SIZE] = lease_index.write(full)
        assert await leases.reserve(VM) == 1020
        full = full.with_record(1020, Record(LeaseId("1020")))
        domain.io.data[MIB : MIB + lease_index.SIZE] = lease_index.write(full)
        with pytest.raises(NoSpace):
            await leases.reserve(VM)

    run(test)


def test_old_domains_have_none() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        domain.version = 3
        with pytest.raises(NoLeases):
            ExternalLeases(domain.as_domain)

    run(test)


def test_there_are_records_for_the_last_area() -> None:
    async def test(leases: ExternalLeases, domain: LeaseDomain) -> None:
        assert leases.place(RECORDS - 1).offset == (RECORDS + 2) * MIB

    run(test)
