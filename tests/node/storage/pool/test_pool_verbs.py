"""A pool through the API, as an engine makes and uses it."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from storage_host import POOL, Cluster, call, done, make_domain

from ovis.node.storage.storage import Storage
from ovis.wire.errors import RpcError

VM = "aaaaaaaa-2222-4333-8444-555555555555"
NOTHING = "00000000-0000-0000-0000-000000000000"


async def create_domain(cluster: Cluster, storage: Storage, **changes: Any) -> str:
    domain = str(uuid.uuid4())
    given = {
        "domainType": 1,
        "typeArgs": cluster.connect(f"export{domain[:8]}"),
        "name": "first floor",
        "domainClass": 1,
        "version": "5",
    }
    await call(storage, "StorageDomain.create", storagedomainID=domain, **{**given, **changes})
    return domain


async def engine_makes_a_pool(cluster: Cluster, storage: Storage, count: int = 2) -> list[str]:
    domains = [await create_domain(cluster, storage) for _ in range(count)]
    await call(
        storage,
        "StoragePool.create",
        storagepoolID=POOL.upper(),
        name="Default",
        masterSdUUID=domains[0],
        masterVersion=1,
        domainList=domains,
    )
    await connect(storage, domains[0])
    task = await call(storage, "StoragePool.spmStart", storagepoolID=POOL, prevID=-1, prevLver="-1", domVersion="5")
    assert await done(storage, task) == ("success", 0)
    return domains


async def connect(storage: Storage, master: str, *, version: int = 1, **changes: Any) -> None:
    await call(
        storage,
        "StoragePool.connect",
        storagepoolID=POOL,
        hostID=1,
        scsiKey=POOL,
        masterSdUUID=master,
        masterVersion=version,
        **changes,
    )


async def code(storage: Storage, method: str, **params: Any) -> int:
    with pytest.raises(RpcError) as caught:
        await call(storage, method, **params)
    return caught.value.code


def test_engine_makes_and_reads_a_pool(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await engine_makes_a_pool(cluster, storage)
            assert await call(storage, "Host.getConnectedStoragePools") == [POOL]
            assert await call(storage, "StoragePool.getSpmStatus", storagepoolID=POOL) == {
                "spmId": 1,
                "spmLver": 2,
                "spmStatus": "SPM",
            }
            await call(storage, "StorageDomain.activate", storagedomainID=second, storagepoolID=POOL)
            found = await call(storage, "StoragePool.getInfo", storagepoolID=POOL)
            assert found["info"]["master_uuid"] == master
            assert sorted(found["info"]["domains"].split(",")) == sorted([f"{master}:Active", f"{second}:Active"])
            assert (found["info"]["name"], found["info"]["version"]) == ("Default", "5")
            assert found["dominfo"][second]["status"] == "Active"
            assert int(found["dominfo"][second]["diskfree"]) > 0
            told = await call(storage, "StorageDomain.getInfo", storagedomainID=master)
            assert (told["role"], told["pool"], told["master_ver"], told["lver"]) == ("Master", [POOL], 1, 2)
            assert (told["block_size"], told["alignment"], told["name"]) == (512, 1 << 20, "first floor")
            room = await call(storage, "StorageDomain.getStats", storagedomainID=master)
            assert (room["mdavalid"], room["mdasize"]) == (True, 0)
            assert await call(storage, "Host.getStorageDomains") == sorted([master, second])
            assert await call(storage, "Host.getStorageDomains", storagepoolID=POOL, domainClass="Iso") == []
            assert await call(storage, "Host.getStorageDomains", remotePath=told["remotePath"]) == [master]
            assert await call(storage, "StorageDomain.validate", storagedomainID=master) is True
            dumped = await call(storage, "StorageDomain.dump", sd_id=second)
            assert (dumped["volumes"], dumped["xleases"]) == ({}, {})

    asyncio.run(main())


def test_master_moves_by_a_task_and_the_role_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await engine_makes_a_pool(cluster, storage)
            await call(storage, "StorageDomain.activate", storagedomainID=second, storagepoolID=POOL)
            await call(storage, "StoragePool.updateVMs", storagepoolID=POOL, vmList=[{"vm": VM, "ovf": "<x/>"}])
            move = {"storagepoolID": POOL, "oldMasterUUID": master, "newMasterUUID": second}
            assert await code(storage, "StoragePool.switchMaster", **move, masterVersion=1) == 324
            task = await call(storage, "StoragePool.switchMaster", **move, masterVersion=2)
            assert task in await call(storage, "Host.getAllTasksStatuses")
            assert await done(storage, task) == ("success", 0)
            assert await call(storage, "Host.getAllTasks") == {}
            told = await call(storage, "StorageDomain.getInfo", storagedomainID=second)
            assert (told["role"], told["master_ver"], told["spm_id"]) == ("Master", 2, 1)
            assert (await call(storage, "StorageDomain.getInfo", storagedomainID=master))["role"] == "Regular"
            assert await call(storage, "StoragePool.getBackedUpVmsList", storagepoolID=POOL) == [VM]
            assert (tmp_path / POOL / "mastersd").resolve().name == second
            await call(storage, "StoragePool.spmStop", storagepoolID=POOL)
            await connect(storage, second, version=2)
            assert await code(storage, "StoragePool.disconnect", storagepoolID=POOL, hostID=2) == 700
            await call(storage, "StoragePool.disconnect", storagepoolID=POOL, hostID=1)
            assert await call(storage, "Host.getConnectedStoragePools") == []

    asyncio.run(main())


def test_descriptions_of_vms_are_kept_on_the_master(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, second = await engine_makes_a_pool(cluster, storage)
            pool = {"storagepoolID": POOL}
            for text in ("<old/>", "<new/>"):
                await call(storage, "StoragePool.updateVMs", **pool, vmList=[{"vm": VM, "ovf": text, "imglist": ""}])
            info = await call(storage, "StoragePool.getBackedUpVmsInfo", **pool, storagedomainID=NOTHING, vmList=[])
            assert info == {VM: "<new/>"}
            for _ in range(2):
                await call(storage, "StoragePool.removeVM", **pool, vmUUID=VM)
            assert await call(storage, "StoragePool.getBackedUpVmsList", **pool, storagedomainID=master) == []
            assert await code(storage, "StoragePool.getBackedUpVmsList", **pool, storagedomainID=second) == 369
            await call(storage, "StorageDomain.activate", storagedomainID=second, **pool)
            assert await code(storage, "StoragePool.getBackedUpVmsList", **pool, storagedomainID=second) == 378

    asyncio.run(main())


def test_files_of_an_iso_domain_are_listed(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            iso = await create_domain(cluster, storage, domainClass=2)
            domain = await storage.domain(iso)  # type: ignore[arg-type]
            folder = Path(domain.paths.images) / "11111111-1111-1111-1111-111111111111"
            (folder / "Setup.ISO").write_bytes(bytes(100))
            (folder / "notes.txt").write_bytes(b"")
            found = await call(storage, "StorageDomain.getFileStats", storagedomainID=iso, pattern="*.iso")
            assert {name: (file["size"], file["status"]) for name, file in found.items()} == {"Setup.ISO": ("100", 0)}
            strict = {"pattern": "*.iso", "caseSensitive": True}
            assert await call(storage, "StorageDomain.getFileStats", storagedomainID=iso, **strict) == {}

    asyncio.run(main())


def test_names_change_and_are_bounded(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master, _ = await engine_makes_a_pool(cluster, storage)
            free = await make_domain(cluster, storage)
            for domain in (master, free):
                await call(storage, "StorageDomain.setDescription", storagedomainID=domain, description="größer")
                assert (await call(storage, "StorageDomain.getInfo", storagedomainID=domain))["name"] == "größer"
            long = {"description": "n" * 51}
            assert await code(storage, "StorageDomain.setDescription", storagedomainID=free, **long) == 387
            assert await code(storage, "StoragePool.setDescription", storagepoolID=POOL, **long) == 327
            await call(storage, "StoragePool.setDescription", storagepoolID=POOL, description="Büro")
            assert (await call(storage, "StoragePool.getInfo", storagepoolID=POOL))["info"]["name"] == "Büro"

    asyncio.run(main())


def test_errors_have_the_numbers_that_engines_know(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            unknown = str(uuid.uuid4())
            assert await code(storage, "StorageDomain.getInfo", storagedomainID=unknown) == 358
            assert await code(storage, "StoragePool.getInfo", storagepoolID=POOL) == 309
            assert await code(storage, "Task.getStatus", taskID=unknown) == 401
            new = {"storagedomainID": unknown, "name": "x", "domainClass": 1, "version": "5"}
            old = {"storagedomainID": unknown, "name": "x", "domainClass": 1}
            at, make = cluster.connect("one"), "StorageDomain.create"
            assert await code(storage, make, **new, domainType=1, typeArgs="nas:/no") == 360
            assert await code(storage, make, **new, domainType=1, typeArgs="no") == 390
            assert await code(storage, make, **old, domainType=1, typeArgs=at) == 394
            assert await code(storage, make, **new, domainType=0, typeArgs=at) == 372
            await call(storage, make, **new, domainType=1, typeArgs=at)
            assert await code(storage, make, **new, domainType=1, typeArgs=at) == 365
            other = {**new, "storagedomainID": str(uuid.uuid4())}
            assert await code(storage, make, **other, domainType=1, typeArgs=at) == 361
            devices = {"storagedomainID": unknown, "storagepoolID": POOL, "devlist": []}
            assert await code(storage, "StorageDomain.extend", **devices) == 309

    asyncio.run(main())
