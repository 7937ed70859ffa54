from dataclasses import replace
from pathlib import Path

import pytest
from volume_station import BLOCK, FILE, Station, every_death, image_id, run, volume_id, wish

from ovis.node.storage.errors import NoSuchImage
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.volume_metadata import VolumeRole
from ovis.node.storage.images import deleting
from ovis.node.storage.volumes.errors import SharedInUse

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])


async def made(host: Station, domain: DomainId) -> None:
    await host.create(wish(domain, 1, 1))
    await host.create(wish(domain, 1, 2, parent=1))


async def delete(host: Station, domain: DomainId, image: int = 1, **given: bool) -> None:
    await host.done(await deleting.plan(host[domain], image_id(image), **given))  # type: ignore[arg-type]


@BOTH
def test_killed_at_any_moment_the_image_is_whole_or_gone(tmp_path: Path, domain: DomainId) -> None:
    done = every_death(tmp_path, lambda host: made(host, domain), lambda host: delete(host, domain))
    # once the task is on storage it ends, whatever dies
    assert all(done)


def test_a_prepared_image_leaves_no_links(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await made(host, BLOCK)
        await host.storage.prepared.prepare(host[BLOCK], image_id(1))  # type: ignore[arg-type]
        await delete(host, BLOCK, wipe=True)
        assert sorted(host[BLOCK].store.wiped) == [volume_id(1), volume_id(2)]
        assert not list((tmp_path / "run/vdsm").iterdir())
        with pytest.raises(NoSuchImage):
            await delete(host, BLOCK)

    run(tmp_path, main)


@BOTH
def test_a_template_in_use_stays(tmp_path: Path, domain: DomainId) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(domain, 1, 1))
        base = await host.metadata(domain, 1, 1)
        await host[domain].store.write(image_id(1), volume_id(1), replace(base, role=VolumeRole.SHARED))
        await host.create(wish(domain, 2, 2, parent=(1, 1)))
        with pytest.raises(SharedInUse):
            await delete(host, domain)
        await delete(host, domain, image=2)
        await delete(host, domain)
        assert not await host[domain].store.volumes()

    run(tmp_path, main)
