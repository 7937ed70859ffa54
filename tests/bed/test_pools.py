"""A pool of a domain on disks and one on NFS, led under sanlock's lease, through the verbs that an engine calls."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovis.node.storage.storage import Storage
from tests.bed.parts.agent_storage import agent_storage
from tests.bed.parts.loop import mapped_disk
from tests.bed.parts.nfs import export

pytestmark = [pytest.mark.bed(services=["sanlock", "nfs"]), pytest.mark.timeout(300)]
GIB = 1 << 30
POOL = "5849b030-626e-47cb-ad90-3ce782d831b3"
VM = "aaaaaaaa-2222-4333-8444-555555555555"


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[Path]]:
    with mapped_disk(tmp_path, 16 * GIB) as first, mapped_disk(tmp_path, 4 * GIB) as second:
        yield [first, second]


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[str]:
    with export(Path("/srv/pool")) as source:
        yield source


async def call(storage: Storage, method: str, **params: Any) -> Any:
    import storage_host

    return await storage_host.call(storage, method, **params)


async def task(storage: Storage, method: str, **params: Any) -> None:
    import storage_host

    started = await call(storage, method, **params)
    assert await storage_host.done(storage, started) == ("success", 0)


async def block_domain(storage: Storage, disk: Path, *, version: str = "5") -> str:
    domain = str(uuid.uuid4())
    group = await call(storage, "LVMVolumeGroup.create", name=domain, devlist=[str(disk)])
    new = {"name": "on disks", "domainClass": 1, "version": version}
    await call(storage, "StorageDomain.create", storagedomainID=domain, domainType=3, typeArgs=group, **new)
    return domain


async def nfs_domain(storage: Storage, source: str, *, version: str = "5", **changes: Any) -> str:
    server = {"connection": source, "id": str(uuid.uuid4()), "protocol_version": "4.2"}
    statuses = await call(storage, "StoragePool.connectStorageServer", domainType=1, connectionParams=[server])
    assert [status["status"] for status in statuses] == [0]
    domain = str(uuid.uuid4())
    new = {"name": "on NFS", "domainClass": 1, "version": version, **changes}
    await call(storage, "StorageDomain.create", storagedomainID=domain, domainType=1, typeArgs=source, **new)
    return domain


async def lead(storage: Storage, master: str, version: int = 1, **options: Any) -> None:
    where = {"masterSdUUID": master, "masterVersion": version}
    await call(storage, "StoragePool.connect", storagepoolID=POOL, hostID=1, scsiKey=POOL, **where)
    await task(storage, "StoragePool.spmStart", storagepoolID=POOL, prevID=-1, prevLver="-1", **options)


async def leave(storage: Storage) -> None:
    await call(storage, "StoragePool.spmStop", storagepoolID=POOL)
    await call(storage, "StoragePool.disconnect", storagepoolID=POOL, hostID=1)


async def make_pool(storage: Storage, master: str, *others: str) -> None:
    where = {"masterSdUUID": master, "masterVersion": 1, "domainList": [master, *others]}
    await call(storage, "StoragePool.create", storagepoolID=POOL, name="Default", **where)


def test_pool_lives_on_disks_and_moves_to_nfs(tmp_path: Path, disks: list[Path], exported: str) -> None:
    async def main() -> None:
        of_pool = {"storagepoolID": POOL}
        async with agent_storage(tmp_path) as storage:
            master = await block_domain(storage, disks[0])
            second = await nfs_domain(storage, exported)
            await make_pool(storage, master)
            await lead(storage, master)
            status = await call(storage, "StoragePool.getSpmStatus", **of_pool)
            assert (status["spmId"], status["spmStatus"]) == (1, "SPM")
            assert await asyncio.to_thread(Path(f"/rhev/data-center/{POOL}/mastersd/master/tasks").is_dir)
            await call(storage, "StorageDomain.attach", storagedomainID=second, **of_pool)
            await call(storage, "StorageDomain.activate", storagedomainID=second, **of_pool)
            await call(storage, "StorageDomain.extend", storagedomainID=master, devlist=[str(disks[1])], **of_pool)
            found = await call(storage, "StoragePool.getInfo", **of_pool)
            assert sorted(found["info"]["domains"].split(",")) == sorted([f"{master}:Active", f"{second}:Active"])
            assert int(found["dominfo"][master]["disktotal"]) > 18 * GIB
            await call(storage, "StoragePool.updateVMs", **of_pool, vmList=[{"vm": VM, "ovf": "<x/>"}])
            to = {"oldMasterUUID": master, "newMasterUUID": second, "masterVersion": 2}
            await task(storage, "StoragePool.switchMaster", **of_pool, **to)
            assert await call(storage, "StoragePool.getBackedUpVmsList", **of_pool) == [VM]
        async with agent_storage(tmp_path) as storage:  # the agent starts again
            async with asyncio.timeout(120):
                while await call(storage, "Host.getConnectedStoragePools") != [POOL]:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            await task(storage, "StoragePool.spmStart", **of_pool, prevID=1, prevLver="1")
            back = {"oldMasterUUID": second, "newMasterUUID": master, "masterVersion": 3}
            await task(storage, "StoragePool.switchMaster", **of_pool, **back)
            assert await call(storage, "StoragePool.getBackedUpVmsList", **of_pool) == [VM]
            await call(storage, "StorageDomain.deactivate", storagedomainID=second, **of_pool)
            await call(storage, "StorageDomain.detach", storagedomainID=second, **of_pool)
            await call(storage, "StorageDomain.format", storagedomainID=second)
            await call(storage, "StoragePool.destroy", **of_pool, hostID=1)
            await call(storage, "StorageDomain.format", storagedomainID=master)
            assert await call(storage, "Host.getStorageDomains") == []

    asyncio.run(main())


def test_block_domain_is_upgraded_with_its_volumes(tmp_path: Path, disks: list[Path]) -> None:
    from tests.bed.parts.block import metadata_of, new_image, new_volume

    async def main() -> None:
        async with agent_storage(tmp_path) as storage:
            master = await block_domain(storage, disks[0], version="3")
            await make_pool(storage, master)
            await lead(storage, master)
            domain = await storage.domain(master)
            image, volume = new_image(), new_volume()
            metadata = metadata_of(domain.id, image)
            await domain.store.begin(image, volume, metadata, size=GIB, allocate=True)
            await domain.store.publish(image, volume)
            await call(storage, "StoragePool.spmStop", storagepoolID=POOL)
            await task(storage, "StoragePool.spmStart", storagepoolID=POOL, prevID=1, prevLver="1", domVersion="5")
            told = await call(storage, "StorageDomain.getInfo", storagedomainID=master)
            assert (told["version"], told["block_size"], told["state"]) == ("5", 512, "OK")
            opened = await storage.domain(master)
            assert await opened.store.read(image, volume) == metadata
            dumped = await call(storage, "StorageDomain.dump", sd_id=master)
            assert (dumped["volumes"][volume]["status"], dumped["xleases"]) == ("OK", {})
            await call(storage, "StoragePool.destroy", storagepoolID=POOL, hostID=1)
            await call(storage, "StorageDomain.format", storagedomainID=master)

    asyncio.run(main())
