"""The verbs about watching, through the bridge."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from storage_host import Cluster, call, connected, make_domain, make_pool, until

from ovis.node.storage.leases.interface import HostIdState
from ovis.node.storage.storage import Storage
from ovis.wire.errors import RpcError


async def vitals(storage: Storage, domain: str) -> dict[str, object]:
    told = await call(storage, "Host.getStorageRepoStats", domains=[domain])
    return dict(told.get(domain, {}))


def test_a_domain_outside_the_pool_is_watched_and_let_go(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            assert await call(storage, "Host.getStorageRepoStats") == {}
            domain = await make_domain(cluster, storage)
            assert await call(storage, "Host.startMonitoringDomain", sdUUID=domain, hostID=3) is True
            await storage.monitors.looked(domain)
            found = await storage.domain(domain)
            await until(lambda: storage.vitals()[domain].acquired or not storage.vitals()[domain].valid)
            told = await vitals(storage, domain)
            assert (told["code"], told["valid"], told["version"], told["actual"]) == (0, True, 5, True)
            assert float(str(told["delay"])) >= 0
            with pytest.raises(RpcError) as caught:
                await call(storage, "Host.startMonitoringDomain", sdUUID=domain, hostID=4)
            assert caught.value.code == 1000
            await call(storage, "Host.stopMonitoringDomain", sdUUID=domain)
            await call(storage, "Host.stopMonitoringDomain", sdUUID=domain)
            assert await found.locks.state(found.lockspace) is HostIdState.FREE
            assert await vitals(storage, domain) == {}

    asyncio.run(main())


def test_domains_of_the_pool_are_watched_by_it(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            domain = await make_domain(cluster, storage)
            await make_pool(storage, domain)
            pool = await connected(storage, domain)
            assert (await storage.monitors.looked(domain)).is_valid
            with pytest.raises(RpcError) as caught:
                await call(storage, "Host.stopMonitoringDomain", sdUUID=domain)
            assert caught.value.code == 900
            await pool.leave()
            assert await vitals(storage, domain) == {}

    asyncio.run(main())


def test_other_verbs_are_answered_while_a_domain_hangs(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            dead, well = await make_domain(cluster, storage), await make_domain(cluster, storage)
            for domain in (dead, well):
                await call(storage, "Host.startMonitoringDomain", sdUUID=domain, hostID=1)
                await storage.monitors.looked(domain)
            process = (await storage.domain(dead)).io.pid  # type: ignore[attr-defined]
            os.kill(process, signal.SIGSTOP)
            hanging = asyncio.create_task(call(storage, "StorageDomain.getInfo", storagedomainID=dead))
            for _ in range(20):
                await call(storage, "Host.getStorageRepoStats")
                assert (await call(storage, "StorageDomain.getInfo", storagedomainID=well))["uuid"] == well
            assert not hanging.done()
            os.kill(process, signal.SIGCONT)
            assert (await hanging)["uuid"] == dead

    asyncio.run(main())
