"""Disks over iSCSI and multipath, and groups made on them, as the verbs do it."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ovis.client.types import BlockDevicePathState, BlockDeviceStatus, BlockDeviceType
from ovis.node.storage.devices.devices import Devices
from ovis.node.storage.domains import block_devices
from ovis.node.storage.domains.block_creation import create_block_domain
from ovis.node.storage.lvm import describe, groups, making
from ovis.node.storage.lvm.errors import DeviceInUse, NoSuchDevice, PhysicalVolumeInitFailed
from ovis.node.storage.lvm.isolation import Isolation
from tests.bed.parts import iscsi
from tests.bed.parts.block import GIB, block_host, metadata_of, new_domain, new_image, new_volume
from tests.bed.parts.programs import run, until

# All disks of the bed are listed: there must be none that another file left.
pytestmark = pytest.mark.bed(services=["tgt", "iscsi", "multipath"], own=True)
MAPS = Isolation()


def active_paths() -> int:
    return run("multipathd", "show", "paths", "raw", "format", "%t").count("active")


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("units")


@pytest.fixture(scope="module")
def target(units: Path) -> Iterator[iscsi.Target]:
    """Two units with two paths each."""
    with iscsi.portals() as addresses, iscsi.target(addresses) as made:
        made.add_unit(1, units / "unit1", 16 * GIB)
        made.add_unit(2, units / "unit2", 8 * GIB)
        with iscsi.logged_in(made):
            until("all paths are active", lambda: active_paths() == 4)
            yield made
            for name in Path("/dev/mapper").glob("3*"):
                until(f"udev has let go of {name}", lambda name=name: is_flushed(name))
    until("the paths are gone", lambda: not active_paths())


@pytest.fixture
def guids(target: iscsi.Target) -> list[str]:
    return sorted(path.name for path in Path("/dev/mapper").glob("3*"))


def test_disks_are_listed_with_their_paths(tmp_path: Path, target: iscsi.Target, guids: list[str]) -> None:
    async def main() -> None:
        async with block_host(tmp_path, MAPS) as host:
            devices = Devices(host.root, host.lvm)
            first, second = sorted(await devices.listed(), key=lambda device: device.guid)
            assert [first.guid, second.guid] == guids
            assert (first.capacity, second.capacity) == (16 * GIB, 8 * GIB)
            assert (first.vendor_id, first.product_id) == ("IET", "VIRTUAL-DISK")
            assert (first.logicalblocksize, first.devtype) == (512, BlockDeviceType.I_SCSI)
            assert {path.state for path in first.pathstatus} == {BlockDevicePathState.ACTIVE}
            assert {session.connection for session in first.pathlist} == set(target.portals)
            assert {first.status, second.status} == {BlockDeviceStatus.FREE}
            assert first.serial
            assert await devices.visibility([guids[0], "nothing"]) == {guids[0]: True, "nothing": False}
            assert await devices.listed(kind=BlockDeviceType.FCP, refresh=False) == []
            (unchecked,) = await devices.listed(guids=guids[:1], check_status=False, refresh=False)
            assert unchecked.status is BlockDeviceStatus.UNKNOWN

    asyncio.run(main())


def test_a_group_is_made_described_and_removed(tmp_path: Path, guids: list[str]) -> None:
    async def main() -> None:
        async with block_host(tmp_path, MAPS) as host:
            devices = Devices(host.root, host.lvm)
            paths = await devices.paths(guids)
            with pytest.raises(NoSuchDevice):
                await devices.paths(["36001"])
            group = await making.create(host.lvm, host.root, str(uuid4()), paths)
            listed = {device.guid: device for device in await devices.listed(refresh=False)}
            assert {device.status for device in listed.values()} == {BlockDeviceStatus.USED}
            assert listed[guids[0]].vg_uuid == group.uuid
            with pytest.raises(DeviceInUse):
                await making.create(host.lvm, host.root, str(uuid4()), paths[:1])
            maps = describe.by_path(await devices.maps())
            told = describe.describe(group, maps, await devices.path_states())
            assert told.pvlist is not None
            assert {device.guid for device in told.pvlist} == set(guids)
            assert (told.attr is not None, told.vgsize, told.vg_uuid) == (True, group.size, group.uuid)
            await making.remove(host.lvm, group.uuid)
            assert not await host.lvm.groups()
            assert not await host.lvm.devices()

    asyncio.run(main())


def test_a_disk_with_partitions_is_taken_by_force_only(tmp_path: Path, guids: list[str]) -> None:
    async def main() -> None:
        async with block_host(tmp_path, MAPS) as host:
            devices = Devices(host.root, host.lvm)
            paths = await devices.paths(guids[:1])
            await asyncio.to_thread(partition, Path(paths[0]))
            (listed,) = await devices.listed(guids=guids[:1], refresh=False)
            assert listed.status is BlockDeviceStatus.USED
            with pytest.raises(PhysicalVolumeInitFailed):
                await making.create(host.lvm, host.root, str(uuid4()), paths)
            group = await making.create(host.lvm, host.root, str(uuid4()), paths, force=True)
            await making.remove(host.lvm, group.uuid)

    asyncio.run(main())


def test_a_disk_that_has_grown_is_used_whole(
    tmp_path: Path, target: iscsi.Target, units: Path, guids: list[str]
) -> None:
    async def main() -> None:
        async with block_host(tmp_path, MAPS) as host:
            devices = Devices(host.root, host.lvm)
            metadata = new_domain()
            (path,) = await devices.paths(guids[1:])
            await making.create(host.lvm, host.root, metadata.id, [path])
            domain = await create_block_domain(host, metadata)
            before = (await domain.space()).total
            await asyncio.to_thread(grow_unit, target, 2, units / "unit2", 10 * GIB)
            await devices.rescan.run()
            assert await block_devices.resize(domain, path) > before
            record = (await domain.read_record()).domain.block
            assert record is not None
            assert record.devices[0].extents == (await domain.group()).devices[0].extents
            await domain.close()
            await groups.remove(host.lvm, metadata.id)

    asyncio.run(main())


def test_an_agent_that_may_not_open_disks_still_knows_what_it_read(tmp_path: Path, guids: list[str]) -> None:
    async def main() -> None:
        async with block_host(tmp_path, MAPS, owner=(36, 36)) as host:
            metadata = new_domain()
            devices = Devices(host.root, host.lvm)
            await making.create(host.lvm, host.root, metadata.id, await devices.paths(guids[:1]))
            domain = await create_block_domain(host, metadata)
            first = await domain.group()
            assert await domain.group() is first
            image, volume = new_image(), new_volume()
            path = await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
            await domain.io.write(path, bytes(4096), direct=True)
            assert volume in (await domain.group()).volumes
            await domain.store.resize(image, volume, 2 * GIB)
            await domain.store.activate(image, volume)
            await domain.io.write(path, bytes(4096), direct=True)
            await domain.close()
            await domain.store.deactivate(image, volume)
            await groups.remove(host.lvm, metadata.id)

    asyncio.run(main())


def test_a_lost_path_is_told_and_nothing_stops(tmp_path: Path, target: iscsi.Target, guids: list[str]) -> None:
    async def main() -> None:
        async with block_host(tmp_path, MAPS) as host:
            devices = Devices(host.root, host.lvm)
            metadata = new_domain()
            group = await making.create(host.lvm, host.root, metadata.id, await devices.paths(guids[:1]))
            domain = await create_block_domain(host, metadata)
            image, volume = new_image(), new_volume()
            with iscsi.cut(target.portals[0]):
                await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
                await domain.store.publish(image, volume)
                assert await domain.check_path() < 60
                await asyncio.to_thread(until, "one path has failed", lambda: active_paths() == 2)
                (listed,) = await devices.listed(guids=guids[:1], refresh=False)
                assert sorted(path.state.value for path in listed.pathstatus) == ["active", "failed"]
            assert volume in await domain.store.volumes()
            await domain.close()
            await groups.remove(host.lvm, group.name)

    asyncio.run(main())


def is_flushed(device: Path) -> bool:
    return (
        subprocess.run(["multipath", "-f", device.name], capture_output=True, timeout=60, check=False).returncode == 0
    )


def partition(device: Path) -> None:
    """A DOS table with one entry."""
    entry = bytes([0, 0, 0, 0, 0x83, 0, 0, 0]) + (2048).to_bytes(4, "little") + (4096).to_bytes(4, "little")
    with device.open("r+b", buffering=0) as disk:
        disk.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")


def grow_unit(target: iscsi.Target, number: int, file: Path, size: int) -> None:
    """As on an array: the same unit, with the same identity, is larger."""
    with file.open("r+b") as unit:
        unit.truncate(size)
    place = ("--tid", target.number, "--lun", number)
    iscsi.admin("delete", "logicalunit", *place)
    iscsi.admin("new", "logicalunit", *place, "-b", file)
