"""Which host may change a volume group: the SPM under its lease, and whoever uses a domain that is in no pool."""

import asyncio
from pathlib import Path

import pytest
from storage_host import Cluster, connected, make_domain, make_pool

from ovis.node.storage.formats.identifiers import DomainId, VolumeId
from ovis.node.storage.formats.mailbox import Extend
from ovis.node.storage.storage import Storage
from ovis.node.storage.tasks.errors import NotSpm


async def may_change(storage: Storage, domain: DomainId) -> bool:
    async with storage.extensions.may_change(await storage.domain(domain)) as allowed:
        return allowed


def test_only_the_spm_may_and_nobody_before_the_pool_is_joined(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, free = await make_domain(cluster, storage), await make_domain(cluster, storage)
            await make_pool(storage, master)
            assert await may_change(storage, free)
            assert not await may_change(storage, master)  # as after a restart, while the pool is away
            pool = await connected(storage, master)
            assert not await may_change(storage, master)
            with pytest.raises(NotSpm):
                await pool.spm.extend(Extend(master, VolumeId("20000000-0000-4000-8000-000000000001"), 1 << 30))
            await pool.spm.take()
            assert await may_change(storage, master)
            await pool.spm.lose("for the test")
            assert not await may_change(storage, master)

    asyncio.run(main())
