"""SDM.move_domain_device and SDM.reduce_domain: a disk of a domain in maintenance is emptied and leaves."""

import asyncio
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ovis.wire.errors import RpcError
from tests.bed.parts.agent_storage import agent_storage
from tests.bed.parts.loop import mapped_disk
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import report

sys.path.insert(0, str(Path(__file__).parents[1] / "node" / "storage" / "volumes"))

pytestmark = [pytest.mark.bed(services=["sanlock"]), pytest.mark.timeout(600)]
GIB, SIZE = 1 << 30, 256 << 20
POOL = "5849b030-626e-47cb-ad90-3ce782d831b3"
IMAGE = "11111111-0000-4000-8000-00000000000a"
VOLUME = "22222222-0000-4000-8000-000000000001"


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[str]]:
    with (
        mapped_disk(tmp_path, 12 * GIB) as one,
        mapped_disk(tmp_path, 12 * GIB) as two,
        mapped_disk(tmp_path, 12 * GIB) as three,
    ):
        yield [str(one), str(two), str(three)]


@asynccontextmanager
async def engine(folder: Path, disks: list[str]) -> AsyncIterator[Any]:
    """A pool of a master on the first disk, and a domain on the others."""
    import storage_host
    from engine import Engine

    async with agent_storage(folder) as storage:

        async def call(method: str, **params: Any) -> Any:
            return await storage_host.call(storage, method, **params)

        master, data = str(uuid.uuid4()), str(uuid.uuid4())
        for domain, devices in ((master, disks[:1]), (data, disks[1:])):
            group = await call("LVMVolumeGroup.create", name=domain, devlist=devices)
            new = {"domainType": 3, "typeArgs": group, "name": "", "domainClass": 1, "version": "5"}
            await call("StorageDomain.create", storagedomainID=domain, **new)
        where = {"storagepoolID": POOL, "masterSdUUID": master, "masterVersion": 1}
        await call("StoragePool.create", name="Default", domainList=[master, data], **where)
        await call("StoragePool.connect", hostID=1, scsiKey=POOL, **where)
        started = await call("StoragePool.spmStart", storagepoolID=POOL, prevID=-1, prevLver="-1")
        assert await storage_host.done(storage, started) == ("success", 0)
        for domain in (master, data):
            await call("StorageDomain.activate", storagedomainID=domain, storagepoolID=POOL)
        yield Engine(storage, data, master)


def members(domain: str) -> set[str]:
    return {row["pv_name"] for row in report("pvs", "-S", f"vg_name={domain}")}


def used(device: str) -> int:
    (row,) = report("pvs", "-o", "pv_name,pv_used", "-S", f"pv_name={device}")
    return int(row["pv_used"])


async def a_disk_is_emptied_and_leaves(at: Any, first: str, second: str) -> None:
    """The domain's own metadata lie on one of the two; the volume is made to lie on the other."""
    volume = {"volFormat": 5, "preallocate": 1, "size": str(SIZE)}
    await at.create(1, **volume)
    if used(second) < SIZE:
        run("pvmove", "-n", VOLUME, first, second)
    path = await at.path(1)
    run("qemu-io", "-f", "raw", "-c", "write -P 7 0 64M", "-c", "flush", path)
    await at.call("Image.teardown")

    given = {"sd_id": at.domain, "guid": second}
    with pytest.raises(RpcError) as refused:  # active
        await at.job("SDM.move_domain_device", move_params=given)
    assert refused.value.code != 0
    await at.call("StorageDomain.deactivate", storagedomainID=at.domain, storagepoolID=POOL)
    assert (await at.job("SDM.reduce_domain", reduce_params=given))["status"] == "failed"  # not empty
    assert members(at.domain) == {first, second}

    assert (await at.job("SDM.move_domain_device", move_params={**given, "dst_guids": [first]}))["status"] == "done"
    assert used(second) == 0
    assert (await at.job("SDM.reduce_domain", reduce_params=given))["status"] == "done"
    assert members(at.domain) == {first}
    assert (await at.job("SDM.reduce_domain", reduce_params={**given, "guid": first}))["status"] == "failed"

    await at.call("StorageDomain.activate", storagedomainID=at.domain, storagepoolID=POOL)
    run("qemu-io", "-f", "raw", "-c", "read -P 7 0 64M", await at.path(1))


def test_a_disk_is_emptied_and_leaves(disks: list[str]) -> None:
    async def main(folder: Path) -> None:
        async with engine(folder, disks) as at:
            await a_disk_is_emptied_and_leaves(at, disks[1], disks[2])

    with tempfile.TemporaryDirectory(prefix="v", dir="/var/tmp") as name:
        asyncio.run(main(Path(name)))
