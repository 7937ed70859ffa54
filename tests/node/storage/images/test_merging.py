import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from volume_station import (
    BLOCK,
    FILE,
    FULL,
    HOST,
    MIB,
    RAW,
    Station,
    deaths,
    dies_at,
    dies_in,
    every_death,
    image_id,
    qemu_img,
    qemu_io,
    run,
    slow_qemu_img,
    volume_id,
    wish,
)

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.images import merging
from ovis.node.storage.images.merging import Subchain
from ovis.node.storage.jobs.volume_jobs import VolumeJobs
from ovis.node.storage.leases.errors import GenerationMismatch
from ovis.node.storage.volumes import deleting
from ovis.node.storage.volumes.errors import UnexpectedState, WrongParent

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])


async def made(host: Station, domain: DomainId) -> None:
    await host.create(wish(domain, 1, 1, format=RAW, allocation=FULL, capacity=8 * MIB))
    qemu_io(await host.path(domain, 1, 1), "raw", "write -P 1 0 4M")
    await host.create(wish(domain, 1, 2, parent=1, capacity=16 * MIB, bitmap="one"))
    qemu_io(await host.path(domain, 1, 2), "qcow2", "write -P 2 1M 1M", "write -P 2 12M 1M")
    await host.create(wish(domain, 1, 3, parent=2, capacity=16 * MIB, with_parents_bitmaps=True, bitmap="two"))
    qemu_io(await host.path(domain, 1, 3), "qcow2", "write -P 3 2M 1M")
    await still(host, domain)


async def still(host: Station, domain: DomainId = BLOCK) -> None:
    for number in (1, 2, 3):
        await host[domain].store.deactivate(image_id(1), volume_id(number))


def subchain(domain: DomainId, base: int, top: int, generation: int | None = None) -> Subchain:
    return Subchain(domain, image_id(1), volume_id(base), volume_id(top), generation)


async def prepare(host: Station, merge: Subchain) -> None:
    await host.done(await merging.plan_prepare(host[merge.domain], merge))  # type: ignore[arg-type]


async def data(host: Station, merge: Subchain) -> None:
    await merging.merge(
        host.storage,
        host[merge.domain],  # type: ignore[arg-type]
        merge,
        with_bitmaps=True,
        on_percent=lambda _: None,
    )


async def job(host: Station, merge: Subchain, on_percent: Callable[[int], None] = lambda _: None) -> None:
    await VolumeJobs(host.storage, HOST, "job").merge(merge, with_bitmaps=True, on_percent=on_percent)


async def finalize(host: Station, merge: Subchain) -> None:
    await host.done(await merging.plan_finalize(host[merge.domain], merge))  # type: ignore[arg-type]


async def whole(host: Station, merge: Subchain) -> None:
    await prepare(host, merge)
    await data(host, merge)
    await finalize(host, merge)
    await host.done(await deleting.plan(host[merge.domain], merge.image, [merge.top]))  # type: ignore[arg-type]


async def check(host: Station, domain: DomainId, leaf: int, format: str = "qcow2") -> None:
    for volume in await host[domain].store.volumes(image_id(1)):
        await host[domain].store.activate(image_id(1), volume)
    qemu_io(await host.path(domain, 1, leaf), format, "read -P 1 0 1M", "read -P 2 1M 1M", "read -P 3 2M 1M",
            "read -P 1 3M 1M", "read -P 0 4M 8M", "read -P 2 12M 1M", "read -P 0 13M 3M")  # fmt: skip


def checked(path: Path) -> int:
    return subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", path], check=False).returncode


