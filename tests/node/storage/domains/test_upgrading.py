import asyncio
from pathlib import Path
from typing import Any

import pytest
from storage_host import POOL, Cluster, call, connected, done, make_domain, make_pool

from ovis.node.storage.domains import upgrading
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats import domain_record, volume_metadata
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.pool.errors import VersionNotServed, VersionTooHigh

IMAGE = ImageId("aaaaaaaa-2222-4333-8444-555555555555")
VOLUME = VolumeId("bbbbbbbb-2222-4333-8444-555555555555")
CAPACITY = 3 << 20


async def add_volume(domain: Domain) -> VolumeMetadata:
    metadata = VolumeMetadata(
        domain=domain.id,
        image=IMAGE,
        parent=None,
        capacity=CAPACITY,
        format=VolumeFormat.RAW,
        allocation=Allocation.SPARSE,
        role=VolumeRole.LEAF,
        created=1_700_000_000,
        description="disk",
    )
    await domain.store.begin(IMAGE, VOLUME, metadata, size=CAPACITY, allocate=False)
    await domain.store.publish(IMAGE, VOLUME)
    return metadata


@pytest.mark.parametrize(("old", "new"), [(3, 4), (3, 5), (4, 5)])
def test_domain_and_its_volumes_are_read_as_the_new_version(tmp_path: Path, old: int, new: int) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            domain_id = await make_domain(cluster, storage, version=old)
            domain = await storage.domain(domain_id)
            metadata = await add_volume(domain)
            await upgrading.upgrade(storage, domain, new, host_id=1)
            await storage.domains.forget(domain_id)
            opened = await storage.domain(domain_id)
            record = await opened.read_record()
            assert (opened.version, record.domain.version, record.domain.geometry) == (new, new, Geometry())
            assert await opened.store.read(IMAGE, VOLUME) == metadata
            dumped = await call(storage, "StorageDomain.dump", sd_id=domain_id)
            assert (dumped["xleases"], dumped["volumes"][VOLUME]["status"]) == ({}, "OK")
            await upgrading.upgrade(storage, opened, new, host_id=1)
            with pytest.raises(VersionTooHigh):
                await upgrading.upgrade(storage, opened, old, host_id=1)
            with pytest.raises(VersionNotServed):
                await upgrading.upgrade(storage, opened, 6, host_id=1)

    asyncio.run(main())


class Killed(Exception):
    pass


class MortalIo:
    """Dies before its n-th write."""

    WRITES = ("write", "replace", "create", "resize", "make_folder", "rename", "remove", "remove_tree")

    def __init__(self, io: Any, lives: int) -> None:
        self._io = io
        self.lives = lives

    def __getattr__(self, name: str) -> Any:
        if name in self.WRITES:
            self.lives -= 1
            if self.lives < 0:
                raise Killed
        return getattr(self._io, name)


@pytest.mark.parametrize("lives", range(4))
def test_killed_between_two_writes_the_domain_is_of_the_old_version_and_whole(tmp_path: Path, lives: int) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            domain_id = await make_domain(cluster, storage, version=3)
            domain = await storage.domain(domain_id)
            metadata = await add_volume(domain)
            domain.io = MortalIo(domain.io, lives)
            with pytest.raises(Killed):
                await upgrading.upgrade(storage, domain, 5, host_id=1)
        async with cluster.host() as storage:
            again = await storage.domain(domain_id)
            assert again.version == 3
            assert await again.store.read(IMAGE, VOLUME) == metadata
            await upgrading.upgrade(storage, again, 5, host_id=1)
            assert (await again.read_record()).domain.version == 5

    asyncio.run(main())


def test_volume_in_both_forms_says_the_same_to_either_reader() -> None:
    metadata = VolumeMetadata(
        domain=DomainId(POOL),
        image=IMAGE,
        parent=VOLUME,
        capacity=CAPACITY,
        format=VolumeFormat.COW,
        allocation=Allocation.SPARSE,
        role=VolumeRole.LEAF,
        created=1,
        description="d" * 100,
    )
    data = upgrading.both_forms(metadata)
    assert volume_metadata.read(data) == metadata
    assert b"\nSIZE=6144\n" in data
    assert data.startswith(b"CAP=3145728\n")


def test_spm_start_brings_the_pool_to_the_version_that_is_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host("one") as one, cluster.host("two") as two:
            master = await make_domain(cluster, one, version=4)
            second, third = await make_domain(cluster, one, version=4), await make_domain(cluster, one, version=4)
            await make_pool(one, master, second, third)
            pool = await connected(one, master)
            watcher = await connected(two, master, host_id=2)
            start = {"storagepoolID": POOL, "prevID": -1, "prevLver": "-1"}
            task = await call(one, "StoragePool.spmStart", **start, domVersion="4")
            assert await done(one, task) == ("success", 0)
            await call(one, "StorageDomain.activate", storagedomainID=second, storagepoolID=POOL)
            await pool.spm.give_up()
            assert (await watcher.master()).version == 4
            task = await call(one, "StoragePool.spmStart", **start, domVersion="5")
            assert await done(one, task) == ("success", 0)
            for domain in (master, second):
                assert (await one.domain(domain)).version == 5
            assert (await one.domain(third)).version == 4
            await call(one, "StorageDomain.activate", storagedomainID=third, storagepoolID=POOL)
            assert (await (await one.domain(third)).read_record()).domain.version == 5
            assert (await watcher.read())[0].version == 5  # another host notices
            await pool.spm.give_up()
            task = await call(one, "StoragePool.spmStart", **start, domVersion="4")
            assert await done(one, task) == ("cleanSuccess", 395)
            assert pool.spm.role == "Free"

    asyncio.run(main())


def test_converted_record_has_the_keys_of_its_version(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            domain = await storage.domain(await make_domain(cluster, storage, version=4))
            assert b"BLOCK_SIZE" not in domain_record.write_file(await domain.read_record())
            await upgrading.upgrade(storage, domain, 5, host_id=1)
            assert b"BLOCK_SIZE=512\n" in domain_record.write_file(await domain.read_record())

    asyncio.run(main())
