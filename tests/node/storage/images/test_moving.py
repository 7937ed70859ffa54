import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from volume_station import (
    BLOCK,
    COW,
    FILE,
    FULL,
    MIB,
    OTHER,
    RAW,
    SPARSE,
    Station,
    deaths,
    every_death,
    image_id,
    qemu_io,
    run,
    volume_id,
    wish,
)

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.images import moving
from ovis.node.storage.images.moving import TemplateNotThere
from ovis.node.storage.volumes.errors import ImageExists

WAYS = pytest.mark.parametrize(("source", "target"), [(FILE, OTHER), (FILE, BLOCK), (BLOCK, FILE)])


async def made(host: Station, domain: DomainId) -> None:
    """Three layers, each with something of its own; zeros of the last one hide what is below."""
    await host.create(wish(domain, 1, 1, format=RAW, allocation=FULL, capacity=8 * MIB))
    qemu_io(await host.path(domain, 1, 1), "raw", "write -P 1 0 4M")
    await host.create(wish(domain, 1, 2, parent=1, capacity=16 * MIB))
    qemu_io(await host.path(domain, 1, 2), "qcow2", "write -P 2 1M 1M")
    await host.create(wish(domain, 1, 3, parent=2, capacity=16 * MIB))
    qemu_io(await host.path(domain, 1, 3), "qcow2", "write -P 3 10M 1M", "write -z 3M 1M")
    await still(host, domain)


async def still(host: Station, domain: DomainId, *volumes: int) -> None:
    for number in volumes or (1, 2, 3):
        await host[domain].store.deactivate(image_id(1), volume_id(number))


def shows(path: Path, command: str) -> bool:
    try:
        qemu_io(path, "qcow2", command)
    except (AssertionError, subprocess.CalledProcessError):
        return False
    return True


async def check(host: Station, domain: DomainId) -> None:
    paths = [await host.path(domain, 1, number) for number in (1, 2, 3)]
    qemu_io(paths[2], "qcow2", "read -P 1 0 1M", "read -P 2 1M 1M", "read -P 1 2M 1M", "read -P 0 3M 7M",
            "read -P 3 10M 1M", "read -P 0 11M 5M")  # fmt: skip
    qemu_io(paths[1], "qcow2", "read -P 2 1M 1M", "read -P 1 3M 1M", "read -P 0 10M 1M")
    await still(host, domain)


async def move(host: Station, source: DomainId, target: DomainId, **given: bool) -> None:
    await host.done(
        await moving.plan_move(host[source], host[target], image_id(1), **({"keep_source": False} | given))  # type: ignore[arg-type]
    )


@WAYS
def test_an_image_moves_layer_by_layer(tmp_path: Path, source: DomainId, target: DomainId) -> None:
    async def main(host: Station) -> None:
        await made(host, source)
        await move(host, source, target)
        await check(host, target)
        assert not await host[source].store.volumes()
        assert (await host.metadata(target, 1, 3)).role is VolumeRole.LEAF
        # the layers hold what they held, not what shines through them
        leaf = await host[target].store.volumes(image_id(1))
        assert leaf[volume_id(3)].allocated <= 8 * MIB

    run(tmp_path, main)


def test_a_copy_leaves_the_source_and_replaces_only_by_force(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, FILE)
        before = host.state()
        await move(host, FILE, OTHER, keep_source=True)
        await check(host, FILE)
        with pytest.raises(ImageExists):
            await move(host, FILE, OTHER, keep_source=True)
        await move(host, FILE, OTHER, keep_source=True, force=True)
        await check(host, OTHER)
        assert {k: v for k, v in host.state().items() if k.startswith(FILE)} == {
            k: v for k, v in before.items() if k.startswith(FILE)
        }

    run(tmp_path, main)


def test_a_sparse_raw_volume_becomes_qcow2_on_block_storage(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1, format=RAW, allocation=SPARSE))
        qemu_io(await host.path(FILE, 1, 1), "raw", "write -P 5 9M 1M")
        await move(host, FILE, BLOCK)
        found = await host.metadata(BLOCK, 1, 1)
        assert (found.format, found.allocation) == (COW, SPARSE)
        qemu_io(await host.path(BLOCK, 1, 1), "qcow2", "read -P 5 9M 1M")

    run(tmp_path, main)


def test_the_template_has_to_be_there(tmp_path: Path) -> None:
    async def template(host: Station, domain: DomainId) -> None:
        await host.create(wish(domain, 9, 9))
        base = await host.metadata(domain, 9, 9)
        await host[domain].store.write(image_id(9), volume_id(9), replace(base, role=VolumeRole.SHARED))

    async def main(host: Station) -> None:
        await template(host, FILE)
        await host.create(wish(FILE, 1, 1, parent=(9, 9)))
        with pytest.raises(TemplateNotThere):
            await move(host, FILE, OTHER)
        await template(host, OTHER)
        await move(host, FILE, OTHER)
        qemu_io(await host.path(OTHER, 1, 1), "qcow2", "read -P 0 0 1M")

    run(tmp_path, main)