@BOTH
def test_a_layer_in_the_middle(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await made(host, domain)
        await whole(host, subchain(domain, 1, 2, 0))
        assert set(await host[domain].store.volumes(image_id(1))) == {volume_id(1), volume_id(3)}
        base, leaf = await host.metadata(domain, 1, 1), await host.metadata(domain, 1, 3)
        assert (base.capacity, base.role, base.legality) == (16 * MIB, VolumeRole.INTERNAL, Legality.LEGAL)
        assert (leaf.parent, leaf.role) == (volume_id(1), VolumeRole.LEAF)
        await check(host, domain, 3)

    run(tmp_path, main)


@BOTH
def test_the_leaf_goes_down_and_its_bitmaps_with_it(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await made(host, domain)
        await whole(host, subchain(domain, 2, 3))
        assert (await host.metadata(domain, 1, 2)).role is VolumeRole.LEAF
        await check(host, domain, 2)
        text = qemu_img("info", "-f", "qcow2", str(await host.path(domain, 1, 2)))
        assert "name: one" in text
        assert "name: two" in text

    run(tmp_path, main)


def test_everything_into_a_raw_base(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, BLOCK)
        await whole(host, subchain(BLOCK, 1, 2))
        await whole(host, subchain(BLOCK, 1, 3))
        await check(host, BLOCK, 1, "raw")

    run(tmp_path, main)


def test_what_is_merged_away_is_no_part_of_the_chain(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, FILE)
        merge = subchain(FILE, 2, 3)
        await prepare(host, merge)
        await data(host, merge)
        await finalize(host, merge)
        path = await host.storage.prepared.prepare(host[FILE], image_id(1))  # type: ignore[arg-type]
        assert path.name == volume_id(2)

    run(tmp_path, main)


def test_each_part_wants_the_one_before(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, FILE)
        merge = subchain(FILE, 1, 2, 0)
        with pytest.raises(UnexpectedState):
            await data(host, merge)
        with pytest.raises(UnexpectedState):
            await finalize(host, merge)
        with pytest.raises(WrongParent):
            await prepare(host, subchain(FILE, 1, 3))
        with pytest.raises(GenerationMismatch):
            await prepare(host, subchain(FILE, 1, 2, 7))

    run(tmp_path, main)


@BOTH
def test_killed_while_it_is_prepared_the_base_is_as_it_was_or_ready(tmp_path: Path, domain: DomainId) -> None:
    merge = subchain(domain, 2, 3, 0)
    done = every_death(tmp_path, lambda host: made(host, domain), lambda host: prepare(host, merge))
    assert done == sorted(done)

    async def go_on(host: Station) -> None:
        await check(host, domain, 3)
        if (await host.metadata(domain, 1, 2)).legality is Legality.LEGAL:
            await prepare(host, merge)
        await data(host, merge)
        await finalize(host, merge)
        await check(host, domain, 2)

    run(tmp_path / "0", go_on)
    run(tmp_path / str(len(done) - 1), go_on)


@BOTH
def test_killed_while_data_are_merged_it_is_begun_again(tmp_path: Path, domain: DomainId) -> None:
    """The job: it ends with the generation of the base, or has done nothing that can be seen."""
    merge = subchain(domain, 2, 3, 0)

    async def before(host: Station) -> None:
        await made(host, domain)
        await prepare(host, merge)

    done = every_death(tmp_path, before, lambda host: job(host, merge))
    assert done == sorted(done)

    async def go_on(host: Station) -> None:
        await check(host, domain, 3)
        if (await host.metadata(domain, 1, 2)).generation == 0:
            await job(host, merge)
        await finalize(host, replace(merge, base_generation=1))
        await check(host, domain, 2)
        text = qemu_img("info", "-f", "qcow2", str(await host.path(domain, 1, 2)))
        assert text.count("name: ") == 2

    for number in range(len(done)):
        run(tmp_path / str(number), go_on)


@pytest.mark.parametrize("percent", [1, 30, 70])
def test_killed_in_the_middle_of_the_data_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, percent: int
) -> None:
    slow_qemu_img(tmp_path / "bin", monkeypatch)
    merge, place = subchain(FILE, 2, 3), tmp_path / "host"

    async def before(host: Station) -> None:
        await made(host, FILE)
        qemu_io(await host.path(FILE, 1, 3), "qcow2", "write -P 7 4M 8M")
        await prepare(host, merge)

    async def look(host: Station) -> None:
        read = ("read -P 1 0 1M", "read -P 2 1M 1M", "read -P 3 2M 1M", "read -P 7 4M 8M", "read -P 2 12M 1M")
        path = await host.path(FILE, 1, 3)
        qemu_io(path, "qcow2", *read)
        assert checked(path) == 0
        assert checked(await host.path(FILE, 1, 2)) in (0, 3)  # what was half written is leaked at worst
        monkeypatch.undo()
        await data(host, merge)
        await finalize(host, merge)
        qemu_io(await host.path(FILE, 1, 2), "qcow2", *read)

    run(place, before)
    assert dies_in(place, lambda host: job(host, merge, on_percent=dies_at(percent)))
    run(place, look)


def test_killed_while_it_is_finished_the_guest_sees_the_same(tmp_path: Path) -> None:
    merge = subchain(BLOCK, 1, 2)

    async def before(host: Station) -> None:
        await made(host, BLOCK)
        await prepare(host, merge)
        await data(host, merge)

    done = every_death(tmp_path, before, lambda host: finalize(host, merge))
    for number in range(len(done)):
        run(tmp_path / str(number), lambda host: check(host, BLOCK, 3))


def test_space_that_a_volume_does_not_use_goes_back(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, BLOCK)
        store = host[BLOCK].store
        await store.resize(image_id(1), volume_id(2), 64 * MIB)
        await host.done(await merging.plan_reduce(host[BLOCK], image_id(1), volume_id(2), allow_active=False))  # type: ignore[arg-type]
        assert (await store.volumes(image_id(1)))[volume_id(2)].size <= 8 * MIB
        await check(host, BLOCK, 3)

    run(tmp_path, main)


def test_killed_while_space_is_given_back_all_data_are_there(tmp_path: Path) -> None:
    async def before(host: Station) -> None:
        await made(host, BLOCK)
        await host[BLOCK].store.resize(image_id(1), volume_id(2), 64 * MIB)

    async def reduce(host: Station) -> None:
        await host.done(await merging.plan_reduce(host[BLOCK], image_id(1), volume_id(2), allow_active=False))  # type: ignore[arg-type]

    async def look(host: Station) -> None:
        await check(host, BLOCK, 3)
        await still(host)
        await reduce(host)
        assert (await host[BLOCK].store.volumes(image_id(1)))[volume_id(2)].size <= 8 * MIB
        await check(host, BLOCK, 3)

    places = [place for place, was_killed in deaths(tmp_path, before, reduce) if was_killed]
    assert len(places) > 2
    for place in places:
        run(place, look)
