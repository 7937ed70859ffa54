"""Storage domains on volume groups, with the real LVM."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from ovis.node.storage.domains import block_devices
from ovis.node.storage.domains.block_creation import create_block_domain
from ovis.node.storage.domains.block_domain import BlockDomain, BlockHost, block_domains, open_block_domain
from ovis.node.storage.errors import DomainExists, NoSpace, NoSuchDomain
from ovis.node.storage.formats.group_tags import UNREADY
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.lvm.logical_volumes import is_active
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.privileged import PrivilegedLvm
from tests.bed.parts.block import GIB, block_domain, block_host, metadata_of, new_domain, new_image, new_volume
from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import report


def is_there(path: PurePosixPath) -> bool:
    return os.path.exists(path)


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[Path]]:
    folder = tmp_path / "disks"
    folder.mkdir()
    with loop_device(folder, 16 * GIB) as first, loop_device(folder, 8 * GIB) as second:
        yield [first, second]


class Shared:
    """A domain for many tests: making one takes seconds."""

    def __init__(self, runner: asyncio.Runner, host: BlockHost, domain: BlockDomain) -> None:
        self.run = runner.run
        self.host = host
        self.domain = domain


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "disks").mkdir()
    with loop_device(folder / "disks", 12 * GIB) as disk, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            host = runner.run(stack.enter_async_context(block_host(folder)))
            yield Shared(runner, host, runner.run(stack.enter_async_context(block_domain(host, [disk]))))
        finally:
            runner.run(stack.aclose())


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_new_domain_is_found_and_opened(tmp_path: Path, disks: list[Path], version: int) -> None:
    async def main() -> None:
        async with block_host(tmp_path) as host, block_domain(host, disks, version) as made:
            assert made.id in await block_domains(host.lvm)
            opened = await open_block_domain(host, made.id)
            record = await opened.read_record()
            assert (opened.version, record.domain.description) == (version, "third floor")
            assert record.domain.block is not None
            assert [device.name for device in record.domain.block.devices] == [disk.name for disk in disks]
            assert (await opened.space()).metadata_total == 128 << 20
            assert await opened.check_path() < 60

    asyncio.run(main())


def test_its_record_is_changed_in_one_commit(shared: Shared) -> None:
    async def main() -> None:
        domain = shared.domain
        record = await domain.read_record()
        before = (await domain.group()).sequence
        changed = replace(record, domain=replace(record.domain, description="ground floor, left & right"))
        await domain.write_record(changed)
        assert await domain.read_record() == changed
        assert (await domain.group()).sequence == before + 1

    shared.run(main())


def test_the_master_file_system_is_mounted_and_let_go(shared: Shared) -> None:
    async def main() -> None:
        domain = shared.domain
        await domain.open_master()
        await domain.open_master()
        await domain.io.create(domain.paths.tasks / "kept", size=3)
        await domain.close_master()
        assert not is_there(domain.paths.tasks)
        await domain.open_master()
        assert list(await domain.io.names(domain.paths.tasks)) == ["kept"]
        await domain.close_master()

    shared.run(main())


def test_a_volume_lives_through_all_its_states(shared: Shared) -> None:
    async def main() -> None:
        domain = shared.domain
        store, image, volume = domain.store, new_image(), new_volume()
        metadata = metadata_of(domain.id, image)
        path = await store.begin(image, volume, metadata, size=GIB, allocate=True)
        assert (await store.volumes(image))[volume].is_unfinished
        await domain.io.write(path, b"guest".ljust(512, b"\0"), direct=True)
        await store.publish(image, volume)
        await store.publish(image, volume)
        stored = (await store.volumes())[volume]
        assert (stored.size, stored.is_unfinished, stored.removal) == (GIB, False, Removal.NONE)
        assert await store.read(image, volume) == metadata
        await store.write(image, volume, replace(metadata, generation=7))
        assert (await store.read(image, volume)).generation == 7
        assert (await store.lease(image, volume)).offset > 100 << 20
        assert await store.resize(image, volume, GIB + 1) == GIB + (128 << 20)
        await store.deactivate(image, volume)
        assert not is_there(path)
        await store.mark_removed(image, [volume], Removal.WIPE)
        assert (await store.volumes(image))[volume].removal is Removal.WIPE
        await store.purge(image, [volume])
        await store.purge(image, [volume])
        assert not await store.volumes(image)

    shared.run(main())


def test_a_full_group_says_so_and_stays_as_it_was(shared: Shared) -> None:
    async def main() -> None:
        domain = shared.domain
        image, volume = new_image(), new_volume()
        with pytest.raises(NoSpace):
            await domain.store.begin(image, volume, metadata_of(domain.id, image), size=9 * GIB, allocate=True)
        await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
        with pytest.raises(NoSpace):
            await domain.store.resize(image, volume, 9 * GIB)
        assert (await domain.store.volumes())[volume].size == GIB

    shared.run(main())


def test_a_volume_in_use_grows_whatever_others_have_made_of_it(shared: Shared) -> None:
    async def body() -> None:
        domain, image, volume = shared.domain, new_image(), new_volume()
        path = await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
        await domain.store.publish(image, volume)
        with open(path, "rb") as used:  # noqa: ASYNC230  # device nodes
            for size in (2 * GIB, 3 * GIB):
                assert await domain.store.grow(volume, lambda metadata, size=size: size) == size
                assert used.seek(0, os.SEEK_END) == size
            run("lvextend", "--config", "devices/use_devicesfile=0", "--size", f"{4 * GIB}b", f"{domain.id}/{volume}")
            assert await domain.store.grow(volume, lambda metadata: 4 * GIB) == 4 * GIB
            await domain.store.refresh(volume)
            assert await domain.store.grow(volume, lambda metadata: GIB) == 4 * GIB
            assert used.seek(0, os.SEEK_END) == 4 * GIB
        assert (await domain.store.volumes())[volume].size == 4 * GIB
        await domain.store.mark_removed(image, [volume], Removal.DELETE)
        await domain.store.purge(image, [volume])

    shared.run(body())


def test_a_template_is_active_for_reading_until_somebody_must_write(shared: Shared) -> None:
    async def main() -> None:
        domain = shared.domain
        image, volume = new_image(), new_volume()
        path = await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
        await domain.store.publish(image, volume)
        await domain.store.deactivate(image, volume)
        await domain.store.activate(image, volume, writable=False)
        assert run("blockdev", "--getro", path).strip() == "1"
        await domain.store.activate(image, volume)
        assert run("blockdev", "--getro", path).strip() == "0"
        await domain.store.activate(image, volume, writable=False)
        assert run("blockdev", "--getro", path).strip() == "0"

    shared.run(main())


def test_a_volume_that_another_host_has_removed_is_let_go_of(shared: Shared) -> None:
    """LVM cannot do that any more: it does not know the volume."""

    async def main() -> None:
        domain = shared.domain
        image, volume = new_image(), new_volume()
        path = await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
        await domain.store.publish(image, volume)
        # as from elsewhere: without a look at the devices of this host
        run("lvremove", "--quiet", "--yes", "--driverloaded", "n", f"{domain.id}/{volume}")
        assert volume in await domain.store.active()
        assert is_there(path)
        await domain.store.deactivate(image, volume)
        assert not is_there(path)
        assert volume not in await domain.store.active()

    shared.run(main())


def test_a_guests_own_volume_group_is_not_seen(shared: Shared) -> None:
    async def main() -> None:
        host, domain = shared.host, shared.domain
        image, volume = new_image(), new_volume()
        path = await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
        wide = "devices { scan_lvs=1 use_devicesfile=0 }"
        run("pvcreate", "--config", wide, path)
        run("vgcreate", "--config", wide, "--addtag", "RHAT_storage_domain", "guestgroup", path)
        assert "guestgroup" in run("vgs", "--config", wide, "-o", "vg_name")
        everywhere = Lvm(PrivilegedLvm(host.root), Isolation((".*",)))
        for lvm in (host.lvm, everywhere):  # not even where every device may be looked at
            assert "guestgroup" not in await lvm.groups()
            assert str(path) not in {device.name for device in await lvm.devices()}
        run("lvcreate", "--yes", "--activate", "n", "--name", "root", "--size", "8m", "--config", wide, "guestgroup")
        await domain.store.deactivate(image, volume)
        await domain.store.activate(image, volume)
        run("udevadm", "settle")
        assert not is_active(host.lvm, "guestgroup", "root")
        run("vgremove", "-y", "--config", wide, "guestgroup")

    shared.run(main())


def test_changes_of_another_host_are_seen_at_once(tmp_path: Path, disks: list[Path]) -> None:
    async def main() -> None:
        async with (
            block_host(tmp_path) as host,
            block_host(tmp_path) as other,
            block_domain(host, disks[:1]) as domain,
        ):
            seen = await open_block_domain(other, domain.id)
            assert not await seen.store.volumes()
            image, volume = new_image(), new_volume()
            await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
            assert (await seen.store.volumes())[volume].is_unfinished
            await domain.store.publish(image, volume)
            assert not (await seen.store.volumes())[volume].is_unfinished

    asyncio.run(main())


def test_what_is_known_is_not_read_by_lvm_again(shared: Shared) -> None:
    async def main() -> None:
        domain = shared.domain
        first = await domain.group()
        assert await domain.group() is first

    shared.run(main())


def test_disks_come_move_and_go(tmp_path: Path, disks: list[Path]) -> None:
    async def main() -> None:
        async with block_host(tmp_path) as host, block_domain(host, disks[:1]) as domain:
            first, second = (PurePosixPath(disk) for disk in disks)
            await block_devices.extend(domain, [second])
            await block_devices.extend(domain, [second])
            record = (await domain.read_record()).domain.block
            assert record is not None
            assert [device.map_offset for device in record.devices] == [0, record.devices[0].extents]
            image, volume = new_image(), new_volume()
            await domain.store.begin(image, volume, metadata_of(domain.id, image), size=12 * GIB, allocate=True)
            with pytest.raises(groups.PhysicalVolumeMoveFailed):
                await block_devices.move(domain, second)  # no room
            await domain.store.discard(image, volume)
            await domain.store.begin(image, volume, metadata_of(domain.id, image), size=9 * GIB, allocate=True)
            await domain.store.resize(image, volume, 8 * GIB)
            await block_devices.move(domain, second)
            await block_devices.reduce(domain, second)
            await block_devices.reduce(domain, second)
            assert [row["pv_name"] for row in report("pvs", "-S", f"vg_name={domain.id}")] == [str(first)]
            with pytest.raises(groups.ForbiddenDevice):
                await block_devices.reduce(domain, first)

    asyncio.run(main())


def test_a_disk_that_hangs_holds_up_its_own_group_alone(tmp_path: Path, disks: list[Path]) -> None:
    sectors = run("blockdev", "--getsz", disks[1]).strip()
    run("dmsetup", "create", "hung", "--table", f"0 {sectors} linear {disks[1]} 0")
    isolation = Isolation((f"^{disks[0]}$", "^/dev/mapper/hung$"))
    other = new_domain().id

    async def main() -> None:
        async with block_host(tmp_path, isolation) as host, block_domain(host, disks[:1]) as domain:
            await groups.create(host.lvm, other, [PurePosixPath("/dev/mapper/hung")])
            await asyncio.to_thread(run, "dmsetup", "suspend", "hung")
            hanging = asyncio.create_task(host.lvm.group(other))
            try:
                image, volume = new_image(), new_volume()
                await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
                await domain.store.publish(image, volume)
                await domain.store.deactivate(image, volume)
                assert not hanging.done()
            finally:
                await asyncio.to_thread(run, "dmsetup", "resume", "hung")
            assert (await hanging).name == other
            await groups.remove(host.lvm, other)

    try:
        asyncio.run(main())
    finally:
        run("dmsetup", "resume", "hung")
        run("dmsetup", "remove", "--retry", "hung")


def test_an_unfinished_creation_is_no_domain_and_is_begun_again(tmp_path: Path, disks: list[Path]) -> None:
    async def main() -> None:
        async with block_host(tmp_path) as host:
            metadata = new_domain()
            group = await groups.create(host.lvm, metadata.id, [PurePosixPath(disks[0])], tags=[UNREADY])
            run("lvcreate", "-y", "-n", "metadata", "-L", "128m", metadata.id)
            assert metadata.id not in await block_domains(host.lvm)
            with pytest.raises(NoSuchDomain):
                await open_block_domain(host, metadata.id)
            domain = await create_block_domain(host, metadata)
            with pytest.raises(DomainExists):
                await create_block_domain(host, metadata)
            record = await domain.read_record()
            assert record.domain.block is not None
            assert record.domain.block.group_uuid == group.uuid
            await domain.close()
            await groups.remove(host.lvm, metadata.id)
            with pytest.raises(NoSuchDomain):
                await open_block_domain(host, DomainId(metadata.id))

    asyncio.run(main())