def test_structure_first_data_later(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, FILE)
        await host.done(await moving.plan_clone(host[FILE], host[BLOCK], image_id(1)))  # type: ignore[arg-type]
        for inner, leaf in ((True, False), (False, True), (True, True)):
            plan = await moving.plan_sync(host[FILE], host[BLOCK], image_id(1), inner=inner, leaf=leaf)  # type: ignore[arg-type]
            await host.done(plan)
        await check(host, BLOCK)

    run(tmp_path, main)


@pytest.mark.parametrize("target", [FILE, BLOCK])
def test_a_chain_is_flattened_into_a_template(tmp_path: Path, target: DomainId) -> None:
    async def main(host: Station) -> None:
        await made(host, FILE)
        plan = await moving.plan_copy(
            host[FILE], image_id(1), volume_id(2), host[target], (image_id(2), volume_id(7)),  # type: ignore[arg-type]
            role=VolumeRole.SHARED, format=None, allocation=None, description="template", force=False, now=5,
        )  # fmt: skip
        await host.done(plan)
        found = await host.metadata(target, 2, 7)
        assert (found.role, found.parent, found.description) == (VolumeRole.SHARED, None, "template")
        path = await host.path(target, 2, 7)
        qemu_io(path, "qcow2", "read -P 1 0 1M", "read -P 2 1M 1M", "read -P 1 3M 1M", "read -P 0 4M 12M")

    run(tmp_path, main)


def test_a_move_that_fails_leaves_the_source_and_nothing_else(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, FILE)
        before = host.state()
        host[BLOCK].store.room = 10 * MIB  # enough for the base
        plan = await moving.plan_move(host[FILE], host[BLOCK], image_id(1), keep_source=False)  # type: ignore[arg-type]
        host[BLOCK].store.room = 1 * MIB
        await host.failed(plan)
        assert host.state() == before

    run(tmp_path, main)


def test_killed_at_any_moment_the_image_is_here_or_there(tmp_path: Path) -> None:
    async def before(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        await host.create(wish(FILE, 1, 2, parent=1))

    done = every_death(tmp_path, before, lambda host: move(host, FILE, BLOCK))
    assert done == sorted(done)


async def copy(host: Station, source: DomainId, target: DomainId) -> None:
    """Flattened."""
    plan = await moving.plan_copy(
        host[source], image_id(1), volume_id(3), host[target], (image_id(2), volume_id(5)),  # type: ignore[arg-type]
        role=VolumeRole.SHARED, format=None, allocation=None, description="", force=False, now=0,
    )  # fmt: skip
    await host.done(plan)


async def clone(host: Station) -> None:
    await host.done(await moving.plan_clone(host[FILE], host[BLOCK], image_id(1)))  # type: ignore[arg-type]


async def sync(host: Station) -> None:
    await host.done(await moving.plan_sync(host[FILE], host[BLOCK], image_id(1), inner=True, leaf=True))  # type: ignore[arg-type]


def test_killed_while_it_is_copied_there_is_the_whole_copy_or_none(tmp_path: Path) -> None:
    done = every_death(tmp_path, lambda host: made(host, BLOCK), lambda host: copy(host, BLOCK, FILE))
    assert done == sorted(done)


def test_killed_while_its_structure_is_cloned_there_is_all_of_it_or_none(tmp_path: Path) -> None:
    async def before(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        await host.create(wish(FILE, 1, 2, parent=1))

    done = every_death(tmp_path, before, clone)
    assert done == sorted(done)


def test_killed_while_data_are_synchronized_what_is_legal_is_old_or_new(tmp_path: Path) -> None:
    async def write(host: Station, domain: DomainId, content: int) -> None:
        for number in (1, 2):
            qemu_io(await host.path(domain, 1, number), "qcow2", f"write -P {content} {number}M 1M")
            await host[domain].store.deactivate(image_id(1), volume_id(number))

    async def before(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        await host.create(wish(FILE, 1, 2, parent=1))
        await clone(host)
        await write(host, FILE, 1)
        await write(host, BLOCK, 2)

    async def look(host: Station) -> set[tuple[Legality, int]]:
        found = set()
        for number in (1, 2):
            path = await host.path(BLOCK, 1, number)
            content = next((content for content in (1, 2) if shows(path, f"read -P {content} {number}M 1M")), 0)
            found.add(((await host.metadata(BLOCK, 1, number)).legality, content))
        await still(host, BLOCK, 1, 2)
        return found

    all_found = set()
    for place, was_killed in deaths(tmp_path, before, sync):
        found = run(place, look)
        all_found |= found
        if not was_killed:
            assert found == {(Legality.LEGAL, 1)}
    assert (Legality.LEGAL, 0) not in all_found
    assert (Legality.ILLEGAL, 0) in all_found
    for place in (tmp_path / "1", tmp_path / "4"):
        run(place, sync)
        assert run(place, look) == {(Legality.LEGAL, 1)}
