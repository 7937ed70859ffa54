from pathlib import Path

import pytest
from volume_station import BLOCK, FILE, FULL, MIB, RAW, Station, every_death, image_id, run, state, volume_id, wish

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.volumes import extending, image_info, qemu_img
from ovis.node.storage.volumes.errors import CannotShrink, NotWritable
from ovis.node.storage.volumes.qemu_img import Disk

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])
KINDS = pytest.mark.parametrize(
    "kind", [{}, {"format": RAW, "allocation": FULL, "capacity": 8 * MIB}], ids=["qcow2", "raw"]
)
LARGE = 96 * MIB


async def extend(host: Station, domain: DomainId, capacity: int = LARGE) -> None:
    await host.done(await extending.plan(host[domain], image_id(1), volume_id(1), capacity))  # type: ignore[arg-type]


async def seen(host: Station, domain: DomainId) -> image_info.ImageInfo:
    """By a guest."""
    metadata = await host.metadata(domain, 1, 1)
    form = qemu_img.RAW if metadata.format is RAW else qemu_img.QCOW2
    path = await host.path(domain, 1, 1)
    found = await qemu_img.QemuImg().info(Disk(path, form))  # type: ignore[arg-type]
    await host[domain].store.deactivate(image_id(1), volume_id(1))
    return found


@BOTH
@KINDS
def test_killed_at_any_moment_no_more_is_promised_than_there_is(
    tmp_path: Path, domain: DomainId, kind: dict[str, object]
) -> None:
    done = every_death(
        tmp_path, lambda host: host.create(wish(domain, 1, 1, **kind)), lambda host: extend(host, domain)
    )
    assert done == sorted(done)

    async def look(host: Station) -> None:
        promised = (await host.metadata(domain, 1, 1)).capacity
        assert (await seen(host, domain)).virtual_size >= promised
        await extend(host, domain)
        assert (await host.metadata(domain, 1, 1)).capacity == LARGE
        assert (await seen(host, domain)).virtual_size >= LARGE

    for number in range(len(done)):
        run(tmp_path / str(number), look)


def test_without_room_it_stays_as_it_was(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(BLOCK, 1, 1, format=RAW, allocation=FULL, capacity=8 * MIB))
        before = await state(host)
        host[BLOCK].store.room = 16 * MIB
        await host.failed(await extending.plan(host[BLOCK], image_id(1), volume_id(1), LARGE))  # type: ignore[arg-type]
        assert await state(host) == before

    run(tmp_path, main)


def test_only_the_last_volume_grows_and_none_shrinks(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1))
        with pytest.raises(CannotShrink):
            await extend(host, FILE, MIB)
        await host.create(wish(FILE, 1, 2, parent=1))
        with pytest.raises(NotWritable):
            await extend(host, FILE)

    run(tmp_path, main)
