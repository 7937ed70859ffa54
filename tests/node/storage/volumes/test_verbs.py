"""Disks through the API, on real file domains."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import storage_host
from engine import IMAGE, MIB, OTHER_IMAGE, Engine, engine, volume
from volume_station import qemu_img, qemu_io

from ovis.wire.errors import RpcError


def play(folder: Path, scene: Callable[[Engine], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with engine(folder) as at:
            await scene(at)

    asyncio.run(main())


def leads_to(link: Path, path: Path) -> bool:
    return link.exists() and link.samefile(path)


async def refused(call: Coroutine[Any, Any, Any]) -> int:
    with pytest.raises(RpcError) as error:
        await call
    return error.value.code


def test_a_disk_and_a_snapshot_of_it(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1, desc="a disk")
        await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1), sequence=7)
        base = await at.call("Volume.getInfo", volumeID=volume(1))
        leaf = await at.call("Volume.getInfo", volumeID=volume(2))
        assert (base["description"], base["voltype"], leaf["voltype"]) == ("a disk", "INTERNAL", "LEAF")
        assert (leaf["parent"], leaf["capacity"], leaf["status"]) == (volume(1), str(16 * MIB), "OK")
        assert (leaf["type"], leaf["format"], leaf["legality"], leaf["pool"]) == ("SPARSE", "COW", "LEGAL", "")
        assert leaf["lease"]["path"].endswith(f"{volume(2)}.lease")
        assert await at.call("Image.getVolumes") == [volume(1), volume(2)]
        info = await at.call("Volume.getQemuImageInfo", volumeID=volume(2))
        assert (info["backingfile"], info["compat"], info["virtualsize"]) == (volume(1), "1.1", 16 * MIB)
        assert int((await at.call("Volume.getSize", volumeID=volume(1)))["apparentsize"]) > 0

    play(tmp_path, scene)


def test_prepared_is_a_path_that_can_be_opened(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1))
        path = Path((await at.call("Image.prepare"))["path"])
        assert path.name == volume(2)
        qemu_io(path, "qcow2", "write -P 1 0 1M")
        link = Path(at.storage.repository.volume_in_use(at.domain, IMAGE, volume(2)))  # type: ignore[arg-type]
        assert leads_to(link, path)
        await at.call("Image.teardown")
        assert not leads_to(link, path)
        await at.call("Image.teardown")
        await at.call("Volume.setLegality", volumeID=volume(1), legality="ILLEGAL")
        assert await refused(at.call("Image.prepare")) == 227
        await at.call("Image.prepare", allowIllegal=True)
        await at.call("Volume.refresh", volumeID=volume(2))
        await at.call("Volume.teardown", volumeID=volume(2))
        await at.call("Volume.teardown", volumeID=volume(1))

    play(tmp_path, scene)


def test_growing_measuring_describing(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        await at.task("Volume.extendSize", volumeID=volume(1), newSize=str(32 * MIB))
        await at.task("Volume.extendSize", volumeID=volume(1), newSize=str(32 * MIB))
        assert (await at.call("Volume.getInfo", volumeID=volume(1)))["capacity"] == str(32 * MIB)
        assert await refused(at.call("Volume.extendSize", volumeID=volume(1), newSize=str(MIB))) == 232
        qemu_io(await at.path(1), "qcow2", "write -P 1 0 1M")
        raw = await at.call("Volume.measure", volumeID=volume(1), dstVolFormat=5)
        cow = await at.call("Volume.measure", volumeID=volume(1), dstVolFormat=4)
        assert raw == {"required": 32 * MIB}
        assert MIB < cow["required"] < 2 * MIB
        await at.call("Volume.setDescription", volumeID=volume(1), description="x" * 300)
        assert (await at.call("Volume.getInfo", volumeID=volume(1)))["description"] == "x" * 210

    play(tmp_path, scene)


def test_raw_disks_grow_with_their_storage(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1, volFormat=5, preallocate=1)
        await at.task("Volume.extendSize", volumeID=volume(1), newSize=str(24 * MIB))
        size = await at.call("Volume.getSize", volumeID=volume(1))
        assert size["apparentsize"] == str(24 * MIB)
        assert int(size["truesize"]) >= 24 * MIB

    play(tmp_path, scene)


def test_deleting_volumes_and_images(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1))
        assert await refused(at.call("Volume.delete", volumeID=volume(1))) == 204
        await at.task("Volume.delete", volumeID=volume(2), postZero="false", force="false")
        assert (await at.call("Volume.getInfo", volumeID=volume(1)))["voltype"] == "LEAF"
        await at.task("Image.delete", postZero="true")
        assert await at.call("Image.getVolumes") == []
        assert await refused(at.call("Image.delete")) == 268
        assert not os.listdir((await at.storage.domain(at.domain)).paths.images)

    play(tmp_path, scene)


def test_what_a_vm_writes_to_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        path = str(await at.path(1))
        disk = SimpleNamespace(is_exclusive=True, path=path, backing=path)
        vm = SimpleNamespace(id="vm", is_down=False, arriving_disks=set(), definition=SimpleNamespace(disks=[disk]))
        monkeypatch.setattr(storage_host.FakeNode, "vms", (vm,))
        assert await refused(at.call("Image.delete")) == 203
        assert await refused(at.call("Volume.extendSize", volumeID=volume(1), newSize=str(32 * MIB))) == 203

    play(tmp_path, scene)


def test_a_template_and_disks_on_it(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        qemu_io(await at.path(1), "qcow2", "write -P 5 0 1M")
        await at.task("Volume.copy", volumeID=volume(1), dstImgUUID=OTHER_IMAGE, dstVolUUID=volume(9), volType=6)
        template = await at.call("Volume.getInfo", imageID=OTHER_IMAGE, volumeID=volume(9))
        assert template["voltype"] == "SHARED"
        third = "11111111-0000-4000-8000-00000000000c"
        await at.create(3, imageID=third, srcImgUUID=OTHER_IMAGE, srcVolUUID=volume(9))
        assert await at.call("Image.getVolumes", imageID=third) == [volume(3), volume(9)]
        path = Path((await at.call("Image.prepare", imageID=third))["path"])
        qemu_io(path, "qcow2", "read -P 5 0 1M")
        assert await refused(at.call("Image.delete", imageID=OTHER_IMAGE)) == 223
        # the disk moves only where its template is
        move = {"imageID": third, "dstSdUUID": at.other, "operation": 2}
        assert await refused(at.call("Image.move", **move)) == 263
        await at.task("Image.move", imageID=OTHER_IMAGE, dstSdUUID=at.other, operation=1)
        await at.call("Image.teardown", imageID=third)
        await at.task("Image.move", **move)
        assert await at.call("Image.getVolumes", imageID=third) == []
        path = Path((await at.call("Image.prepare", imageID=third, storagedomainID=at.other))["path"])
        qemu_io(path, "qcow2", "read -P 5 0 1M")
        await at.task("Image.delete", imageID=OTHER_IMAGE)

    play(tmp_path, scene)


def test_a_disk_moves_while_its_vm_runs(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        qemu_io(await at.path(1), "qcow2", "write -P 5 0 1M")
        await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1))
        await at.task("Image.cloneStructure", dstSdUUID=at.other)
        await at.task("Image.syncData", dstSdUUID=at.other, syncType="INTERNAL")
        assert await at.call("Image.getVolumes", storagedomainID=at.other) == [volume(1), volume(2)]
        path = Path((await at.call("Image.prepare", storagedomainID=at.other))["path"])
        qemu_io(path, "qcow2", "read -P 5 0 1M")

    play(tmp_path, scene)


def test_a_cold_merge(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1))
        qemu_io(await at.path(2), "qcow2", "write -P 6 2M 1M")
        await at.call("Image.teardown")
        chain = {"sd_id": at.domain, "img_id": IMAGE, "base_id": volume(1), "top_id": volume(2)}
        await at.task("StoragePool.prepareMerge", subchainInfo=chain | {"base_generation": 0})
        job = await at.job("SDM.merge", subchain_info=chain | {"base_generation": 0})
        assert job["status"] == "done", job
        late = await at.job("SDM.merge", subchain_info=chain | {"base_generation": 0})
        assert late["error"].code == 911
        await at.task("StoragePool.finalizeMerge", subchainInfo=chain | {"base_generation": 1})
        await at.task("Image.deleteVolumes", volumeList=[volume(2)])
        qemu_io(await at.path(1), "qcow2", "read -P 6 2M 1M")
        await at.task("StoragePool.reduceVolume", volumeID=volume(1))

    play(tmp_path, scene)


def test_jobs_copy_and_change_volumes(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1, bitmap="first")
        qemu_io(await at.path(1), "qcow2", "write -P 6 2M 1M")
        await at.create(2, imageID=OTHER_IMAGE)
        ends = {"source": at.endpoint(1), "destination": at.endpoint(2, image=OTHER_IMAGE, generation=0)}
        job = await at.job("SDM.copy_data", copy_bitmaps=True, **ends)
        assert job["status"] == "done", job
        found = await at.call("Volume.getInfo", imageID=OTHER_IMAGE, volumeID=volume(2))
        assert (found["generation"], found["legality"]) == (1, "LEGAL")
        info = await at.call("Volume.getQemuImageInfo", imageID=OTHER_IMAGE, volumeID=volume(2))
        assert [bitmap["name"] for bitmap in info["bitmaps"]] == ["first"]
        target = at.endpoint(2, image=OTHER_IMAGE)
        for method, more in (
            ("add_bitmap", {"bitmap": "second"}),
            ("remove_bitmap", {"bitmap": "first"}),
            ("clear_bitmaps", {}),
            ("amend_volume", {"qcow2_attr": {"compat": "0.10"}}),
            ("update_volume", {"vol_attr": {"type": "SHARED", "generation": 50}}),
        ):
            job = await at.job(f"SDM.{method}", vol_info=target, **more)
            assert job["status"] == "done", (method, job)
        found = await at.call("Volume.getInfo", imageID=OTHER_IMAGE, volumeID=volume(2))
        assert (found["generation"], found["voltype"]) == (50, "SHARED")

    play(tmp_path, scene)


def test_metadata_follow_the_headers_after_a_merge_that_nobody_finished(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1))
        await at.create(3, srcImgUUID=IMAGE, srcVolUUID=volume(2))
        path = await at.path(3)
        qemu_img("commit", "-d", "-f", "qcow2", str(path.with_name(volume(2))))
        qemu_img("rebase", "-u", "-b", volume(1), "-F", "qcow2", "-f", "qcow2", str(path))
        assert await at.call("Image.reconcileVolumeChain", leafVolID=volume(3)) == [volume(1), volume(3)]
        assert (await at.call("Volume.getInfo", volumeID=volume(3)))["parent"] == volume(1)
        assert (await at.call("Volume.getInfo", volumeID=volume(2)))["legality"] == "ILLEGAL"
        await at.call("Image.teardown")
        assert (await at.call("Image.prepare"))["path"].endswith(volume(3))
        await at.task("Image.deleteVolumes", volumeList=[volume(2)])

    play(tmp_path, scene)


def test_only_the_spm_changes_and_only_active_domains(tmp_path: Path) -> None:
    async def scene(at: Engine) -> None:
        await at.create(1)
        nowhere = "99999999-0000-4000-8000-000000000000"
        assert await refused(at.call("Image.delete", storagedomainID=nowhere)) == 375
        assert await refused(at.call("Image.delete", storagepoolID=nowhere)) == 309
        pool = at.storage.pools.joined
        assert pool is not None
        await pool.spm.give_up()
        assert await refused(at.call("Image.delete")) == 654
        assert (await at.call("Volume.getInfo", volumeID=volume(1)))["status"] == "OK"

    play(tmp_path, scene)
