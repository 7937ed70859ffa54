import asyncio
from pathlib import Path

import pytest
from storage_host import POOL, Cluster, connected, make_domain, make_pool

from ovis.node.storage.domains import membership
from ovis.node.storage.domains.creating import format_domain
from ovis.node.storage.errors import NoSuchDomain
from ovis.node.storage.formats.domain_metadata import DomainClass, Role
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.leases.errors import HostIdTaken
from ovis.node.storage.pool import creating
from ovis.node.storage.pool.errors import (
    ConnectedPool,
    DomainActive,
    DomainAttached,
    DomainIsMaster,
    DomainNotInPool,
    MasterNeeded,
    MixedVersions,
    StillAttached,
)
from ovis.node.storage.tasks.errors import NotSpm

ACTIVE, ATTACHED = DomainStatus.ACTIVE, DomainStatus.ATTACHED


def test_domain_goes_through_its_life_in_a_pool(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            with pytest.raises(NotSpm):
                await membership.attach(storage, pool, second)
            await pool.spm.take()
            await membership.attach(storage, pool, second)
            with pytest.raises(DomainAttached):
                await membership.attach(storage, pool, second)
            assert (await pool.read())[2].domains == {master: ACTIVE, second: ATTACHED}
            for _ in range(2):
                await membership.activate(storage, pool, second)
            assert (await pool.read())[2].domains == {master: ACTIVE, second: ACTIVE}
            assert second in pool.host_ids.kept
            assert (tmp_path / POOL / second).is_symlink()
            with pytest.raises(DomainActive):
                await membership.detach(storage, pool, second)
            for _ in range(2):
                await membership.deactivate(storage, pool, second, new_master=None, master_version=0)
            assert second not in pool.host_ids.kept
            assert not (tmp_path / POOL / second).is_symlink()
            with pytest.raises(ConnectedPool):
                await format_domain(storage, second, detach=True)
            await membership.detach(storage, pool, second)
            with pytest.raises(DomainNotInPool):
                await membership.detach(storage, pool, second)
            assert (await (await storage.domain(second)).read_record()).domain.pools == ()
            await format_domain(storage, second, detach=False)
            with pytest.raises(NoSuchDomain):
                await storage.domain(second)

    asyncio.run(main())


def test_master_stays_unless_another_takes_over(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            pool = await connected(storage, master)
            await pool.spm.take()
            await membership.activate(storage, pool, second)
            with pytest.raises(DomainIsMaster):
                await membership.detach(storage, pool, master)
            with pytest.raises(MasterNeeded):
                await membership.deactivate(storage, pool, master, new_master=None, master_version=0)
            await membership.deactivate(storage, pool, master, new_master=second, master_version=2)
            assert pool.membership.master == second
            record = await (await storage.domain(second)).read_record()
            assert record.pool is not None
            assert (record.domain.role, record.pool.master_version) == (Role.MASTER, 2)
            assert record.pool.domains == {master: ATTACHED, second: ACTIVE}
            assert (await (await storage.domain(master)).read_record()).domain.role is Role.REGULAR
            assert pool.spm.role == "SPM"
            assert (await pool.spm.status()).spm_id == 1

    asyncio.run(main())


def test_attach_checks_pools_and_versions(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master = await make_domain(cluster, storage, version=4)
            newer = await make_domain(cluster, storage, version=5)
            iso = await make_domain(cluster, storage, domain_class=DomainClass.ISO)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            await pool.spm.take()
            with pytest.raises(MixedVersions):
                await membership.attach(storage, pool, newer)
            await membership.attach(storage, pool, iso)
            assert (await (await storage.domain(newer)).read_record()).domain.pools == ()

    asyncio.run(main())


def test_forced_detach_asks_no_pool(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            with pytest.raises(StillAttached):
                await format_domain(storage, second, detach=False)
            await membership.forced_detach(storage, POOL, second)
            with pytest.raises(DomainNotInPool):
                await membership.forced_detach(storage, POOL, second)
            await format_domain(storage, second, detach=False)
            await format_domain(storage, master, detach=True)
            assert await storage.domains.all() == []

    asyncio.run(main())


def test_imported_master_of_a_lost_pool_becomes_a_regular_member(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            imported, master = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, imported)
            await membership.forced_detach(storage, POOL, imported)
            await creating.create(storage, creating.NewPool(POOL, "again", master, 1), [master])
            pool = await connected(storage, master)
            await pool.spm.take()
            await membership.attach(storage, pool, imported)
            await membership.activate(storage, pool, imported)
            record = await (await storage.domain(imported)).read_record()
            assert (record.domain.role, record.pool, record.domain.pools) == (Role.REGULAR, None, (POOL,))

    asyncio.run(main())


def test_activation_without_a_host_id_leaves_the_domain_attached(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master, second)
            pool = await connected(storage, master)
            await pool.spm.take()
            await cluster.locks("intruder").join((await storage.domain(second)).lockspace, 1)
            with pytest.raises(HostIdTaken):
                await membership.activate(storage, pool, second)
            assert (await pool.read())[2].domains[second] is ATTACHED
            assert second not in pool.host_ids.kept

    asyncio.run(main())
