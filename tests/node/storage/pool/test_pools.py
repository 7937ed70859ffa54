import asyncio
from pathlib import Path

import pytest
from storage_host import POOL, Cluster, connected, make_domain, make_pool, until

from ovis.node.errors import Recovering
from ovis.node.storage.domains import membership
from ovis.node.storage.domains.alone import held_alone, sdm
from ovis.node.storage.formats.domain_metadata import DomainClass, Role
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.errors import TooLong
from ovis.node.storage.formats.identifiers import PoolId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.leases.errors import LeaseHeld
from ovis.node.storage.leases.interface import HostIdState
from ovis.node.storage.pool import creating
from ovis.node.storage.pool.creating import NewPool
from ovis.node.storage.pool.errors import (
    BackupAsMaster,
    DomainAttached,
    HigherMaster,
    IsoAsMaster,
    IsSpm,
    MasterNotFound,
    MixedVersions,
    NameTooLong,
    NotConnected,
    OtherPool,
    PoolExists,
    StillConnected,
    TooManyDomains,
    WrongHostId,
    WrongMaster,
)

ACTIVE, ATTACHED = DomainStatus.ACTIVE, DomainStatus.ATTACHED
OTHER = PoolId("11111111-2222-4333-8444-555555555555")


def test_new_pool_is_written_into_its_domains(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            record = await (await storage.domain(master)).read_record()
            assert (record.domain.role, record.domain.pools) == (Role.MASTER, (POOL,))
            assert record.pool is not None
            assert (record.pool.domains, record.pool.master_version) == ({master: ACTIVE, second: ATTACHED}, 1)
            member = await (await storage.domain(second)).read_record()
            assert (member.domain.role, member.domain.pools, member.pool) == (Role.REGULAR, (POOL,), None)
            assert cluster.locks("one")._joined == {}  # nothing is held afterwards

    asyncio.run(main())


def test_pool_that_cannot_be_made_leaves_no_mark(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            old = await make_domain(cluster, storage, version=4)
            iso = await make_domain(cluster, storage, domain_class=DomainClass.ISO)
            backup = await make_domain(cluster, storage, domain_class=DomainClass.BACKUP)
            for lead, error in ((iso, IsoAsMaster), (backup, BackupAsMaster)):
                with pytest.raises(error):
                    await make_pool(storage, lead, second)
            with pytest.raises(MixedVersions):
                await make_pool(storage, master, second, old)
            with pytest.raises(NameTooLong):
                await creating.create(storage, NewPool(POOL, "n" * 51, master, 1), [second])
            cluster.leases.fail_next("release", times=0)
            cluster.leases.fail_next("leave", times=2)  # in the middle: the members are written
            with pytest.raises(Exception, match="made to fail"):
                await make_pool(storage, master, second)
            for domain in (master, second):
                assert (await (await storage.domain(domain)).read_record()).domain.pools == ()

    asyncio.run(main())


def test_domain_of_another_pool_is_refused_and_the_same_pool_is_not_made_twice(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, free = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master)
            with pytest.raises(PoolExists):
                await make_pool(storage, master, free)
            with pytest.raises(DomainAttached):
                await creating.create(storage, NewPool(OTHER, "second", free, 1), [master])

    asyncio.run(main())


def test_connect_links_joins_and_is_remembered(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            pool = await connected(storage, master, domains={master: ACTIVE, second: ACTIVE})
            for domain in (master, second):
                found = await storage.domain(domain)
                await until(lambda domain=domain: (tmp_path / POOL / domain).is_symlink())
                assert (tmp_path / POOL / domain / "dom_md").is_dir()
                await until(lambda found=found: cluster.locks("one")._joined.get(found.id))
            assert (tmp_path / POOL / "mastersd").resolve() == (tmp_path / POOL / master).resolve()
            await connected(storage, master, domains={master: ACTIVE, second: ATTACHED})
            assert not (tmp_path / POOL / second).exists()
            assert pool.host_ids.kept == {master}
        async with cluster.host() as storage:
            await storage.recover()
            with pytest.raises(Recovering):
                storage.pools.find(POOL)
            await until(lambda: storage.pools.joined)
            assert storage.pools.find(POOL).membership.domains == {master: ACTIVE, second: ATTACHED}
            await storage.pools.disconnect(POOL, host_id=1)
            assert not (tmp_path / POOL).exists()
            assert await found.locks.state((await storage.domain(master)).lockspace) is HostIdState.FREE
        async with cluster.host() as storage:
            await storage.recover()
            with pytest.raises(NotConnected):
                storage.pools.find(POOL)

    asyncio.run(main())


def test_connect_refuses_what_is_not_so(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            with pytest.raises(WrongMaster):
                await connected(storage, second)
            with pytest.raises(WrongMaster):
                await connected(storage, master, version=2)
            with pytest.raises(MasterNotFound):
                await connected(storage, type(master)(str(OTHER)))
            with pytest.raises(NotConnected):
                storage.pools.find(POOL)
            await connected(storage, master)
            with pytest.raises(WrongHostId):
                await connected(storage, master, host_id=2)
            with pytest.raises(OtherPool):
                await storage.pools.connect(OTHER, host_id=1, master=master, master_version=1, domains=None)
            with pytest.raises(StillConnected):
                await creating.create(storage, NewPool(OTHER, "x", second, 1), [second])

    asyncio.run(main())


def test_pool_with_a_newer_master_is_not_joined(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            statuses = {master: ACTIVE, second: ACTIVE}
            old = await (await storage.domain(master)).read_record()
            await creating.reconstruct(storage, NewPool(POOL, "first", second, 7), statuses, host_id=1)
            demoted = await (await storage.domain(master)).read_record()
            assert demoted.domain.role is Role.REGULAR
            await (await storage.domain(master)).write_record(old)  # it was away then
            with pytest.raises(HigherMaster):
                await connected(storage, master, domains=statuses)
            await connected(storage, second, version=7, domains=statuses)

    asyncio.run(main())


def test_one_host_is_spm_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            master = await make_domain(cluster, one)
            await make_pool(one, master)
            here, there = await connected(one, master, host_id=1), await connected(two, master, host_id=2)
            results = await asyncio.gather(here.spm.take(), there.spm.take(), return_exceptions=True)
            assert sorted(type(result) for result in results if result) == [LeaseHeld]
            winner, loser = (here, there) if results[0] is None else (there, here)
            assert (winner.spm.role, loser.spm.role) == ("SPM", "Free")
            status = await loser.spm.status()
            assert (status.spm_id, status.spm_status) == (winner.host_id, "Free")
            with pytest.raises(IsSpm):
                await winner.storage.pools.disconnect(POOL, host_id=winner.host_id)
            await winner.spm.give_up()
            await winner.spm.give_up()
            await loser.spm.take()
            assert (await winner.spm.status()).spm_id == loser.host_id
            _, _, metadata = await winner.read()
            assert (metadata.spm_id, metadata.spm_version) == (loser.host_id, status.spm_lver + 1)

    asyncio.run(main())


def test_lost_host_id_ends_the_role_and_it_can_be_taken_again(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            master = await make_domain(cluster, one)
            await make_pool(one, master)
            here, there = await connected(one, master, host_id=1), await connected(two, master, host_id=2)
            await here.spm.take()
            lockspace = (await one.domain(master)).lockspace
            cluster.locks("one").lose(lockspace)
            await until(lambda: here.spm.role == "Free")
            await until(lambda: lockspace.domain in cluster.locks("one")._joined)  # and joins again
            await there.spm.take()
            with pytest.raises(LeaseHeld):
                await here.spm.take()

    asyncio.run(main())


@pytest.mark.parametrize("call", ["acquire", "owner", "join"])
def test_failed_start_leaves_no_spm(tmp_path: Path, call: str) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master = await make_domain(cluster, storage)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            await until(lambda: master in cluster.locks("one")._joined)
            cluster.leases.fail_next(call)
            with pytest.raises(Exception, match="made to fail"):
                await pool.spm.take()
            assert pool.spm.role == "Free"
            await pool.spm.take()

    asyncio.run(main())


def test_pool_is_destroyed_by_its_spm(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master = await make_domain(cluster, storage)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            await pool.spm.take()
            await creating.destroy(storage, pool)
            record = await (await storage.domain(master)).read_record()
            assert (record.domain.pools, record.domain.role, record.pool) == ((), Role.REGULAR, None)
            assert storage.pools.joined is None

    asyncio.run(main())


def test_domain_held_by_another_host_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            master = await make_domain(cluster, one)
            async with held_alone(await two.domain(master), 7):
                with pytest.raises(LeaseHeld):
                    await make_pool(one, master)
            assert (await (await one.domain(master)).read_record()).domain.pools == ()
            found = await one.domain(master)
            assert await found.locks.owner(sdm(found)) is None

    asyncio.run(main())


def test_new_master_needs_a_version_above_that_of_every_master_it_can_see(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            statuses = {master: ACTIVE, second: ACTIVE}
            with pytest.raises(WrongMaster, match="is 1"):
                await creating.reconstruct(storage, NewPool(POOL, "x", second, 1), statuses, host_id=1)
            for _ in range(2):
                await creating.reconstruct(storage, NewPool(POOL, "x", second, 2), statuses, host_id=1)
            pool = await connected(storage, second, version=2)
            assert (await pool.read())[2].domains == statuses

    asyncio.run(main())


def test_pool_whose_list_of_domains_does_not_fit_says_so_and_takes_the_mark_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags of a volume group hold 22 domains; here a file domain is made to behave like one."""

    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            await pool.spm.take()
            found = await storage.domain(master)
            write = found.write_record

            async def write_tags(record: DomainRecord) -> None:
                assert record.pool is not None
                if len(record.pool.domains) > 1:
                    raise TooLong("tags of the volume group", "POOL_DOMAINS", "a tag of 1025 bytes, LVM keeps 1024")
                await write(record)

            monkeypatch.setattr(found, "write_record", write_tags)
            with pytest.raises(TooManyDomains):
                await membership.attach(storage, pool, second)
            assert (await (await storage.domain(second)).read_record()).domain.pools == ()
            assert pool.membership.domains == {master: ACTIVE}

    asyncio.run(main())


def test_server_of_a_domain_in_use_is_not_disconnected(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master = await make_domain(cluster, storage)
            await make_pool(storage, master)
            mount = (await storage.domain(master)).paths.folder.parent
            assert storage.users(mount) == []
            await connected(storage, master)
            assert storage.users(mount) == [f"storage domain {master} of pool {POOL}"]
            await storage.pools.disconnect(POOL, host_id=1)
            assert storage.users(mount) == []

    asyncio.run(main())


def test_next_spm_knows_what_the_former_one_changed(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            master, second = await make_domain(cluster, one), await make_domain(cluster, one)
            await make_pool(one, master)
            here, there = await connected(one, master, host_id=1), await connected(two, master, host_id=2)
            await here.spm.take()
            await membership.attach(one, here, second)
            await here.spm.give_up()
            await there.spm.take()
            await membership.activate(two, there, second)
            assert (await there.read())[2].domains == {master: ACTIVE, second: ACTIVE}

    asyncio.run(main())


def test_list_of_members_that_a_caller_keeps_is_better_than_that_on_disk(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)  # on disk: the second is attached
            pool = await connected(storage, master, domains={master: ACTIVE, second: ACTIVE})
            await pool.spm.take()
            assert pool.membership.domains[second] is ACTIVE
            await membership.deactivate(storage, pool, second, new_master=None, master_version=0)
            assert (await pool.read())[2].domains == {master: ACTIVE, second: ATTACHED}

    asyncio.run(main())


def test_spm_that_is_told_of_another_master_gives_the_role_up(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            master, second = await make_domain(cluster, one), await make_domain(cluster, one)
            await make_pool(one, master, second)
            statuses = {master: ACTIVE, second: ACTIVE}
            pool = await connected(one, master, domains=statuses)
            await pool.spm.take()
            await creating.reconstruct(two, NewPool(POOL, "first", second, 2), statuses, host_id=2)
            await connected(one, second, version=2, domains=statuses)
            assert pool.spm.role == "Free"
            await pool.spm.take()
            assert (await pool.read())[0].id == second

    asyncio.run(main())


def test_role_taken_again_right_after_its_loss_is_whole(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master = await make_domain(cluster, storage)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            await pool.spm.take()
            await asyncio.gather(pool.spm.lose("for the test"), pool.spm.lose("twice"), pool.spm.take())
            assert pool.spm.role == "SPM"
            found = await storage.domain(master)
            owner = await found.locks.owner(sdm(found))
            assert owner is not None
            assert owner.host_id == 1

    asyncio.run(main())
