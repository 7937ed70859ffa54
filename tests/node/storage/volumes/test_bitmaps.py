from pathlib import Path
from typing import Any

from volume_station import FILE, Station, image_id, qemu_img, run, volume_id, wish

from ovis.node.storage.volumes import bitmaps, reading


async def layers(host: Station) -> list[tuple[Any, Any]]:
    """Base and top with their paths."""
    domain: Any = host[FILE]
    found = [await reading.layer(domain, image_id(1), volume_id(number)) for number in (1, 2)]
    return [(layer, domain.paths.volume(image_id(1), layer.id)) for layer in found]


async def names(host: Station, layer: tuple[Any, Any]) -> list[str]:
    return sorted(found.name for found in await bitmaps.of(host[FILE], *layer))  # type: ignore[arg-type]


def test_a_checkpoint_that_a_layer_has_missed_is_worth_nothing(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1, bitmap="missed"))
        await host.create(wish(FILE, 1, 2, parent=1, bitmap="new"))
        base, top = await layers(host)
        await bitmaps.merge(host[FILE], top, base)  # type: ignore[arg-type]
        assert await names(host, base) == ["new"]
        assert await names(host, top) == ["new"]
        await bitmaps.merge(host[FILE], top, base)  # type: ignore[arg-type]
        assert await names(host, base) == ["new"]

    run(tmp_path, main)


def test_one_that_does_not_record_is_not_gone_on_with(tmp_path: Path) -> None:
    async def main(host: Station) -> None:
        await host.create(wish(FILE, 1, 1, bitmap="stopped"))
        await host.create(wish(FILE, 1, 2, parent=1))
        base, top = await layers(host)
        qemu_img("bitmap", "--disable", "-f", "qcow2", str(base[1]), "stopped")
        assert await bitmaps.to_continue(host[FILE], *base) == ()  # type: ignore[arg-type]
        await bitmaps.merge(host[FILE], top, base)  # type: ignore[arg-type]
        assert await names(host, base) == []

    run(tmp_path, main)
