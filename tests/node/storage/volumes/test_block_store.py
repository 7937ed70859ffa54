"""Volumes as logical volumes, over a simulated LVM."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from block_station import FIRST, GIB, SECOND, metadata_of, new_domain, new_image, new_volume, station
from simulated_lvm import EXTENT, Refusal, SimulatedRoot

from ovis.node.storage.domains.block_creation import create_block_domain
from ovis.node.storage.domains.block_domain import BlockDomain
from ovis.node.storage.errors import NoSpace, NoSuchVolume, VolumeExists
from ovis.node.storage.formats.errors import Cleared, WrongTag
from ovis.node.storage.formats.group_tags import UNREADY
from ovis.node.storage.formats.identifiers import NOTHING, ImageId, VolumeId
from ovis.node.storage.formats.volume_tags import INITIALIZING, Removal
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.errors import VolumeDeactivateFailed
from ovis.node.storage.lvm.logical_volumes import GroupFull
from ovis.node.storage.volumes import block_store
from ovis.node.storage.volumes.block_store import AlreadyPublished, NoFreeSlot, NotRemoved


@asynccontextmanager
async def domain_on(folder: Path, version: int = 5) -> AsyncIterator[tuple[BlockDomain, SimulatedRoot]]:
    async with station(folder) as (host, root):
        metadata = new_domain(version)
        await groups.create(host.lvm, metadata.id, [FIRST, SECOND], tags=[UNREADY])
        yield await create_block_domain(host, metadata), root


Body = Callable[[BlockDomain, SimulatedRoot], Awaitable[None]]


def run(folder: Path, body: Body, version: int = 5) -> None:
    async def main() -> None:
        async with domain_on(folder, version) as (domain, root):
            await body(domain, root)

    asyncio.run(main())


async def made(domain: BlockDomain, image: ImageId, parent: VolumeId | None = None) -> VolumeId:
    volume = new_volume()
    await domain.store.begin(image, volume, metadata_of(domain.id, image, parent), size=GIB, allocate=True)
    await domain.store.publish(image, volume)
    return volume


@pytest.mark.parametrize("version", [3, 4, 5])
def test_metadata_are_read_as_they_were_written(tmp_path: Path, version: int) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        first, second = await made(domain, image), await made(domain, image)
        changed = metadata_of(domain.id, image, generation=9)
        await domain.store.write(image, second, changed)
        assert await domain.store.read(image, first) == metadata_of(domain.id, image)
        assert await domain.store.read(image, second) == changed

    run(tmp_path, body, version)


def test_only_a_published_volume_is_one(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image, volume = new_image(), new_volume()
        path = await domain.store.begin(image, volume, metadata_of(domain.id, image), size=1, allocate=False)
        stored = (await domain.store.volumes(image))[volume]
        assert (stored.image, stored.size, stored.is_unfinished) == (image, EXTENT, True)
        assert str(path) in root.owned
        with pytest.raises(VolumeExists):
            await domain.store.begin(image, volume, metadata_of(domain.id, image), size=1, allocate=False)
        await domain.store.publish(image, volume)
        await domain.store.publish(image, volume)
        assert not (await domain.store.volumes(image))[volume].is_unfinished
        with pytest.raises(AlreadyPublished):
            await domain.store.discard(image, volume)

    run(tmp_path, body)


def test_a_discarded_volume_leaves_its_slot(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image, volume = new_image(), new_volume()
        await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
        place = await domain.store.lease(image, volume)
        await domain.store.discard(image, volume)
        await domain.store.discard(image, volume)
        assert not await domain.store.volumes()
        again = await made(domain, image)
        assert await domain.store.lease(image, again) == place

    run(tmp_path, body)


def test_slots_never_meet(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volumes = await asyncio.gather(*(made(domain, image) for _ in range(5)))
        places = {(await domain.store.lease(image, volume)).offset for volume in volumes}
        assert len(places) == 5

    run(tmp_path, body)


def test_the_last_slot_is_the_one_whose_lease_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        taken = {slot: ["somebody"] for slot in range(1, 1947)}
        monkeypatch.setattr(block_store, "_slots", lambda group: taken)
        image = new_image()
        volume = await made(domain, image)
        assert "MD_1947" in root.groups[domain.id].volumes[volume].tags
        monkeypatch.setattr(block_store, "_slots", lambda group: {**taken, 1947: [volume]})
        with pytest.raises(NoFreeSlot):
            await made(domain, image)

    run(tmp_path, body)


def test_a_slot_of_two_volumes_is_not_cleared(tmp_path: Path) -> None:
    """Old agents could do that; the other volume must keep its metadata."""

    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        first, second = await made(domain, image), await made(domain, image)
        volumes = root.groups[domain.id].volumes
        (slot,) = (tag for tag in volumes[first].tags if tag.startswith("MD_"))
        volumes[second].tags = {tag for tag in volumes[second].tags if not tag.startswith("MD_")} | {slot}
        root.groups[domain.id].sequence += 1
        await domain.store.mark_removed(image, [second], Removal.DELETE)
        await domain.store.purge(image, [second])
        assert await domain.store.read(image, first) == metadata_of(domain.id, image)

    run(tmp_path, body)


def test_a_full_group_says_so(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volume = await made(domain, image)
        with pytest.raises(NoSpace):
            await domain.store.resize(image, volume, 40 * GIB)
        with pytest.raises(NoSpace):
            await domain.store.begin(image, new_volume(), metadata_of(domain.id, image), size=40 * GIB, allocate=True)
        assert (await domain.store.volumes())[volume].size == GIB

    run(tmp_path, body)


def test_room_that_vanishes_meanwhile_is_told_the_same_way(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        root.disks["/dev/mapper/second"].group = ""  # between our look and the command

        def back(words: tuple[str, ...]) -> None:
            root.disks["/dev/mapper/second"].group = "" if words[0] == "lvcreate" else domain.id

        root.before = back
        image = new_image()
        with pytest.raises(NoSpace) as told:
            await domain.store.begin(image, new_volume(), metadata_of(domain.id, image), size=15 * GIB, allocate=True)
        assert isinstance(told.value.__cause__, GroupFull)

    run(tmp_path, body)


def test_sizes_are_whole_extents_and_unchanged_ones_ask_nothing(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volume = await made(domain, image)
        assert await domain.store.resize(image, volume, GIB + 1) == GIB + EXTENT
        root.commands.clear()
        assert await domain.store.resize(image, volume, GIB + EXTENT) == GIB + EXTENT
        assert not any(words[0] in ("lvextend", "lvreduce") for words in root.commands)
        assert await domain.store.resize(image, volume, GIB) == GIB

    run(tmp_path, body)


def test_growing_costs_one_command_where_the_group_is_known(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        volume = await made(domain, new_image())
        await domain.group()
        root.commands.clear()
        for size in (2 * GIB, 3 * GIB):
            assert await domain.store.grow(volume, lambda metadata, size=size: size) == size
        assert [words[0] for words in root.commands] == ["lvextend", "lvextend"]
        assert await domain.store.grow(volume, lambda metadata: GIB) == 3 * GIB  # never smaller
        assert len(root.commands) == 2
        assert (await domain.store.volumes())[volume].size == 3 * GIB
        assert root.commands[2][0] == "fullreport"  # of what growing left only those believe who may change the group

    run(tmp_path, body)


def test_growing_what_others_have_grown_meanwhile_is_decided_anew(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        volume = await made(domain, new_image())
        await domain.group()
        logical = root.groups[domain.id].volumes[volume]
        logical.extents = 4 * GIB // EXTENT
        assert await domain.store.grow(volume, lambda metadata: 4 * GIB) == 4 * GIB
        assert await domain.store.grow(volume, lambda metadata: 5 * GIB) == 5 * GIB
        del root.groups[domain.id].volumes[volume]
        with pytest.raises(NoSuchVolume):
            await domain.store.grow(volume, lambda metadata: 6 * GIB)

    run(tmp_path, body)


def test_a_refresh_on_disks_that_were_added_meanwhile_reads_the_group(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volume = await made(domain, image)
        await domain.store.activate(image, volume)
        refused: list[str] = []

        def refuse_once(words: tuple[str, ...]) -> None:
            if "--refresh" in words and not refused:
                refused.append(words[0])
                raise Refusal("Refusing refresh of partial LV")

        root.before = refuse_once
        root.commands.clear()
        await domain.store.refresh(volume)
        assert [words[0] for words in root.commands] == ["lvchange", "fullreport", "lvchange"]

    run(tmp_path, body)


def test_what_is_no_finished_volume_does_not_grow(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image, begun = new_image(), new_volume()
        await domain.store.begin(image, begun, metadata_of(domain.id, image), size=GIB, allocate=True)
        removed = await made(domain, image)
        await domain.store.mark_removed(image, [removed], Removal.DELETE)
        for volume in (begun, removed, new_volume()):
            with pytest.raises(NoSuchVolume):
                await domain.store.grow(volume, lambda metadata: 2 * GIB)
        full = await made(domain, image)
        with pytest.raises(NoSpace):
            await domain.store.grow(full, lambda metadata: 1000 * GIB)

    run(tmp_path, body)


def test_an_active_volume_is_refreshed_and_stays_writable(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volume = await made(domain, image)
        await domain.store.activate(image, volume, writable=False)
        assert not root.read_only
        await domain.store.deactivate(image, volume)
        await domain.store.deactivate(image, volume)
        path = await domain.store.activate(image, volume, writable=False)
        assert root.read_only == {f"{domain.id}/{volume}"}
        assert path.name == volume

    run(tmp_path, body)


def test_an_open_volume_stays_active(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volume = await made(domain, image)
        root.open_volumes.add(f"{domain.id}/{volume}")
        with pytest.raises(VolumeDeactivateFailed):
            await domain.store.deactivate(image, volume)

    run(tmp_path, body)


def test_removal_can_be_repeated_at_every_point(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volumes = [await made(domain, image) for _ in range(2)]
        with pytest.raises(NotRemoved):
            await domain.store.purge(image, volumes)
        await domain.store.mark_removed(image, volumes[:1], Removal.DELETE)
        await domain.store.mark_removed(image, volumes, Removal.WIPE)
        await domain.store.mark_removed(image, volumes, Removal.WIPE)
        stored = await domain.store.volumes(image)
        assert {stored[volume].removal for volume in volumes} == {Removal.WIPE}
        await domain.store.purge(image, volumes[:1])
        await domain.store.purge(image, volumes)
        await domain.store.purge(image, volumes)
        assert not await domain.store.volumes()

    run(tmp_path, body)


def test_zeros_are_written_where_asked_and_discard_is_a_wish(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        wiped, freed = await made(domain, image), await made(domain, image)
        root.zeroed.clear()
        await domain.store.mark_removed(image, [wiped], Removal.WIPE)
        await domain.store.mark_removed(image, [freed], Removal.DELETE)
        await domain.store.purge(image, [wiped])
        await domain.store.purge(image, [freed], discard=True)
        assert [path.rsplit("/", 1)[-1] for path in root.zeroed] == [wiped]
        assert [path.rsplit("/", 1)[-1] for path in root.discarded] == [freed]

    run(tmp_path, body)


def test_the_tag_follows_the_parent(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        template, image = new_image(), new_image()
        base = await made(domain, template)
        top = await made(domain, image, parent=base)
        assert (await domain.store.volumes(image))[top].parent == base
        assert await domain.store.users(template, base) == {image}
        await domain.store.write(image, top, replace(metadata_of(domain.id, image), parent=None))
        assert (await domain.store.volumes(image))[top].parent is None
        assert await domain.store.users(template, base) == set()

    run(tmp_path, body)


def test_another_images_volume_is_not_there(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        volume = await made(domain, new_image())
        for call in (domain.store.read, domain.store.lease, domain.store.activate, domain.store.publish):
            with pytest.raises(NoSuchVolume):
                await call(new_image(), volume)

    run(tmp_path, body)


def test_what_old_agents_left_unfinished_is_seen_and_discarded(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image, volume = new_image(), await made(domain, new_image())
        root.groups[domain.id].volumes[volume].tags = {INITIALIZING}
        root.groups[domain.id].sequence += 1
        stored = (await domain.store.volumes())[volume]
        assert (stored.image, stored.is_unfinished) == (NOTHING, True)
        with pytest.raises(WrongTag):
            await domain.store.publish(image, volume)
        await domain.store.discard(image, volume)
        assert not await domain.store.volumes()

    run(tmp_path, body)


def test_a_strangers_logical_volume_is_passed_over(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        volume = await made(domain, new_image())
        root.groups[domain.id].volumes[volume].tags = {"mine"}
        root.groups[domain.id].sequence += 1
        assert not await domain.store.volumes()
        with pytest.raises(WrongTag):
            await domain.store.activate(new_image(), volume)

    run(tmp_path, body)


def test_a_cleared_slot_is_told(tmp_path: Path) -> None:
    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        image = new_image()
        volume = await made(domain, image)
        (root.devices / domain.id / "metadata").write_bytes(bytes(17 << 20))
        with pytest.raises(Cleared):
            await domain.store.read(image, volume)

    run(tmp_path, body)


def test_a_killed_creation_leaves_an_unfinished_volume_or_none(tmp_path: Path) -> None:
    """Before and after each command of LVM."""

    class Killed(Exception):
        pass

    async def body(domain: BlockDomain, root: SimulatedRoot) -> None:
        for when in ("before", "after"):
            for command in ("lvcreate", "lvchange"):
                image, volume = new_image(), new_volume()

                def kill(words: tuple[str, ...], command: str = command) -> None:
                    if words[0] == command:
                        raise Killed

                setattr(root, when, kill)
                metadata = metadata_of(domain.id, image)
                with contextlib.suppress(Killed):
                    await domain.store.begin(image, volume, metadata, size=GIB, allocate=True)
                    await domain.store.publish(image, volume)
                setattr(root, when, lambda words: None)
                found = (await domain.store.volumes(image)).get(volume)
                expected = {("before", "lvcreate"): None, ("after", "lvchange"): False}
                assert (found and found.is_unfinished) == expected.get((when, command), True)
                if found is None or found.is_unfinished:
                    await domain.store.discard(image, volume)
                    assert not await domain.store.volumes(image)

    run(tmp_path, body)
