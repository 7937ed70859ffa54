from dataclasses import replace
from pathlib import Path

import pytest
from volume_station import BLOCK, FILE, Station, every_death, image_id, run, volume_id, wish

from ovis.node.storage.errors import NoSuchImage, NoSuchVolume
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.volumes import deleting
from ovis.node.storage.volumes.errors import HasChildren, SharedInUse

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])


async def chain(host: Station, domain: DomainId, *, length: int = 3) -> None:
    await host.create(wish(domain, 1, 1))
    for number in range(2, length + 1):
        await host.create(wish(domain, 1, number, parent=number - 1))


async def delete(host: Station, domain: DomainId, *volumes: int, **given: bool) -> None:
    ids = [volume_id(number) for number in volumes]
    await host.done(await deleting.plan(host[domain], image_id(1), ids, **given))  # type: ignore[arg-type]


@BOTH
def test_the_parent_of_a_deleted_leaf_is_the_leaf(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await chain(host, domain)
        await delete(host, domain, 3)
        assert set(await host[domain].store.volumes(image_id(1))) == {volume_id(1), volume_id(2)}
        assert (await host.metadata(domain, 1, 2)).role is VolumeRole.LEAF
        await delete(host, domain, 2, 1)
        assert not await host[domain].store.volumes(image_id(1))

    run(tmp_path, main)


def test_what_others_build_on_stays(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await chain(host, FILE)
        store = host[FILE].store
        with pytest.raises(HasChildren):
            await delete(host, FILE, 2)
        with pytest.raises(NoSuchVolume):
            await delete(host, FILE, 9)
        await host.create(wish(FILE, 2, 5))
        await store.write(image_id(2), volume_id(5), replace(await host.metadata(FILE, 2, 5), role=VolumeRole.SHARED))
        await host.create(wish(FILE, 3, 6, parent=(2, 5)))
        with pytest.raises(SharedInUse):
            await deleting.plan(host[FILE], image_id(2), [volume_id(5)])  # type: ignore[arg-type]

    run(tmp_path, main)


def test_with_the_last_volume_the_link_to_the_template_goes(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        store = host[FILE].store
        await host.create(wish(FILE, 2, 5))
        await store.write(image_id(2), volume_id(5), replace(await host.metadata(FILE, 2, 5), role=VolumeRole.SHARED))
        await host.create(wish(FILE, 1, 6, parent=(2, 5)))
        assert (host[FILE].root / "images" / image_id(1) / volume_id(5)).exists()
        await delete(host, FILE, 6)
        assert not (host[FILE].root / "images" / image_id(1)).exists()
        assert (host[FILE].root / "images" / image_id(2) / volume_id(5)).exists()
        with pytest.raises(NoSuchImage):
            await delete(host, FILE, 6)

    run(tmp_path, main)


def test_a_volume_that_holds_secrets_is_wiped(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await chain(host, BLOCK, length=2)
        await delete(host, BLOCK, 2, wipe=True)
        assert host[BLOCK].store.wiped == [volume_id(2)]

    run(tmp_path, main)


@BOTH
def test_killed_at_any_moment_it_is_gone_or_stays_marked_illegal(tmp_path: Path, domain: DomainId) -> None:
    def is_marked(before: dict[str, str], now: dict[str, str]) -> bool:
        name = f"{domain}/{volume_id(3)}"
        return now == before | {name: before[name].replace("LEGALITY=LEGAL", f"LEGALITY={Legality.ILLEGAL.value}")}

    done = every_death(tmp_path, lambda host: chain(host, domain), lambda host: delete(host, domain, 3), also=is_marked)
    assert done == sorted(done)
