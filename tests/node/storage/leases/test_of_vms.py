import asyncio
from pathlib import Path

import pytest

from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.sanlock_areas import MIB
from ovis.node.storage.leases.errors import LockspaceLost, NoSuchLease
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.of_vms import is_held, of_vm
from tests.node.storage.storage_host import Cluster, make_domain

VM = LeaseId("33330000-0000-4000-8000-000000000001")


def test_a_host_is_told_of_leases_that_it_can_hold(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            domain_id = await make_domain(cluster, storage)
            domain = await storage.domain(domain_id)
            leases = ExternalLeases(domain)
            await leases.make(await leases.reserve(VM), VM)
            with pytest.raises(LockspaceLost, match="connected to the pool"):
                await of_vm(storage, domain_id, VM)
            await domain.locks.join(domain.lockspace, 1)
            path, offset = await of_vm(storage, domain_id, VM)
            assert (path, offset) == (str(domain.special("xleases").path), 3 * MIB)
            assert not await is_held(storage, domain_id, VM, path, offset)
            await domain.locks.acquire(await leases.find(VM), 1)
            assert await is_held(storage, domain_id, VM, path, offset)
            with pytest.raises(NoSuchLease):
                await of_vm(storage, domain_id, domain_id)
            with pytest.raises(Broken):
                await of_vm(storage, "../../etc", VM)

    asyncio.run(main())
