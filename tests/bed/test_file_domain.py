"""File domains on NFS: several hosts, a server that stops answering, and a disk that nobody can be killed out of."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from ovis.node.storage.domains.access import AccessFailed
from ovis.node.storage.domains.file_domain import FileDomain, NewFileDomain, create_file_domain, open_file_domain
from ovis.node.storage.domains.monitor import Periods
from ovis.node.storage.domains.monitors import Monitors
from ovis.node.storage.formats.domain_metadata import StorageType
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.io.interface import IoStuck, IoTimeout
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.local import LocalLocks
from ovis.wire.events import Bus
from tests.bed.parts.nfs import export, mounted
from tests.bed.parts.programs import run

sys.path.insert(0, str(Path(__file__).parents[1] / "independent_reader"))
import plain_reader

pytestmark = pytest.mark.bed(services=["nfs"])

ID, LOCAL = (DomainId(f"d000000{number}-0000-4000-8000-000000000000") for number in range(2))
IMAGE = ImageId("10000000-0000-4000-8000-000000000000")
VOLUME = VolumeId("20000000-0000-4000-8000-000000000000")
MIB = 1 << 20
NEW = NewFileDomain(ID, 5, StorageType.NFS, "127.0.0.1:/srv/vms")
METADATA = VolumeMetadata(
    domain=ID, image=IMAGE, parent=None, capacity=MIB, format=VolumeFormat.RAW, allocation=Allocation.SPARSE,
    role=VolumeRole.LEAF, created=1,
)  # fmt: skip
HARD = "hard,timeo=10"
"""A client that waits for its server for ever, as one may be configured."""


@asynccontextmanager
async def process(*mounts: Path, **options: Any) -> AsyncIterator[IoProcess]:
    io = IoProcess([PurePosixPath(mount) for mount in mounts], **options)
    try:
        yield io
    finally:
        await io.close()


async def create(io: IoProcess, mount: Path, new: NewFileDomain = NEW) -> FileDomain:
    return await create_file_domain(io, PurePosixPath(mount), new, LocalLocks())


@contextmanager
def silent_server() -> Iterator[None]:
    run("rpc.nfsd", "0")
    try:
        yield
    finally:
        run("rpc.nfsd", "4")


@contextmanager
def fresh_export() -> Iterator[str]:
    run("rm", "-rf", "/srv/vms")
    with export(Path("/srv/vms")) as source:
        yield source


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # the kernel's doing; nothing tells
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("version", ["3", "4.2"])
def test_two_hosts_on_one_domain(version: str) -> None:
    async def main(one: Path, other: Path) -> None:
        async with process(one, owner=(36, 36)) as first, process(other, owner=(36, 36)) as second:
            here = await create(first, one)
            there = await open_file_domain(second, PurePosixPath(other) / ID, lambda *, is_local: LocalLocks())
            await here.store.begin(IMAGE, VOLUME, METADATA, size=MIB, allocate=True)
            await here.store.publish(IMAGE, VOLUME)
            await there.store.write(IMAGE, VOLUME, replace(METADATA, description="from there"))
            assert (await here.store.read(IMAGE, VOLUME)).description == "from there"
            record = await there.read_record()
            await there.write_record(replace(record, domain=replace(record.domain, description="both")))
            assert (await here.read_record()).domain.description == "both"
            assert await here.check_path() >= 0
            assert (await here.space()).free > 0

    with (
        fresh_export() as source,
        mounted(source, Path("/mnt/a"), version=version) as one,  # a test's own folder is root's alone
        mounted(source, Path("/mnt/b"), version=version) as other,
    ):
        asyncio.run(main(one, other))
        found = plain_reader.file_domain(f"/srv/vms/{ID}")
        assert found["keys"]["DESCRIPTION"] == "both"
        assert found["images"][IMAGE][VOLUME]["DESCRIPTION"] == "from there"


def test_an_image_in_use_goes_when_its_user_does(tmp_path: Path) -> None:
    async def main(mount: Path) -> None:
        async with process(mount) as io:
            store = (await create(io, mount)).store
            await store.begin(IMAGE, VOLUME, METADATA, size=MIB, allocate=True)
            await store.publish(IMAGE, VOLUME)
            with open(mount / ID / "images" / IMAGE / VOLUME, "rb"):  # noqa: ASYNC230  # as QEMU on this host would
                await store.mark_removed(IMAGE, [VOLUME], Removal.DELETE)
                await store.purge(IMAGE, [VOLUME])
                assert await store.volumes() == {}
            await store.purge(IMAGE, [VOLUME])

    with fresh_export() as source, mounted(source, tmp_path / "a") as mount:
        asyncio.run(main(mount))
        assert list((mount / ID / "images").iterdir()) == []


def test_an_export_that_is_withdrawn_and_comes_back(tmp_path: Path) -> None:
    async def main(mount: Path) -> None:
        async with process(mount) as io:
            domain = await create(io, mount)
            run("exportfs", "-u", "*:/srv/vms")
            run("exportfs", "-f")
            with pytest.raises(AccessFailed):
                await domain.check_path()
            run("exportfs", "-i", "-o", "rw,sync,no_subtree_check,no_root_squash", "*:/srv/vms")
            assert await domain.check_path() >= 0

    with fresh_export() as source, mounted(source, tmp_path / "a", version="3") as mount:
        asyncio.run(main(mount))


class Host:
    """As much of Storage as monitors need."""

    def __init__(self, *domains: FileDomain) -> None:
        self.events, self.settings, self.domains = Bus(), SimpleNamespace(retry_period=1.0), self
        self._domains = {domain.id: domain for domain in domains}

    async def domain(self, domain_id: DomainId) -> FileDomain:
        return self._domains[domain_id]

    async def forget(self, domain_id: DomainId) -> None: ...

    def keep(self, work: Any, name: str) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=name)


@pytest.mark.parametrize("version", ["3", "4.2"])
def test_a_server_that_stops_answering_delays_nobody(tmp_path: Path, version: str) -> None:
    async def main(mount: Path, local: Path) -> None:
        async with process(mount, seconds=3) as far, process(local) as near:
            domains = (
                await create(far, mount),
                await create(near, local, replace(NEW, id=LOCAL, type=StorageType.LOCAL)),
            )
            monitors = Monitors(Host(*domains), periods=Periods(check=0.05, deadline=1.0))  # type: ignore[arg-type]
            for domain in domains:
                monitors.watch(domain.id)
                assert (await monitors.looked(domain.id)).is_valid
            with silent_server():
                await until(lambda: not monitors.vitals()[ID].is_valid)
                assert monitors.vitals()[ID].code == 3
                delays, rounds = [], set()
                for _ in range(300):
                    begun = time.monotonic()
                    await near.facts(domains[1].paths.metadata)
                    delays.append(time.monotonic() - begun)
                    rounds.add(monitors.vitals()[LOCAL].checked)
                    await asyncio.sleep(0.01)
                print(f"while the server is silent: p99 {sorted(delays)[297] * 1e3:.1f} ms, worst {max(delays):.3f} s")
                assert max(delays) < 2
                assert len(rounds) > 10
                assert monitors.vitals()[LOCAL].is_valid
                with pytest.raises(IoTimeout):
                    await far.names(PurePosixPath(mount), seconds=1)
                await until(lambda: far.abandoned == 0)  # NFS lets killed processes go
            await until(lambda: monitors.vitals()[ID].is_valid)
            await monitors.close()

    with fresh_export() as source, mounted(source, tmp_path / "a", version=version, options=HARD) as mount:
        (tmp_path / "local").mkdir()
        asyncio.run(main(mount, tmp_path / "local"))


def test_processes_that_cannot_be_killed_are_few_and_go_when_the_disk_is_back(tmp_path: Path) -> None:
    async def main(mount: Path) -> None:
        async with process(mount, abandoned_limit=2) as io:
            domain = await create(io, mount, replace(NEW, type=StorageType.LOCAL))
            run("dmsetup", "suspend", "--nolockfs", "slow")
            try:
                for _ in range(2):
                    with pytest.raises(IoTimeout):
                        await io.read_delay(domain.paths.metadata, seconds=1)
                await asyncio.sleep(0)
                assert io.abandoned == 2
                with pytest.raises(IoStuck, match="2 processes hang"):
                    await io.read_delay(domain.paths.metadata, seconds=1)
            finally:
                run("dmsetup", "resume", "slow")
            await until(lambda: io.abandoned == 0)
            assert await domain.check_path() >= 0

    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(64 * MIB)
    device = run("losetup", "-f", "--show", disk).strip()
    mount = tmp_path / "mount"
    mount.mkdir()
    try:
        run("dmsetup", "create", "slow", "--table", f"0 {64 * MIB // 512} linear {device} 0")
        run("mkfs.ext4", "-q", "/dev/mapper/slow")
        run("mount", "/dev/mapper/slow", mount)
        asyncio.run(main(mount))
        run("umount", mount)
        run("dmsetup", "remove", "slow")
    finally:
        run("losetup", "-d", device)
