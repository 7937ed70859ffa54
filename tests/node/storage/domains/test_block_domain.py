"""Domains that are volume groups, over a simulated LVM."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from block_station import FIRST, SECOND, new_domain, station
from simulated_lvm import SimulatedRoot

from ovis.node.errors import BadParameter
from ovis.node.storage.domains import block_devices
from ovis.node.storage.domains.block_creation import GroupNotReady, create_block_domain, remove_block_domain
from ovis.node.storage.domains.block_domain import BlockHost, block_domains, open_block_domain
from ovis.node.storage.errors import DomainExists, NoSpace, NoSuchDomain
from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.group_tags import UNREADY
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_tags import SPECIAL
from ovis.node.storage.lvm import groups, making
from ovis.node.storage.lvm.errors import (
    DeviceInUse,
    ForbiddenDevice,
    GroupExists,
    NoSuchDevice,
    NoSuchGroup,
    PhysicalVolumeInitFailed,
    TooManyDevices,
    WrongBlockSize,
)


def test_a_domain_is_made_opened_and_removed(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            metadata = new_domain()
            await making.create(host.lvm, root, metadata.id, [FIRST])
            made = await create_block_domain(host, metadata)
            assert await block_domains(host.lvm) == [metadata.id]
            opened = await open_block_domain(host, metadata.id)
            record = await opened.read_record()
            assert replace(record.domain, block=None) == metadata
            assert os.readlink(opened.paths.special("ids")) == str(opened.special("ids").path)
            with pytest.raises(Broken):
                opened.special("../../etc")
            await remove_block_domain(host, made)
            assert (root.groups, {disk.is_initialised for disk in root.disks.values()}) == ({}, {False})

    asyncio.run(main())


def test_the_record_is_one_command(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            metadata = new_domain()
            await making.create(host.lvm, root, metadata.id, [FIRST])
            domain = await create_block_domain(host, metadata)
            record = await domain.read_record()
            root.commands.clear()
            changed = replace(record, domain=replace(record.domain, description="cellar"))
            await domain.write_record(changed)
            await domain.write_record(changed)
            assert [words[0] for words in root.commands].count("vgchange") == 1
            assert await domain.read_record() == changed

    asyncio.run(main())


def test_what_is_no_empty_unready_group_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            metadata = new_domain()
            with pytest.raises(NoSuchGroup):
                await create_block_domain(host, metadata)
            await groups.create(host.lvm, metadata.id, [FIRST])
            with pytest.raises(GroupNotReady):
                await create_block_domain(host, metadata)
            root.groups[metadata.id].tags = {UNREADY}
            root._lvcreate({"--name": ["data"], "--size": ["1b"], "--addtag": []}, [metadata.id], {})
            with pytest.raises(GroupNotReady):
                await create_block_domain(host, metadata)
            root._lvremove({}, [f"{metadata.id}/data"], {})
            await create_block_domain(host, metadata)
            with pytest.raises(DomainExists):
                await create_block_domain(host, metadata)

    asyncio.run(main())


def test_disks_with_large_blocks_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            root.disks[str(SECOND)].block = 4096
            metadata = new_domain()
            with pytest.raises(WrongBlockSize):
                await making.create(host.lvm, root, metadata.id, [FIRST, SECOND])
            await making.create(host.lvm, root, metadata.id, [FIRST])
            domain = await create_block_domain(host, metadata)
            with pytest.raises(WrongBlockSize):
                await block_devices.extend(domain, [SECOND])

    asyncio.run(main())


@pytest.mark.parametrize("step", range(1, 9))
def test_a_creation_that_fails_anywhere_leaves_an_empty_group(tmp_path: Path, step: int) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            metadata = new_domain()
            await making.create(host.lvm, root, metadata.id, [FIRST])
            left = step

            def fail(words: tuple[str, ...]) -> None:
                nonlocal left
                left -= words[0] in ("lvcreate", "vgchange")
                if left == 0:
                    left = -1
                    raise PhysicalVolumeInitFailed("a test", 5, "failed as asked")

            root.before = fail
            with pytest.raises(PhysicalVolumeInitFailed):
                await create_block_domain(host, metadata)
            assert root.groups[metadata.id].volumes == {}
            with pytest.raises(NoSuchDomain):
                await open_block_domain(host, metadata.id)
            await create_block_domain(host, metadata)
            assert root.groups[metadata.id].volumes.keys() == SPECIAL

    asyncio.run(main())


def test_a_small_disk_has_no_room_for_a_domain(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            root.disks[str(FIRST)].size = 2 << 30
            metadata = new_domain()
            await making.create(host.lvm, root, metadata.id, [FIRST])
            with pytest.raises(NoSpace):
                await create_block_domain(host, metadata)
            assert root.groups[metadata.id].volumes == {}

    asyncio.run(main())


def test_disks_come_and_go_with_the_record(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            metadata = new_domain()
            await making.create(host.lvm, root, metadata.id, [FIRST])
            domain = await create_block_domain(host, metadata)
            await block_devices.extend(domain, [SECOND])
            assert await names(host, root, metadata.id) == ["first", "second"]
            with pytest.raises(ForbiddenDevice):
                await block_devices.reduce(domain, FIRST)
            await block_devices.move(domain, SECOND)
            await block_devices.reduce(domain, SECOND)
            await block_devices.reduce(domain, SECOND)
            assert await names(host, root, metadata.id) == ["first"]
            with pytest.raises(NoSuchDevice):
                await block_devices.move(domain, SECOND)

    async def names(host: BlockHost, root: SimulatedRoot, domain: str) -> list[str]:
        opened = await open_block_domain(host, DomainId(domain))
        block = (await opened.read_record()).domain.block
        assert block is not None
        return [device.name for device in block.devices]

    asyncio.run(main())


def test_disks_of_others_are_taken_by_force_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            await making.create(host.lvm, root, new_domain().id, [FIRST])
            with pytest.raises(DeviceInUse):
                await making.create(host.lvm, root, new_domain().id, [FIRST])
            root.disks[str(SECOND)].signature = "ext4"
            with pytest.raises(PhysicalVolumeInitFailed):
                await making.create(host.lvm, root, new_domain().id, [SECOND])
            await making.create(host.lvm, root, new_domain().id, [SECOND], force=True)
            assert str(SECOND) in root.zeroed

    asyncio.run(main())


def test_groups_are_asked_for_with_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            name = new_domain().id
            with pytest.raises(BadParameter):
                await making.create(host.lvm, root, "../x", [FIRST])
            with pytest.raises(NoSuchDevice):
                await making.create(host.lvm, root, name, [])
            with pytest.raises(TooManyDevices):
                await groups.create(host.lvm, name, [FIRST.with_name(str(number)) for number in range(11)])
            group = await making.create(host.lvm, root, name, [FIRST, FIRST])
            with pytest.raises(GroupExists):
                await making.create(host.lvm, root, name, [SECOND])
            assert (await making.find(host.lvm, group.uuid)).name == name
            await making.remove(host.lvm, group.uuid)
            with pytest.raises(NoSuchGroup):
                await making.remove(host.lvm, group.uuid)

    asyncio.run(main())


def test_a_finished_domain_is_not_removed_as_a_group(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            metadata = new_domain()
            group = await making.create(host.lvm, root, metadata.id, [FIRST])
            await create_block_domain(host, metadata)
            with pytest.raises(making.GroupIsDomain):
                await making.remove(host.lvm, group.uuid)

    asyncio.run(main())


def test_a_volume_that_is_in_use_outlives_the_domains_closing(tmp_path: Path) -> None:
    async def main() -> None:
        async with station(tmp_path) as (host, root):
            metadata = new_domain()
            await making.create(host.lvm, root, metadata.id, [FIRST])
            domain = await create_block_domain(host, metadata)
            root.open_volumes.add(f"{domain.id}/ids")
            await domain.close()
            assert os.listdir(root.devices / domain.id) == ["ids"]
            assert await asyncio.to_thread(os.path.exists, domain.paths.folder) is False

    asyncio.run(main())
