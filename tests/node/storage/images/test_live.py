from __future__ import annotations

from pathlib import Path

import pytest
from volume_station import BLOCK, FILE, Station, deaths, image_id, run, volume_id, wish

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.images import deleting, live
from ovis.node.storage.volumes import deleting as volume_deleting
from ovis.node.storage.volumes import reading
from ovis.node.storage.volumes.errors import BrokenChain, IllegalVolume

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])


async def chain_of_four(host: Station, domain: DomainId) -> None:
    await host.create(wish(domain, 1, 1))
    for number in (2, 3, 4):
        await host.create(wish(domain, 1, number, parent=number - 1))


async def merged(host: Station, domain: DomainId, *, base: int, top: int, is_active: bool = False) -> None:
    for _ in range(2):  # safe to repeat
        await live.merged(
            host[domain], image_id(1), base=volume_id(base), top=volume_id(top), is_active=is_active, by_spm=False
        )


async def chain(host: Station, domain: DomainId) -> list[str]:
    image = await reading.image(host[domain], image_id(1))
    found = image.chain()
    image.require_legal(found)
    assert found[-1].metadata.role is VolumeRole.LEAF
    return [layer.id for layer in found]


@BOTH
def test_inner_layers_leave_the_chain(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await chain_of_four(host, domain)
        await merged(host, domain, base=1, top=3)
        assert await chain(host, domain) == [volume_id(1), volume_id(4)]
        for gone in (2, 3):
            assert (await host.metadata(domain, 1, gone)).legality is Legality.ILLEGAL
        await host.done(await volume_deleting.plan(host[domain], image_id(1), [volume_id(3), volume_id(2)]))
        await merged(host, domain, base=1, top=3)  # after the SPM has deleted them
        assert await chain(host, domain) == [volume_id(1), volume_id(4)]

    run(tmp_path, main)


@BOTH
def test_base_is_the_last_one_once_the_layer_in_use_is_merged(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await chain_of_four(host, domain)
        await merged(host, domain, base=2, top=4, is_active=True)
        assert await chain(host, domain) == [volume_id(1), volume_id(2)]
        await host.done(await deleting.plan(host[domain], image_id(1)))
        assert not await host[domain].store.volumes()

    run(tmp_path, main)


def test_another_branch_stays_as_it_is(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await chain_of_four(host, FILE)
        await merged(host, FILE, base=1, top=2)
        assert await chain(host, FILE) == [volume_id(1), volume_id(3), volume_id(4)]
        assert (await host.metadata(FILE, 1, 4)).legality is Legality.LEGAL

    run(tmp_path, main)


def test_killed_at_any_moment_no_vm_starts_until_it_is_told_again(tmp_path: Path) -> None:
    async def tell(host: Station) -> None:
        await merged(host, FILE, base=1, top=3)

    async def look(host: Station) -> list[str]:
        try:
            return await chain(host, FILE)
        except (BrokenChain, IllegalVolume):
            return []

    async def again(host: Station) -> list[str]:
        await tell(host)
        return await chain(host, FILE)

    before = [volume_id(number) for number in (1, 2, 3, 4)]
    after = [volume_id(1), volume_id(4)]
    found = []
    for place, _ in deaths(tmp_path, lambda host: chain_of_four(host, FILE), tell):
        found.append(run(place, look))
        assert run(place, again) == after
    assert (found[0], [] in found, found[-1]) == (before, True, after)
    assert all(one in (before, [], after) for one in found)
