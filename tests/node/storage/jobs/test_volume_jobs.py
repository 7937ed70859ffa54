import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from volume_station import (
    BLOCK,
    COW,
    FILE,
    HOST,
    MIB,
    RAW,
    Station,
    dies_at,
    dies_in,
    image_id,
    killed_at,
    qemu_img,
    qemu_io,
    run,
    slow_qemu_img,
    volume_id,
    wish,
)

from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_metadata import Allocation, Legality, VolumeRole
from ovis.node.storage.images import merging
from ovis.node.storage.images.merging import Subchain
from ovis.node.storage.jobs.guarded import Guarded
from ovis.node.storage.jobs.volume_jobs import Attributes, VolumeJobs
from ovis.node.storage.leases.errors import GenerationMismatch, LeaseHeld
from ovis.node.storage.leases.interface import Resource
from ovis.node.storage.leases.simulated import SharedLeases
from ovis.node.storage.volumes.copying import Place
from ovis.node.storage.volumes.errors import (
    BitmapFailed,
    InvalidUpdate,
    NoSuchBitmap,
    UnexpectedState,
    Unsupported,
    WrongFormat,
)

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])


def jobs(host: Station) -> VolumeJobs:
    return VolumeJobs(host.storage, HOST, "job")


def guarded(domain: DomainId, image: int, volume: int, generation: int | None = None) -> Guarded:
    return Guarded(Place(domain, image_id(image), volume_id(volume)), generation)


def nobody(_: int) -> None: ...


async def copy(
    host: Station,
    source: DomainId,
    target: DomainId,
    generation: int | None = None,
    on_percent: Callable[[int], None] = nobody,
) -> None:
    place = Place(source, image_id(1), volume_id(1))
    await jobs(host).copy_data(place, guarded(target, 2, 2, generation), with_bitmaps=False, on_percent=on_percent)


async def written_number(path: Path) -> int:
    while True:
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())  # noqa: ASYNC240 - a file of a few bytes
        await asyncio.sleep(0.01)


