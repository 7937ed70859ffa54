"""File domains on file systems of their own: 4096 byte sectors, full, read only, unmounted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy.rig import sanlock
from ovis.node.storage.domains.access import AccessFailed
from ovis.node.storage.domains.file_domain import (
    BlockSizeMismatch,
    FileDomain,
    NewFileDomain,
    create_file_domain,
    open_file_domain,
)
from ovis.node.storage.errors import NoSpace
from ovis.node.storage.formats.domain_metadata import StorageType
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.sanlock_areas import SDM_RESOURCE, Geometry
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.interface import Owner, Resource
from ovis.node.storage.leases.local import LocalLocks
from ovis.node.storage.leases.sanlock import SanlockLocks
from ovis.node.storage.volumes.store import LeasePlace

ID = DomainId("d0000000-0000-4000-8000-000000000000")
IMAGE = ImageId("10000000-0000-4000-8000-000000000000")
VOLUME, SECOND = (VolumeId(f"2000000{number}-0000-4000-8000-000000000000") for number in range(2))
MIB = 1 << 20
NEW = NewFileDomain(ID, 5, StorageType.LOCAL, "/srv/vms")
METADATA = VolumeMetadata(
    domain=ID, image=IMAGE, parent=None, capacity=MIB, format=VolumeFormat.RAW, allocation=Allocation.SPARSE,
    role=VolumeRole.LEAF, created=1,
)  # fmt: skip


def run(*words: str | Path) -> str:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def file_system(folder: Path, *, sector: int = 512, size: int = 64 * MIB) -> Iterator[Path]:
    """An empty ext4 of its own, mounted."""
    image, mount = folder / "disk", folder / "mount"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    run("mkfs.ext4", "-q", "-b", "4096", "-m", "0", image)
    device = run("losetup", "-b", str(sector), "-f", "--show", image)
    try:
        run("mount", device, mount)
        try:
            (mount / "lost+found").rmdir()
            yield mount
        finally:
            run("umount", mount)
    finally:
        run("losetup", "-d", device)


def on(mount: Path, work: Callable[[FileDomain], Awaitable[None]], new: NewFileDomain = NEW) -> None:
    async def main() -> None:
        io = IoProcess([PurePosixPath(mount)])
        try:
            await work(await create_file_domain(io, PurePosixPath(mount), new, LocalLocks()))
        finally:
            await io.close()

    asyncio.run(main())


def names(mount: Path) -> list[str]:
    return sorted(path.name for path in (mount / ID / "images").rglob("*"))


def test_sectors_of_4096_bytes(tmp_path: Path) -> None:
    async def work(domain: FileDomain) -> None:
        assert domain.lockspace.geometry == Geometry(4096, MIB)
        assert (await domain.read_record()).domain.geometry.block_size == 4096
        assert await domain.check_path() >= 0

    with file_system(tmp_path, sector=4096) as mount:
        on(mount, work)
        for new in (replace(NEW, version=4), replace(NEW, type=StorageType.NFS), replace(NEW, block_size=512)):
            with pytest.raises(BlockSizeMismatch):
                on(mount, work, replace(new, id=DomainId(IMAGE)))


def test_a_full_disk_costs_what_was_asked_and_no_more(tmp_path: Path) -> None:
    async def work(domain: FileDomain) -> None:
        store = domain.store
        with pytest.raises(NoSpace):
            await store.begin(IMAGE, VOLUME, METADATA, size=100 * MIB, allocate=True)
        assert await store.volumes() == {}
        await store.begin(IMAGE, VOLUME, METADATA, size=MIB, allocate=True)
        await store.publish(IMAGE, VOLUME)
        place = domain.paths.volume(IMAGE, VOLUME)
        with pytest.raises(OSError, match="No space"):
            await domain.io.resize(place, 100 * MIB, allocate=True)
        assert (await domain.io.facts(place)).size == MIB
        fill(Path(domain.paths.folder.parent))
        with pytest.raises(NoSpace):
            await store.write(IMAGE, VOLUME, replace(METADATA, description="no room"))
        record = await domain.read_record()
        with pytest.raises(NoSpace):
            await domain.write_record(record)
        with pytest.raises(NoSpace):
            await store.begin(IMAGE, SECOND, METADATA, size=0, allocate=False)
        assert await domain.read_record() == record
        assert await store.read(IMAGE, VOLUME) == METADATA
        assert list(await store.volumes()) == [VOLUME]

    with file_system(tmp_path) as mount:
        on(mount, work)
        assert names(mount) == sorted([IMAGE, VOLUME, f"{VOLUME}.lease", f"{VOLUME}.meta"])


def fill(mount: Path) -> None:
    """Blocks of removed files come back when the journal is written: until then the disk is not as full as it says."""
    with (mount / "filler").open("wb", buffering=0) as file:
        for size in (MIB, 4096, 4096, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
            with contextlib.suppress(OSError):
                os.fsync(file.fileno())
            run("sync", "-f", mount)


def test_a_file_system_that_became_read_only(tmp_path: Path) -> None:
    async def work(domain: FileDomain) -> None:
        store = domain.store
        await store.begin(IMAGE, VOLUME, METADATA, size=MIB, allocate=False)
        run("mount", "-o", "remount,ro", domain.paths.folder.parent)
        for call in (
            store.publish(IMAGE, VOLUME),
            store.discard(IMAGE, VOLUME),
            store.begin(IMAGE, SECOND, METADATA, size=0, allocate=False),
            store.resize(IMAGE, VOLUME, 0),
        ):
            with pytest.raises(AccessFailed, match="Read-only"):
                await call
        assert (await store.volumes())[VOLUME].is_unfinished
        await domain.read_record()
        run("mount", "-o", "remount,rw", domain.paths.folder.parent)
        await store.discard(IMAGE, VOLUME)

    with file_system(tmp_path) as mount:
        on(mount, work)
        assert names(mount) == []


def test_the_process_holds_no_mount(tmp_path: Path) -> None:
    async def main(mount: Path) -> None:
        io = IoProcess([PurePosixPath(mount)])
        try:
            domain = await create_file_domain(io, PurePosixPath(mount), NEW, LocalLocks())
            run("umount", mount)
            assert await io.names(PurePosixPath(mount)) == []
            run("mount", tmp_path / "disk", mount)
            await open_file_domain(io, domain.paths.folder, lambda *, is_local: LocalLocks())
        finally:
            await io.close()

    with file_system(tmp_path) as mount:
        asyncio.run(main(mount))


def test_its_lockspace_and_lease_are_sanlock_s(tmp_path: Path) -> None:
    async def main(mount: Path, run_folder: Path) -> None:
        locks = SanlockLocks(run_folder, io_timeout=1)
        io = IoProcess([PurePosixPath(mount)])
        try:
            new = replace(NEW, type=StorageType.NFS, remote_path="nas:/vms")
            domain = await create_file_domain(io, PurePosixPath(mount), new, locks)
            await domain.locks.join(domain.lockspace, 1)
            leases = domain.special("leases")
            place = LeasePlace(leases.path, domain.lockspace.geometry.sdm_offset)
            sdm = Resource(domain.lockspace, SDM_RESOURCE, place)
            await locks.acquire(sdm, 1)
            assert await locks.owner(sdm) == Owner(1, 1)
            await locks.release(sdm)
            await domain.store.begin(IMAGE, VOLUME, METADATA, size=MIB, allocate=False)
            volume = Resource(domain.lockspace, VOLUME, await domain.store.lease(IMAGE, VOLUME))
            await locks.format_resource(volume)
            await locks.acquire(volume, 1)
            await locks.release(volume)
            await locks.leave(domain.lockspace, 1)
        finally:
            await io.close()
            await locks.close()

    if reason := sanlock.missing():
        pytest.skip(reason)
    with file_system(tmp_path) as mount, sanlock.sanlock(tmp_path / "run", "one"):
        asyncio.run(main(mount, tmp_path / "run"))


def test_it_works_as_the_owner_of_the_storage(tmp_path: Path) -> None:
    async def main(mount: Path) -> None:
        run("chmod", "700", mount)
        run("chown", "36:36", mount)
        io = IoProcess([PurePosixPath(mount)], owner=(36, 36))
        try:
            domain = await create_file_domain(io, PurePosixPath(mount), NEW, LocalLocks())
            found = (mount / ID / "dom_md" / "metadata").stat()
            assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (36, 36, 0o660)
            (mount / ID / "dom_md" / "metadata").chmod(0o000)
            with pytest.raises(AccessFailed, match="denied"):
                await domain.read_record()
        finally:
            await io.close()

    with file_system(tmp_path) as mount:
        # the way to the mount is root's alone in a test's folder
        for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
            folder.chmod(0o755)
        asyncio.run(main(mount))
