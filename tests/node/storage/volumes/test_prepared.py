import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from volume_station import BLOCK, FILE, Station, image_id, run, volume_id, wish

from ovis.node.storage.errors import NoSuchVolume
from ovis.node.storage.formats.volume_metadata import VolumeRole
from ovis.node.storage.volumes import reading
from ovis.node.storage.volumes.prepared import of_image


async def two_disks_on_a_template(host: Station) -> None:
    await host.create(wish(BLOCK, 9, 9))
    base = await host.metadata(BLOCK, 9, 9)
    await host[BLOCK].store.write(image_id(9), volume_id(9), replace(base, role=VolumeRole.SHARED))
    for number in (1, 2):
        await host.create(wish(BLOCK, number, number, parent=(9, 9)))


def block(host: Station) -> Any:
    return host[BLOCK]


def active(host: Station) -> set[int]:
    return {int(name[-4:]) for name in os.listdir(host[BLOCK].root / "dev")}


def links(host: Station, image: int) -> list[str]:
    try:
        return sorted(os.listdir(host.storage.repository.image_in_use(BLOCK, image_id(image))))
    except FileNotFoundError:
        return []


def test_a_volume_is_active_as_long_as_somebody_needs_it(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await two_disks_on_a_template(host)
        prepared = host.storage.prepared
        await prepared.prepare(block(host), image_id(1))
        path = await prepared.prepare(block(host), image_id(2))
        assert active(host) == {1, 2, 9}
        assert links(host, 2) == sorted([volume_id(2), volume_id(9)])
        assert os.path.samefile(path, host[BLOCK].root / "dev" / volume_id(2))  # noqa: ASYNC240
        await prepared.tear_down(block(host), image_id(1))
        assert active(host) == {2, 9}
        await prepared.tear_down(block(host), image_id(1))
        await prepared.tear_down(block(host), image_id(2))
        assert active(host) == set()
        assert links(host, 2) == []
        assert not os.listdir(host[BLOCK].paths.images)

    run(tmp_path, main)


def test_counts_outlive_the_agent_and_work_does_not(tmp_path: Path) -> None:
    async def before(host: Station) -> None:
        await two_disks_on_a_template(host)
        await host.storage.prepared.prepare(block(host), image_id(1), holder="vm-1")
        layers = (await reading.layer(block(host), image_id(2), volume_id(2)),)
        # what `active` does first; an agent that dies in the middle of work does no more
        await host.storage.prepared._hold(block(host), "work-1", layers, links=None)

    async def after(host: Station) -> None:
        assert active(host) == {1, 9}
        await host.storage.prepared.prepare(block(host), image_id(1))
        await host.storage.prepared.tear_down(block(host), image_id(1))
        assert active(host) == {1, 9}
        assert [holder for _, holder, _ in host.storage.prepared.holders()] == ["vm-1"]
        await host.storage.prepared.tear_down(block(host), image_id(1), holder="vm-1")
        assert active(host) == set()

    run(tmp_path, before)
    run(tmp_path, after)


def test_what_a_dead_agent_was_making_is_not_left_active(tmp_path: Path) -> None:
    """Its task may be undone by another host, which cannot do that."""

    async def before(host: Station) -> None:
        await two_disks_on_a_template(host)
        await host[BLOCK].store.activate(image_id(1), volume_id(1))

    async def after(host: Station) -> None:
        assert active(host) == set()

    run(tmp_path, before)
    run(tmp_path, after)


def test_a_failure_leaves_nothing_active(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await two_disks_on_a_template(host)
        whole = host[BLOCK].store.activate

        async def activate(image: Any, volume: Any, *, writable: bool = True) -> Any:
            if volume == volume_id(1):
                raise NoSuchVolume(BLOCK, image, volume)
            return await whole(image, volume, writable=writable)

        host[BLOCK].store.activate = activate
        with pytest.raises(NoSuchVolume):
            await host.storage.prepared.prepare(block(host), image_id(1))
        assert active(host) == set()
        assert not list(host.storage.prepared.holders())

    run(tmp_path, main)


def test_one_volume_less(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(BLOCK, 1, 1))
        await host.create(wish(BLOCK, 1, 2, parent=1))
        prepared = host.storage.prepared
        await prepared.prepare(block(host), image_id(1))
        await prepared.tear_down_volume(block(host), image_id(1), volume_id(2))
        assert active(host) == {1}
        assert links(host, 1) == [volume_id(1)]
        # a shorter chain is prepared instead of a longer one
        await prepared.prepare(block(host), image_id(1))
        await prepared.prepare(block(host), image_id(1), volume_id(1))
        assert active(host) == {1}
        await prepared.tear_down_volume(block(host), image_id(1), volume_id(1))
        assert active(host) == set()
        assert not list(prepared.holders())

    run(tmp_path, main)


def test_a_file_is_linked_by_its_folder(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        path = await host.storage.prepared.prepare(host[FILE], image_id(1))  # type: ignore[arg-type]
        assert str(path) == str(host[FILE].root / "images" / image_id(1) / volume_id(1))
        link = host.storage.repository.volume_in_use(FILE, image_id(1), volume_id(1))
        assert os.path.samefile(link, path)  # noqa: ASYNC240

    run(tmp_path, main)


def test_holders_are_no_paths(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        with pytest.raises(ValueError, match="no name"):
            await host.storage.prepared.prepare(host[FILE], image_id(1), holder="../x")  # type: ignore[arg-type]

    run(tmp_path, main)
    assert of_image(image_id(1)).startswith("image-")