def is_alive(number: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False


async def two_disks(host: Station, source: DomainId, target: DomainId) -> None:
    await host.create(wish(source, 1, 1))
    qemu_io(await host.path(source, 1, 1), "qcow2", "write -P 4 1M 1M")
    await host[source].store.deactivate(image_id(1), volume_id(1))
    await host.create(wish(target, 2, 2))


@pytest.mark.parametrize(("source", "target"), [(FILE, BLOCK), (BLOCK, FILE), (BLOCK, BLOCK)])
def test_data_are_copied_and_the_generation_grows(tmp_path: Path, source: DomainId, target: DomainId) -> None:
    async def main(host: Station) -> None:
        await two_disks(host, source, target)
        await copy(host, source, target, 0)
        found = await host.metadata(target, 2, 2)
        assert (found.generation, found.legality) == (1, Legality.LEGAL)
        qemu_io(await host.path(target, 2, 2), "qcow2", "read -P 4 1M 1M", "read -P 0 2M 62M")
        with pytest.raises(GenerationMismatch):
            await copy(host, source, target, 0)

    run(tmp_path, main)


def test_a_failed_copy_leaves_the_target_illegal_and_may_be_repeated(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await two_disks(host, FILE, FILE)
        source = await host.path(FILE, 1, 1)
        source.rename(source.with_name("away"))
        with pytest.raises(StorageError):
            await copy(host, FILE, FILE, 0)
        found = await host.metadata(FILE, 2, 2)
        assert (found.generation, found.legality) == (0, Legality.ILLEGAL)
        source.with_name("away").rename(source)
        await copy(host, FILE, FILE, 0)
        assert (await host.metadata(FILE, 2, 2)).legality is Legality.LEGAL

    run(tmp_path, main)


def test_killed_in_the_middle_of_a_copy_the_target_is_illegal_or_whole(tmp_path: Path) -> None:
    seen = []
    for change in range(20):
        folder = tmp_path / str(change)
        run(folder, lambda host: two_disks(host, FILE, BLOCK))
        was_killed = killed_at(folder, change, lambda host: copy(host, FILE, BLOCK, 0))

        async def look(host: Station) -> tuple[int, Legality]:
            found = await host.metadata(BLOCK, 2, 2)
            if found.generation == 0:
                await copy(host, FILE, BLOCK, 0)
                qemu_io(await host.path(BLOCK, 2, 2), "qcow2", "read -P 4 1M 1M")
            return found.generation, found.legality

        seen.append(run(folder, look))
        if not was_killed:
            break
    assert seen[-1] == (1, Legality.LEGAL)
    assert set(seen) == {(0, Legality.LEGAL), (0, Legality.ILLEGAL), (1, Legality.LEGAL)}


@pytest.mark.parametrize(("source", "target"), [(FILE, BLOCK), (BLOCK, FILE)])
def test_killed_in_the_middle_of_the_data_it_is_illegal_and_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: DomainId, target: DomainId
) -> None:
    slow_qemu_img(tmp_path / "bin", monkeypatch)

    async def before(host: Station) -> None:
        await two_disks(host, source, target)
        qemu_io(await host.path(source, 1, 1), "qcow2", "write -P 5 8M 8M")
        await host[source].store.deactivate(image_id(1), volume_id(1))

    async def look(host: Station) -> None:
        found = await host.metadata(target, 2, 2)
        assert (found.generation, found.legality) == (0, Legality.ILLEGAL)
        monkeypatch.undo()
        await copy(host, source, target, 0)
        qemu_io(await host.path(target, 2, 2), "qcow2", "read -P 4 1M 1M", "read -P 5 8M 8M", "read -P 0 16M 48M")

    place = tmp_path / "host"
    run(place, before)
    assert dies_in(place, lambda host: copy(host, source, target, 0, dies_at(30)))
    run(place, look)


def test_another_hosts_work_is_not_disturbed(tmp_path: Path) -> None:
    leases = SharedLeases()

    async def main(host: Station) -> None:
        await two_disks(host, FILE, FILE)
        other = leases.host("other")
        domain = host[FILE]
        await other.join(domain.lockspace, 2)
        place = await domain.store.lease(image_id(2), volume_id(2))
        await other.acquire(Resource(domain.lockspace, volume_id(2), place), 2)
        before = host.state()
        with pytest.raises(LeaseHeld):
            await copy(host, FILE, FILE, 0)
        assert host.state() == before

    run(tmp_path, main, leases)


def test_two_jobs_on_one_volume_come_one_after_the_other(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await two_disks(host, FILE, FILE)
        results = await asyncio.gather(copy(host, FILE, FILE, 0), copy(host, FILE, FILE, 0), return_exceptions=True)
        assert [type(result) for result in results].count(GenerationMismatch) == 1
        assert (await host.metadata(FILE, 2, 2)).generation == 1

    run(tmp_path, main)


def test_an_aborted_copy_ends_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program here copies for ever."""
    slow = tmp_path / "bin" / "qemu-img"
    slow.parent.mkdir()
    real = os.popen("command -v qemu-img").read().strip()
    slow.write_text(f'#!/bin/sh\n[ "$1" = convert ] || exec {real} "$@"\necho $$ >{tmp_path}/pid\nexec sleep 600\n')
    slow.chmod(0o755)

    async def main(host: Station) -> None:
        await two_disks(host, FILE, FILE)
        monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
        task = asyncio.create_task(copy(host, FILE, FILE, 0))
        async with asyncio.timeout(20):
            number = await written_number(tmp_path / "pid")
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert not is_alive(number)
        assert (await host.metadata(FILE, 2, 2)).legality is Legality.ILLEGAL
        # the lease is free again
        monkeypatch.undo()
        await copy(host, FILE, FILE, 0)

    run(tmp_path, main)


def test_metadata_change_all_at_once(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        work, place = jobs(host), guarded(FILE, 1, 1, 0)
        with pytest.raises(InvalidUpdate):
            await work.update(place, Attributes(description="x", legality=Legality.LEGAL))
        await work.update(place, Attributes(description="x", role=VolumeRole.SHARED, legality=Legality.ILLEGAL))
        found = await host.metadata(FILE, 1, 1)
        assert (found.description, found.role, found.legality) == ("x", VolumeRole.SHARED, Legality.ILLEGAL)
        assert found.generation == 1
        await work.update(guarded(FILE, 1, 1, 1), Attributes(generation=999))
        await work.update(guarded(FILE, 1, 1, 999), Attributes(description="y"))
        assert (await host.metadata(FILE, 1, 1)).generation == 0

    run(tmp_path, main)


@BOTH
def test_bitmaps_come_and_go(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(domain, 1, 1))
        work = jobs(host)
        await work.add_bitmap(guarded(domain, 1, 1, 0), "one")
        await work.add_bitmap(guarded(domain, 1, 1, 1), "two")
        with pytest.raises(BitmapFailed):
            await work.add_bitmap(guarded(domain, 1, 1), "two")
        await work.remove_bitmap(guarded(domain, 1, 1), "one")
        with pytest.raises(NoSuchBitmap):
            await work.remove_bitmap(guarded(domain, 1, 1), "one")
        assert "name: two" in qemu_img("info", str(await host.path(domain, 1, 1)))
        await work.clear_bitmaps(guarded(domain, 1, 1))
        found = await host.metadata(domain, 1, 1)
        assert (found.generation, found.legality) == (4, Legality.LEGAL)
        assert "name: " not in qemu_img("info", str(await host.path(domain, 1, 1)))

    run(tmp_path, main)


def test_the_version_of_qcow2_changes(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(BLOCK, 1, 1))
        await jobs(host).amend(guarded(BLOCK, 1, 1), "0.10")
        assert "compat: 0.10" in qemu_img("info", str(await host.path(BLOCK, 1, 1)))
        await host.create(wish(BLOCK, 2, 2, format=RAW, allocation=Allocation.PREALLOCATED, capacity=MIB))
        with pytest.raises(WrongFormat):
            await jobs(host).amend(guarded(BLOCK, 2, 2), "1.1")

    run(tmp_path, main)


def test_a_merge_works_on_what_was_prepared(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(BLOCK, 1, 1))
        await host.create(wish(BLOCK, 1, 2, parent=1))
        merge = Subchain(BLOCK, image_id(1), volume_id(1), volume_id(2), 0)
        with pytest.raises(UnexpectedState):
            await jobs(host).merge(merge, with_bitmaps=False, on_percent=nobody)
        await host.done(await merging.plan_prepare(host[BLOCK], merge))  # type: ignore[arg-type]
        await jobs(host).merge(merge, with_bitmaps=True, on_percent=nobody)
        found = await host.metadata(BLOCK, 1, 1)
        assert (found.generation, found.legality) == (1, Legality.ILLEGAL)
        await host.done(await merging.plan_finalize(host[BLOCK], replace(merge, base_generation=1)))  # type: ignore[arg-type]

    run(tmp_path, main)


def test_shrinking_needs_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1, format=COW))
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(Unsupported, match="virt-sparsify"):
            await jobs(host).sparsify(guarded(FILE, 1, 1))
        assert (await host.metadata(FILE, 1, 1)).generation == 0

    run(tmp_path, main)
