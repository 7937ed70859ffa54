"""FileStore over a real IoProcess on real files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from ovis.node.storage.domains.access import HostilePath
from ovis.node.storage.errors import NoSuchVolume, VolumeExists
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.repository import DomainPaths
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.io.interface import IoLost
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.volumes.file_store import FileStore, NotRemoved

DOMAIN = DomainId("d0000000-0000-4000-8000-000000000000")
IMAGE, OTHER, THIRD = (ImageId(f"1000000{number}-0000-4000-8000-000000000000") for number in range(3))
BASE, TOP = (VolumeId(f"2000000{number}-0000-4000-8000-000000000000") for number in range(2))
MIB = 1 << 20
METADATA = VolumeMetadata(
    domain=DOMAIN, image=IMAGE, parent=None, capacity=MIB, format=VolumeFormat.RAW, allocation=Allocation.SPARSE,
    role=VolumeRole.LEAF, created=1_700_000_000,
)  # fmt: skip


class Killed(BaseException):
    pass


class DyingIo:
    """Every change but the first `lives` is not made any more: as if the agent was killed before it. `is_made`: the
    one in question still is, by a process that is killed before it answers."""

    CHANGES = ("write", "replace", "create", "resize", "make_folder", "rename", "link", "remove", "remove_tree")

    def __init__(self, io: IoProcess) -> None:
        self._io, self.lives, self.is_made = io, 1000, False

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._io, name)
        if name not in self.CHANGES:
            return call
        if self.lives == 0:
            return self._last(call)
        self.lives -= 1
        return call

    def _last(self, call: Any) -> Any:
        async def last(*arguments: Any, **options: Any) -> None:
            if self.is_made:
                with contextlib.suppress(OSError):
                    await call(*arguments, **options)
            raise Killed

        return last


def run(folder: Path, work: Callable[[FileStore, DyingIo], Awaitable[object]], version: int = 5) -> None:
    (folder / "images").mkdir(exist_ok=True)

    async def main() -> None:
        io = IoProcess([PurePosixPath(folder)])
        dying = DyingIo(io)
        try:
            await work(FileStore(dying, DomainPaths(PurePosixPath(folder)), DOMAIN, version), dying)
        finally:
            await io.close()

    asyncio.run(main())


async def make(store: FileStore, volume: VolumeId = BASE, image: ImageId = IMAGE, **changes: Any) -> None:
    await store.begin(image, volume, replace(METADATA, image=image, **changes), size=MIB, allocate=False)
    await store.publish(image, volume)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "images")) for path in (folder / "images").rglob("*"))


def test_a_volume_is_one_when_it_is_published(tmp_path: Path) -> None:
    async def work(store: FileStore, _: DyingIo) -> None:
        path = await store.begin(IMAGE, BASE, METADATA, size=MIB, allocate=True)
        assert path == PurePosixPath(tmp_path) / "images" / IMAGE / BASE
        (unfinished,) = (await store.volumes(IMAGE)).values()
        assert unfinished.is_unfinished
        assert (await store.read(IMAGE, BASE)) == METADATA
        await store.publish(IMAGE, BASE)
        await store.publish(IMAGE, BASE)
        (volume,) = (await store.volumes()).values()
        assert (volume.image, volume.size, volume.is_unfinished, volume.removal) == (IMAGE, MIB, False, Removal.NONE)
        assert volume.allocated >= MIB
        assert (await store.lease(IMAGE, BASE)).path.name == f"{BASE}.lease"

    run(tmp_path, work)
    names = ["", f"/{BASE}", f"/{BASE}.lease", f"/{BASE}.meta"]
    assert files(tmp_path) == [IMAGE + name for name in names]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    async def work(store: FileStore, _: DyingIo) -> None:
        await make(store)
        with pytest.raises(VolumeExists):
            await store.begin(IMAGE, BASE, METADATA, size=0, allocate=False)
        with pytest.raises(VolumeExists):
            await store.discard(IMAGE, BASE)
        with pytest.raises(NotRemoved):
            await store.purge(IMAGE, [BASE])
        assert BASE in await store.volumes(IMAGE)

    run(tmp_path, work)


def test_metadata_change(tmp_path: Path) -> None:
    async def work(store: FileStore, _: DyingIo) -> None:
        await make(store)
        await store.write(IMAGE, BASE, replace(METADATA, description="new"))
        assert (await store.read(IMAGE, BASE)).description == "new"
        assert await store.resize(IMAGE, BASE, 3 * MIB) == 3 * MIB
        for call in (store.read(IMAGE, TOP), store.write(IMAGE, TOP, METADATA), store.activate(IMAGE, TOP)):
            with pytest.raises(NoSuchVolume):
                await call

    run(tmp_path, work)


@pytest.mark.parametrize("removal", [Removal.DELETE, Removal.WIPE])
def test_one_volume_of_an_image_is_removed(tmp_path: Path, removal: Removal) -> None:
    async def work(store: FileStore, _: DyingIo) -> None:
        await make(store)
        await make(store, TOP)
        await store.mark_removed(IMAGE, [BASE], removal)
        found = await store.volumes()
        assert (found[BASE].removal, found[TOP].removal) == (removal, Removal.NONE)
        with pytest.raises(NoSuchVolume):
            await store.read(IMAGE, BASE)
        await store.purge(IMAGE, [BASE])
        await store.purge(IMAGE, [BASE])
        assert list(await store.volumes()) == [TOP]

    run(tmp_path, work)


def test_all_volumes_of_an_image_are_removed_at_once(tmp_path: Path) -> None:
    async def work(store: FileStore, _: DyingIo) -> None:
        await make(store)
        await make(store, TOP)
        await store.mark_removed(IMAGE, [TOP, BASE], Removal.DELETE)
        await store.mark_removed(IMAGE, [TOP, BASE], Removal.DELETE)
        assert os.listdir(tmp_path / "images") == [f"_remove_me_{IMAGE}"]
        assert {volume.removal for volume in (await store.volumes(IMAGE)).values()} == {Removal.DELETE}
        await make(store)  # the same id again, before the old one is purged
        assert (await store.volumes())[BASE].removal is Removal.NONE
        await store.purge(IMAGE, [TOP])
        await store.mark_removed(IMAGE, [BASE], Removal.DELETE)
        await store.purge(IMAGE, [TOP, BASE])

    run(tmp_path, work)
    assert files(tmp_path) == []


def test_a_template_belongs_to_its_image_and_is_found_in_others(tmp_path: Path) -> None:
    async def work(store: FileStore, _: DyingIo) -> None:
        await make(store, role=VolumeRole.SHARED)
        for into in (OTHER, OTHER, THIRD):
            await store.share(IMAGE, BASE, into)
        await make(store, TOP, OTHER)
        assert list(await store.volumes(OTHER)) == [TOP]
        assert (await store.volumes())[BASE].image == IMAGE
        assert sorted(await store.users(IMAGE, BASE)) == [OTHER, THIRD]
        assert (await store.read(OTHER, BASE)).image == IMAGE
        await store.unshare(IMAGE, BASE, THIRD)
        await store.unshare(IMAGE, BASE, THIRD)
        await store.mark_removed(OTHER, [TOP], Removal.DELETE)
        assert await store.users(IMAGE, BASE) == []
        await store.purge(OTHER, [TOP])
        assert list(await store.volumes()) == [BASE]

    run(tmp_path, work)
    assert os.listdir(tmp_path / "images") == [IMAGE]
    assert (tmp_path / "images" / IMAGE / BASE).stat().st_nlink == 1


def test_what_is_not_ours_is_passed_over(tmp_path: Path) -> None:
    async def work(store: FileStore, _: DyingIo) -> None:
        await make(store)
        image = tmp_path / "images" / IMAGE
        for name in (".nfs0000000001", f"{TOP}.meta.new", "notes", f"{TOP}.qcow2"):
            (image / name).touch()
        (tmp_path / "images" / "lost+found").mkdir()
        assert list(await store.volumes()) == [BASE]
        assert list(await store.volumes(IMAGE)) == [BASE]

    run(tmp_path, work)


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    domain = tmp_path / "domain"
    domain.mkdir()

    async def work(store: FileStore, _: DyingIo) -> None:
        await make(store)
        data = domain / "images" / IMAGE / BASE
        data.unlink()
        data.symlink_to(tmp_path / "precious")
        (domain / "images" / OTHER).symlink_to(tmp_path)
        for call in (
            store.activate(IMAGE, BASE),
            store.resize(IMAGE, BASE, 0),
            store.begin(OTHER, BASE, METADATA, size=0, allocate=False),
            store.share(IMAGE, BASE, THIRD),
        ):
            with pytest.raises(HostilePath):
                await call
        assert (await store.volumes())[BASE].size == 0

    run(domain, work)
    assert (tmp_path / "precious").read_bytes() == b"precious"


@pytest.mark.parametrize("lives", range(8))
@pytest.mark.parametrize("is_made", [True, False])
def test_killed_while_it_is_made(tmp_path: Path, lives: int, *, is_made: bool) -> None:
    """Not there, unfinished or there; and an unfinished one leaves nothing when it is discarded."""

    async def work(store: FileStore, io: DyingIo) -> None:
        io.lives, io.is_made = lives, is_made
        try:
            await make(store)
        except Killed:
            io.lives = 1000
            found = await store.volumes(IMAGE)
            if BASE in found and not found[BASE].is_unfinished:
                assert (lives, is_made) == (4, True)  # the last step
                return
            await store.discard(IMAGE, BASE)
            await store.discard(IMAGE, BASE)
            assert files(tmp_path) == []
        else:
            assert not (await store.volumes(IMAGE))[BASE].is_unfinished

    run(tmp_path, work)


@pytest.mark.parametrize("lives", range(10))
@pytest.mark.parametrize("all_at_once", [True, False])
@pytest.mark.parametrize("is_made", [True, False])
def test_killed_while_it_is_removed(tmp_path: Path, lives: int, *, all_at_once: bool, is_made: bool) -> None:
    async def remove(store: FileStore) -> None:
        await store.mark_removed(IMAGE, [BASE], Removal.DELETE)
        await store.purge(IMAGE, [BASE])

    async def work(store: FileStore, io: DyingIo) -> None:
        await make(store)
        if not all_at_once:
            await make(store, TOP)
        io.lives, io.is_made = lives, is_made
        try:
            await remove(store)
        except Killed:
            io.lives = 1000
            found = await store.volumes(IMAGE)
            assert BASE not in found or not found[BASE].is_unfinished
            await remove(store)
        assert BASE not in await store.volumes()
        assert list(await store.volumes(IMAGE)) == ([] if all_at_once else [TOP])

    run(tmp_path, work)
    assert bool(files(tmp_path)) is not all_at_once


def test_real_processes_killed_at_any_moment(tmp_path: Path) -> None:
    """What was answered holds; what was not is a volume, an unfinished one or nothing, and can be cleaned up."""
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    made: set[VolumeId] = set()
    lost = 0

    async def killer(store: FileStore, io: DyingIo, work: asyncio.Task[None]) -> None:
        await asyncio.sleep(dice.random() * 0.02)
        if not work.done() and io.pid is not None:
            os.kill(io.pid, signal.SIGKILL)

    async def work(store: FileStore, io: DyingIo) -> None:
        nonlocal lost
        for number in range(40):
            volume = VolumeId(f"2000{number:04}-0000-4000-8000-000000000000")
            making = asyncio.create_task(make(store, volume))
            await killer(store, io, making)
            try:
                await making
                made.add(volume)
            except IoLost:
                lost += 1
                found = (await store.volumes(IMAGE)).get(volume)
                if found is None or found.is_unfinished:
                    await store.discard(IMAGE, volume)
                else:
                    made.add(volume)
        assert set(await store.volumes()) == made, f"seed {seed}"
        for volume in made:
            assert await store.read(IMAGE, volume) == METADATA

    run(tmp_path, work)
    assert len(files(tmp_path)) == 3 * len(made) + bool(made), f"seed {seed}"
    print(f"seed {seed}: {len(made)} made, {lost} cut off")
