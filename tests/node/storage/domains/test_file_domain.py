"""FileDomain over a real IoProcess; what lies on disk is read by the independent reader."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import plain_reader
import plain_writer
import pytest

from ovis.node.storage.domains.access import AccessFailed
from ovis.node.storage.domains.file_domain import (
    BlockSizeMismatch,
    FileDomain,
    NewFileDomain,
    NoDirectIo,
    create_file_domain,
    open_file_domain,
    remove_file_domain,
)
from ovis.node.storage.errors import DomainExists, NoSuchDomain
from ovis.node.storage.formats.domain_metadata import DomainClass, StorageType
from ovis.node.storage.formats.errors import Broken, UnsupportedVersion
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.repository import ISO_IMAGE
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.local import LocalLocks

ID = DomainId("d0000000-0000-4000-8000-000000000000")
IMAGE = ImageId("10000000-0000-4000-8000-000000000000")
VOLUME = VolumeId("20000000-0000-4000-8000-000000000000")
NEW = NewFileDomain(ID, 5, StorageType.NFS, "nas:/exports/vms", description="vms")


class FaultyIo:
    """The `at`-th change and all after it fail, or are killed with the agent."""

    CHANGES = ("write", "replace", "create", "make_folder")

    def __init__(self, io: IoProcess, at: int, error: BaseException) -> None:
        self._io, self._left, self._error = io, at, error

    def __getattr__(self, name: str) -> Any:
        if name in self.CHANGES:
            self._left -= 1
            if self._left < 0:
                raise self._error
        return getattr(self._io, name)


class FourKIo:
    """As on a disk with sectors of 4096 bytes."""

    def __init__(self, io: IoProcess, smallest: int = 4096) -> None:
        self._io, self._smallest = io, smallest

    async def write(self, path: PurePosixPath, data: bytes, *, offset: int = 0, direct: bool = False) -> None:
        if direct and (len(data) % self._smallest or offset % self._smallest):
            raise OSError(errno.EINVAL, "Invalid argument", str(path))
        await self._io.write(path, data, offset=offset, direct=direct)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._io, name)


def run(folder: Path, work: Callable[[IoProcess, PurePosixPath], Awaitable[object]]) -> None:
    async def main() -> None:
        io = IoProcess([PurePosixPath(folder)])
        try:
            await work(io, PurePosixPath(folder))
        finally:
            await io.close()

    asyncio.run(main())


async def create(io: Any, mount: PurePosixPath, new: NewFileDomain = NEW) -> FileDomain:
    return await create_file_domain(io, mount, new, LocalLocks(), now=lambda: 1_700_000_000.0)


async def reopen(io: Any, mount: PurePosixPath) -> FileDomain:
    return await open_file_domain(io, mount / ID, lambda *, is_local: LocalLocks())


@pytest.mark.parametrize("version", [3, 4, 5])
def test_the_independent_reader_reads_a_domain_made_here(tmp_path: Path, version: int) -> None:
    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        domain = await create(io, mount, replace(NEW, version=version))
        metadata = VolumeMetadata(
            domain=ID, image=IMAGE, parent=None, capacity=1 << 20, format=VolumeFormat.RAW,
            allocation=Allocation.SPARSE, role=VolumeRole.LEAF, created=1,
        )  # fmt: skip
        await domain.store.begin(IMAGE, VOLUME, metadata, size=1 << 20, allocate=False)
        await domain.store.publish(IMAGE, VOLUME)

    run(tmp_path, work)
    folder = tmp_path / ID
    found = plain_reader.file_domain(str(folder))
    keys = found["keys"]
    assert (keys["VERSION"], keys["TYPE"], keys["CLASS"], keys["ROLE"]) == (str(version), "NFS", "Data", "Regular")
    assert (keys["REMOTE_PATH"], keys["DESCRIPTION"], keys["POOL_UUID"]) == ("nas:/exports/vms", "vms", "")
    assert plain_reader.capacity(found["images"][IMAGE][VOLUME]) == 1 << 20
    special = {"metadata", "ids", "leases", "inbox", "outbox"} | ({"xleases"} if version > 3 else set())
    assert set(os.listdir(folder / "dom_md")) == special
    assert (folder / "dom_md" / "inbox").stat().st_size == 16 << 20
    assert {path.stat().st_mode & 0o777 for path in (folder / "dom_md").iterdir()} == {0o660}
    if version > 3:
        with (folder / "dom_md" / "xleases").open("rb") as area:
            assert plain_reader.lease_index(area, 1 << 20)["lockspace"] == ID
    assert sorted(os.listdir(folder)) == ["dom_md", "images"]
    assert os.listdir(tmp_path) == [ID]


def test_a_domain_of_the_independent_writer_is_opened(tmp_path: Path) -> None:
    keys = {
        "VERSION": "5", "SDUUID": ID, "TYPE": "NFS", "ROLE": "Regular", "CLASS": "Data", "DESCRIPTION": "old",
        "POOL_UUID": "", "REMOTE_PATH": "nas:/vms", "BLOCK_SIZE": "512", "ALIGNMENT": "1048576", "LOCKPOLICY": "",
        "LOCKRENEWALINTERVALSEC": "5", "LEASETIMESEC": "60", "IOOPTIMEOUTSEC": "10", "LEASERETRIES": "3",
    }  # fmt: skip
    volume = {
        "CAP": "1048576", "CTIME": "1", "DESCRIPTION": "", "DISKTYPE": "DATA", "DOMAIN": ID, "FORMAT": "RAW",
        "GEN": "0", "IMAGE": IMAGE, "LEGALITY": "LEGAL", "PUUID": plain_reader.ZERO_ID, "SEQ": "1",
        "TYPE": "SPARSE", "VOLTYPE": "LEAF",
    }  # fmt: skip
    plain_writer.file_domain(str(tmp_path / ID), keys, {IMAGE: {VOLUME: volume}})

    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        domain = await reopen(io, mount)
        assert (await domain.read_record()).domain.description == "old"
        assert (await domain.store.read(IMAGE, VOLUME)).capacity == 1 << 20
        assert list(await domain.store.volumes()) == [VOLUME]

    run(tmp_path, work)


def test_a_record_is_changed(tmp_path: Path) -> None:
    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        domain = await create(io, mount)
        record = await domain.read_record()
        await domain.write_record(replace(record, domain=replace(record.domain, description="another")))
        again = await reopen(io, mount)
        assert (await again.read_record()).domain.description == "another"
        assert (again.version, again.lockspace.geometry) == (5, Geometry())
        assert (await again.space()).total > 0
        assert await again.check_path() >= 0
        await again.open_master()
        await again.open_master()

    run(tmp_path, work)
    assert sorted(os.listdir(tmp_path / ID / "master")) == ["tasks", "vms"]


def test_a_local_domain_has_nothing_that_hosts_share(tmp_path: Path) -> None:
    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        await create(io, mount, replace(NEW, type=StorageType.LOCAL))

    run(tmp_path, work)
    assert sorted(os.listdir(tmp_path / ID / "dom_md")) == ["ids", "leases", "metadata"]


@pytest.mark.parametrize("step", range(12))
def test_a_domain_that_cannot_be_made_leaves_nothing(tmp_path: Path, step: int) -> None:
    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        with pytest.raises(AccessFailed):
            await create(FaultyIo(io, step, OSError(errno.EIO, "Input/output error", "x")), mount)

    run(tmp_path, work)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("step", range(12))
def test_a_domain_whose_maker_was_killed_is_made_again(tmp_path: Path, step: int) -> None:
    class Killed(BaseException):
        pass

    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        dead = FaultyIo(io, step, Killed())
        dead.remove = dead.remove_tree = _nothing  # type: ignore[attr-defined]  # nothing is undone
        with pytest.raises(Killed):
            await create(dead, mount)
        with pytest.raises(NoSuchDomain):
            await reopen(io, mount)
        await create(io, mount)
        await reopen(io, mount)

    run(tmp_path, work)


async def _nothing(*_: object, **__: object) -> None: ...


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        await create(io, mount)
        with pytest.raises(DomainExists):
            await create(io, mount)
        (tmp_path / ID / "dom_md" / "metadata").unlink()
        (tmp_path / ID / "images" / IMAGE).mkdir()
        with pytest.raises(DomainExists, match="lost its metadata"):
            await create(io, mount)

    run(tmp_path, work)


def test_an_iso_domain_has_the_folder_of_its_images(tmp_path: Path) -> None:
    iso = replace(NEW, domain_class=DomainClass.ISO)

    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        await create(io, mount, iso)
        (tmp_path / ID / "dom_md" / "metadata").unlink()
        await create(io, mount, iso)  # what is half made holds nothing yet
        assert await (await reopen(io, mount)).store.volumes() == {}

    run(tmp_path, work)
    assert os.listdir(tmp_path / ID / "images") == [ISO_IMAGE]


def test_a_domain_is_removed(tmp_path: Path) -> None:
    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        await create(io, mount)
        await remove_file_domain(io, mount / ID)
        await remove_file_domain(io, mount / ID)

    run(tmp_path, work)
    assert os.listdir(tmp_path) == []


def test_metadata_of_another_domain_are_refused(tmp_path: Path) -> None:
    other = "e0000000-0000-4000-8000-000000000000"

    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        await create(io, mount)
        (tmp_path / ID).rename(tmp_path / other)
        with pytest.raises(Broken, match=ID):
            await open_file_domain(io, mount / other, lambda *, is_local: LocalLocks())

    run(tmp_path, work)


def test_block_sizes(tmp_path: Path) -> None:
    local = replace(NEW, type=StorageType.LOCAL)

    async def work(io: IoProcess, mount: PurePosixPath) -> None:
        big = FourKIo(io)
        for new in (NEW, replace(local, version=4), replace(local, block_size=512)):
            with pytest.raises(BlockSizeMismatch):
                await create(big, mount, new)
        with pytest.raises(BlockSizeMismatch):
            await create(io, mount, replace(local, block_size=4096))
        with pytest.raises(UnsupportedVersion):
            await create(io, mount, replace(local, version=2))
        with pytest.raises(NoDirectIo):
            await create(FourKIo(io, smallest=8192), mount, local)
        assert (await create(big, mount, replace(local, max_hosts=500))).lockspace.geometry == Geometry(4096, 2 << 20)

    run(tmp_path, work)
    assert os.listdir(tmp_path) == [ID]
