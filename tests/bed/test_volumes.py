"""Disks on logical volumes and on NFS, as an engine handles them: real LVM, real sanlock, real qemu-img."""

import asyncio
import os
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bed.parts.agent_storage import agent_storage
from tests.bed.parts.loop import mapped_disk
from tests.bed.parts.nfs import export
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import report

sys.path.insert(0, str(Path(__file__).parents[1] / "node" / "storage" / "volumes"))

pytestmark = [pytest.mark.bed(services=["sanlock", "nfs"]), pytest.mark.timeout(600)]
GIB, MIB = 1 << 30, 1 << 20
POOL = "5849b030-626e-47cb-ad90-3ce782d831b3"
IMAGE = "11111111-0000-4000-8000-00000000000a"


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder in which the path of a socket fits."""
    with tempfile.TemporaryDirectory(prefix="v", dir="/var/tmp") as name:
        yield Path(name)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mapped_disk(tmp_path, 24 * GIB) as device:
        yield device


@pytest.fixture
def exported() -> Iterator[str]:
    with export(Path("/srv/volumes")) as source:
        yield source


@asynccontextmanager
async def engine(folder: Path, disk: Path, exported: str) -> AsyncIterator[Any]:
    """A pool of a domain on a disk, the first, and one on NFS, the other."""
    import storage_host
    from engine import Engine

    async with agent_storage(folder) as storage:

        async def call(method: str, **params: Any) -> Any:
            return await storage_host.call(storage, method, **params)

        block, files = str(uuid.uuid4()), str(uuid.uuid4())
        group = await call("LVMVolumeGroup.create", name=block, devlist=[str(disk)])
        server = {"connection": exported, "id": str(uuid.uuid4()), "protocol_version": "4.2"}
        await call("StoragePool.connectStorageServer", domainType=1, connectionParams=[server])
        for domain, kind, place in ((block, 3, group), (files, 1, exported)):
            new = {"domainType": kind, "typeArgs": place, "name": "", "domainClass": 1, "version": "5"}
            await call("StorageDomain.create", storagedomainID=domain, **new)
        where = {"storagepoolID": POOL, "masterSdUUID": block, "masterVersion": 1}
        await call("StoragePool.create", name="Default", domainList=[block, files], **where)
        await call("StoragePool.connect", hostID=1, scsiKey=POOL, **where)
        started = await call("StoragePool.spmStart", storagepoolID=POOL, prevID=-1, prevLver="-1")
        assert await storage_host.done(storage, started) == ("success", 0)
        for domain in (block, files):
            await call("StorageDomain.activate", storagedomainID=domain, storagepoolID=POOL)
        pool = storage.pools.joined
        assert pool is not None
        await pool.host_ids.hold(await storage.domain(files))
        yield Engine(storage, block, files)
        await call("StorageDomain.deactivate", storagedomainID=files, storagepoolID=POOL)
        await call("StorageDomain.detach", storagedomainID=files, storagepoolID=POOL)
        await call("StoragePool.destroy", storagepoolID=POOL, hostID=1)
        for domain in (block, files):
            await call("StorageDomain.format", storagedomainID=domain)


def volume(number: int) -> str:
    return f"22222222-0000-4000-8000-{number:012}"


def qemu_io(path: object, format: str, *commands: str) -> None:
    words = [word for command in commands for word in ("-c", command)]
    assert "Pattern verification failed" not in run("qemu-io", "-f", format, *words, path)


def logical(domain: str, number: int) -> dict[str, Any]:
    rows = report("lvs", "-o", "lv_name,lv_size,lv_active,lv_tags", domain)
    return next(row for row in rows if row["lv_name"] == volume(number))


def is_active(domain: str, number: int) -> bool:
    return os.path.exists(f"/dev/{domain}/{volume(number)}")


async def a_thin_disk_on_a_logical_volume(at: Any) -> None:
    size = {"size": str(GIB), "initialSize": str(64 * MIB)}
    await at.create(1, **size)
    assert int(logical(at.domain, 1)["lv_size"]) == 128 * MIB
    await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1), bitmap="b", **size)
    assert not is_active(at.domain, 1)
    path = await at.path(2)
    assert str(path) == f"/rhev/data-center/mnt/blockSD/{at.domain}/images/{IMAGE}/{volume(2)}"
    qemu_io(path, "qcow2", "write -P 1 0 16M", "flush")
    leaf = await at.call("Volume.getInfo", volumeID=volume(2))
    assert (leaf["parent"], leaf["voltype"], leaf["lease"]["owners"]) == (volume(1), "LEAF", [])
    assert leaf["lease"]["path"] == f"/dev/{at.domain}/leases"
    await at.call("Image.teardown")
    assert not is_active(at.domain, 1)
    assert not is_active(at.domain, 2)

    await at.task("Volume.extendSize", volumeID=volume(2), newSize=str(2 * GIB))
    info = await at.call("Volume.getQemuImageInfo", volumeID=volume(2))
    assert (info["virtualsize"], info["backingfile"]) == (2 * GIB, volume(1))
    assert not is_active(at.domain, 2)

    chain = {"sd_id": at.domain, "img_id": IMAGE, "base_id": volume(1), "top_id": volume(2)}
    await at.task("StoragePool.prepareMerge", subchainInfo=chain)
    job = await at.job("SDM.merge", subchain_info=chain, merge_bitmaps=True)
    assert job["status"] == "done", job
    await at.task("StoragePool.finalizeMerge", subchainInfo=chain)
    await at.task("Image.deleteVolumes", volumeList=[volume(2)], postZero="true", discard=True)
    assert await at.call("Image.getVolumes") == [volume(1)]
    await at.task("StoragePool.reduceVolume", volumeID=volume(1))
    qemu_io(await at.path(1), "qcow2", "read -P 1 0 16M", "read -P 0 16M 16M")
    await at.call("Image.teardown")
    await at.task("Image.delete", postZero="true")
    names = [row["lv_name"] for row in report("lvs", "-o", "lv_name", at.domain)]
    assert not [name for name in names if name.startswith("2222")]


async def disks_go_between_disks_and_files(at: Any) -> None:
    await at.create(1, size=str(256 * MIB), volFormat=5, preallocate=1)
    qemu_io(await at.path(1), "raw", "write -P 1 0 8M")
    await at.call("Image.teardown")
    await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1), size=str(256 * MIB), initialSize=str(MIB))
    qemu_io(await at.path(2), "qcow2", "write -P 2 4M 8M")
    await at.call("Image.teardown")
    read = ("read -P 1 0 4M", "read -P 2 4M 8M", "read -P 0 12M 16M")

    await at.task("Image.move", dstSdUUID=at.other, operation=2)
    prepared = await at.call("Image.prepare", storagedomainID=at.other)
    qemu_io(prepared["path"], "qcow2", *read)
    await at.call("Image.teardown", storagedomainID=at.other)
    assert await at.call("Image.getVolumes") == []

    # a template on the disk, and a thin disk on that
    await at.task(
        "Volume.copy", storagedomainID=at.other, volumeID=volume(2), dstSdUUID=at.domain,
        dstImgUUID=IMAGE, dstVolUUID=volume(3), volType=6,
    )  # fmt: skip
    clone = IMAGE[:-1] + "c"
    parent = {"srcImgUUID": IMAGE, "srcVolUUID": volume(3)}
    await at.create(4, imageID=clone, size=str(256 * MIB), initialSize=str(MIB), **parent)
    other = IMAGE[:-1] + "d"
    await at.create(5, imageID=other, size=str(256 * MIB), initialSize=str(MIB), **parent)
    for image in (clone, other):
        qemu_io((await at.call("Image.prepare", imageID=image))["path"], "qcow2", *read)
    await at.call("Image.teardown", imageID=clone)
    assert is_active(at.domain, 3), "the other disk needs the template still"
    await at.call("Image.teardown", imageID=other)
    assert not is_active(at.domain, 3)

    # data into a volume that is there, under its lease
    ends = {
        "source": {"sd_id": at.other, "img_id": IMAGE, "vol_id": volume(2), "endpoint_type": "div"},
        "destination": at.endpoint(6, image=IMAGE[:-1] + "e", generation=0),
    }
    await at.create(6, imageID=IMAGE[:-1] + "e", size=str(256 * MIB), initialSize=str(MIB))
    job = await at.job("SDM.copy_data", **ends)
    assert job["status"] == "done", job
    assert int(logical(at.domain, 6)["lv_size"]) == 128 * MIB
    qemu_io((await at.call("Image.prepare", imageID=IMAGE[:-1] + "e"))["path"], "qcow2", *read)
    await at.call("Image.teardown", imageID=IMAGE[:-1] + "e")
    for image in (clone, other, IMAGE, IMAGE[:-1] + "e"):
        await at.task("Image.delete", imageID=image)


async def an_upload_is_verified_and_served(at: Any) -> None:
    from ovis.wire.errors import RpcError

    await at.create(1, size=str(64 * MIB), initialSize=str(MIB))
    path = await at.path(1)
    await at.call("Volume.verify_untrusted", volumeID=volume(1))
    run("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", path, "64M")
    with pytest.raises(RpcError, match="parent of its own"):
        await at.call("Volume.verify_untrusted", volumeID=volume(1))
    address = await at.call(
        "NBD.start_server",
        server_id=volume(9),
        config={"sd_id": at.domain, "img_id": IMAGE, "vol_id": volume(1), "backing_chain": False},
    )
    await at.call("Image.teardown")
    assert is_active(at.domain, 1), "the server has it open"
    run("qemu-io", "-f", "raw", "-c", "write -P 1 0 1M", address)
    await at.call("NBD.stop_server", server_id=volume(9))
    assert not is_active(at.domain, 1)
    await at.task("Image.delete")


async def a_disk_goes_out_and_comes_back_in_an_archive(at: Any, folder: Path) -> None:
    from ovis.client.types import ExternalDiskParams, ExternalVmParams, OvaDisk, OvaVm, VolumeFormat
    from ovis.node.exports.exports import Exports
    from ovis.node.hypervisor.simulated.external import SimulatedExternal
    from ovis.node.imports.imports import Imports
    from ovis.node.imports.settings import ImportSettings

    back = IMAGE[:-1] + "f"
    await at.create(1, size=str(256 * MIB), volFormat=5, preallocate=1)
    qemu_io(await at.path(1), "raw", "write -P 4 0 16M")
    await at.call("Image.teardown")
    await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1), size=str(256 * MIB), initialSize=str(MIB))
    await at.create(7, imageID=back, size=str(256 * MIB), volFormat=5, preallocate=1)
    await at.call("Image.prepare", imageID=back)
    qemu_io(await at.path(2), "qcow2", "write -P 3 1M 9M")

    root = Path("/rhev/data-center")
    links = (f"{folder}/links/*/*", f"{root}/mnt/blockSD/*/images/*")
    settings = ImportSettings(folder / "state", folder / "run", root, (root,), device_links=links)
    jobs = at.storage.jobs
    exports, imports = Exports(jobs, settings), Imports(jobs, SimulatedExternal(), settings, emulates=lambda: True)
    place = {"pool_id": POOL, "domain_id": at.domain}
    disk = OvaDisk(image_id=IMAGE, volume_id=volume(2), format=VolumeFormat.COW, **place)
    vm = OvaVm(name="guest", memory=GIB, cpus=1, disks=[disk])
    wish = ExternalVmParams(vm_name="guest", disks=[ExternalDiskParams(image_id=back, volume_id=volume(7))], **place)
    out, into, archive = str(uuid.uuid4()), str(uuid.uuid4()), str(folder / "guest.ova")
    await exports.export(archive, vm, out, compressed=False, with_manifest=False)
    await asyncio.wait([jobs.find(out).task])
    assert jobs.find(out).phase == "done", jobs.find(out).error
    await imports.convert_ova(archive, wish, into)
    await asyncio.wait([jobs.find(into).task])
    assert jobs.find(into).phase == "done", jobs.find(into).error
    exports.close()
    imports.close()
    prepared = await at.call("Image.prepare", imageID=back)
    qemu_io(prepared["path"], "raw", "read -P 4 0 1M", "read -P 3 1M 9M", "read -P 4 10M 6M")
    for image in (IMAGE, back):
        await at.call("Image.teardown", imageID=image)
        await at.task("Image.delete", imageID=image)


def test_disks_on_logical_volumes(short: Path, disk: Path, exported: str) -> None:
    """One pool for all: making it takes longer than any of these."""

    async def main() -> None:
        async with engine(short, disk, exported) as at:
            await a_thin_disk_on_a_logical_volume(at)
            await disks_go_between_disks_and_files(at)
            await an_upload_is_verified_and_served(at)
            await a_disk_goes_out_and_comes_back_in_an_archive(at, short)

    asyncio.run(main())
