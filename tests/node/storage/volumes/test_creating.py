import json
from dataclasses import replace
from pathlib import Path

import pytest
from volume_station import (
    BLOCK,
    FILE,
    FULL,
    MIB,
    RAW,
    SPARSE,
    Station,
    every_death,
    image_id,
    qemu_img,
    run,
    volume_id,
    wish,
)

from ovis.client.types import TaskResult
from ovis.node.storage.errors import VolumeExists
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_metadata import VolumeRole
from ovis.node.storage.volumes import creating
from ovis.node.storage.volumes.errors import (
    BadVolumeParameter,
    IllegalParent,
    ParentNotLeaf,
    ParentNotShared,
    VolumeError,
    WrongFormat,
    WrongSize,
)

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])


def info(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(qemu_img("info", "--output=json", "-f", "qcow2", str(path)))
    return found


@BOTH
def test_a_qcow2_volume_and_a_layer_on_it(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(domain, 1, 1, description="disk"))
        await host.create(wish(domain, 1, 2, parent=1, sequence=2))
        base, top = await host.metadata(domain, 1, 1), await host.metadata(domain, 1, 2)
        assert (base.role, top.role, top.parent) == (VolumeRole.INTERNAL, VolumeRole.LEAF, volume_id(1))
        assert (base.description, top.sequence, top.generation) == ("disk", 2, 0)
        header = info(await host.path(domain, 1, 2))
        assert header["virtual-size"] == 64 * MIB
        assert header["backing-filename"] == volume_id(1)
        assert header["backing-filename-format"] == "qcow2"

    run(tmp_path, main)


@BOTH
def test_a_raw_volume_has_its_size_at_once(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(domain, 1, 1, format=RAW, allocation=FULL, capacity=5 * MIB + 1))
        assert (await host.metadata(domain, 1, 1)).capacity == 5 * MIB + 512
        assert (await host.path(domain, 1, 1)).stat().st_size >= 5 * MIB + 512

    run(tmp_path, main)


def test_nothing_stays_active_that_was_made(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(BLOCK, 1, 1))
        await host.create(wish(BLOCK, 1, 2, parent=1))
        assert not list((host[BLOCK].root / "dev").iterdir())

    run(tmp_path, main)


@BOTH
def test_a_disk_on_a_template(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(domain, 1, 1))
        plan = creating.plan(host[domain], wish(domain, 2, 2, parent=(1, 1)), now=0)  # type: ignore[arg-type]
        with pytest.raises(ParentNotShared):
            await plan
        store = host[domain].store
        base = await host.metadata(domain, 1, 1)
        await store.write(image_id(1), volume_id(1), replace(base, role=VolumeRole.SHARED))
        await host.create(wish(domain, 2, 2, parent=(1, 1)))
        assert (await host.metadata(domain, 1, 1)).role is VolumeRole.SHARED
        assert (await host.metadata(domain, 2, 2)).parent == volume_id(1)
        await store.activate(image_id(1), volume_id(1))
        qemu_img("check", "-f", "qcow2", str(await host.path(domain, 2, 2)))

    run(tmp_path, main)


def test_bitmaps_go_on_in_a_new_layer(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(BLOCK, 1, 1, bitmap="first"))
        await host.create(wish(BLOCK, 1, 2, parent=1, with_parents_bitmaps=True, bitmap="second"))
        path = await host.path(BLOCK, 1, 2)
        assert [b["name"] for b in info(path)["format-specific"]["data"]["bitmaps"]] == ["second", "first"]  # type: ignore[index]

    run(tmp_path, main)


@pytest.mark.parametrize(
    ("domain", "given", "error"),
    [
        (BLOCK, {"format": RAW, "allocation": SPARSE}, WrongFormat),
        (FILE, {"format": RAW, "parent": 1}, WrongFormat),
        (FILE, {"capacity": 0}, WrongSize),
        (FILE, {"capacity": 63 * MIB, "parent": 1}, WrongSize),
        (FILE, {"with_parents_bitmaps": True}, BadVolumeParameter),
        (FILE, {"format": RAW, "bitmap": "x"}, WrongFormat),
        (FILE, {"initial_size": 1 << 40}, BadVolumeParameter),
        (FILE, {}, BadVolumeParameter),  # a second base
    ],
)
def test_what_the_rules_forbid(
    tmp_path: Path, domain: DomainId, given: dict[str, object], error: type[VolumeError]
) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(domain, 1, 1))
        before = host.state()
        with pytest.raises(error):
            await creating.plan(host[domain], wish(domain, 1, 2, **given), now=0)  # type: ignore[arg-type]
        assert host.state() == before

    run(tmp_path, main)


def test_only_the_leaf_of_a_legal_chain_is_built_on(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        await host.create(wish(FILE, 1, 2, parent=1, is_legal=False))
        with pytest.raises(ParentNotLeaf):
            await host.create(wish(FILE, 1, 3, parent=1))
        with pytest.raises(IllegalParent):
            await host.create(wish(FILE, 1, 3, parent=2))
        with pytest.raises(VolumeExists):
            await host.create(wish(FILE, 1, 2, parent=1))

    run(tmp_path, main)


def test_two_that_want_the_same_parent_exclude_each_other(tmp_path: Path) -> None:
    """Both have passed the checks when the first one begins; the second finds out when it is its turn."""

    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        plans = [
            await creating.plan(host[FILE], wish(FILE, 1, number, parent=1), now=0)  # type: ignore[arg-type]
            for number in (2, 3)
        ]
        ids = [await host.start(plan) for plan in plans]
        results = [(await host.storage.tasks.wait(task)).result for task in ids]
        assert sorted(results) == [TaskResult.CLEAN_SUCCESS, TaskResult.SUCCESS]
        assert len(await host[FILE].store.volumes(image_id(1))) == 2

    run(tmp_path, main)


@BOTH
def test_a_failed_creation_leaves_nothing_behind(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(domain, 1, 1))
        before = host.state()
        host[domain].store.room = 1
        plan = await creating.plan(host[domain], wish(domain, 1, 2, parent=1, bitmap="x" * 2000), now=0)  # type: ignore[arg-type]
        await host.failed(plan)
        assert host.state() == before

    run(tmp_path, main)


@BOTH
def test_killed_at_any_moment_there_is_the_whole_volume_or_none(tmp_path: Path, domain: DomainId) -> None:
    async def layer(host: Station) -> None:
        await host.create(wish(domain, 1, 2, parent=1))

    done = every_death(tmp_path, lambda host: host.create(wish(domain, 1, 1)), layer)
    assert done == sorted(done)
