"""Copying the data of one volume into another one, on the same or another domain."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.volumes import qemu_img, reading
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.errors import CopyFailed, QemuImgFailed
from ovis.node.storage.volumes.making import NewVolume, write_header
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage


@dataclass(frozen=True)
class Place:
    domain: DomainId
    image: ImageId
    volume: VolumeId

    def __str__(self) -> str:
        return f"volume {self.volume} of image {self.image} on storage domain {self.domain}"


async def fill(
    storage: Storage,
    source: Place,
    target: Place,
    *,
    is_layer: bool,
    bitmaps: bool = False,
    on_percent: Callable[[int], None],
) -> None:
    """Replace the content of `target`, finished or not, by what `source` shows; `is_layer`: by what it holds itself.

    Safe to repeat: the target is made empty first. Raises CopyFailed, NoSpace; the target's content is of no use then.
    """
    source_domain = await storage.domain(source.domain)
    target_domain = await storage.domain(target.domain)
    chain = (await reading.image(source_domain, source.image)).chain(source.volume)
    wanted = await reading.any_layer(target_domain, target.image, target.volume)
    below = await _below(target_domain, wanted)
    async with AsyncExitStack() as held:
        sources = await held.enter_async_context(storage.prepared.active(source_domain, chain))
        targets = await held.enter_async_context(storage.prepared.active(target_domain, [*below, wanted]))
        disk = Disk(targets[wanted.id], wanted.qemu_format)
        program = qemu_img.on(target_domain, source_domain)
        try:
            if wanted.qemu_format == qemu_img.QCOW2:
                parent = below[-1] if below else None
                fresh = NewVolume(wanted.id, wanted.metadata, 0, False, parent.qemu_format if parent else None)
                await write_header(target_domain, fresh, disk)
            above = Disk(targets[below[-1].id], below[-1].qemu_format) if is_layer and below else None
            await program.convert(
                Disk(sources[source.volume], chain[-1].qemu_format), disk, above=above, bitmaps=bitmaps,
                on_percent=on_percent,
            )  # fmt: skip
        except QemuImgFailed as error:
            raise CopyFailed(str(source), f"was not copied to {target}: {error}") from error


async def _below(domain: Domain, layer: Layer) -> tuple[Layer, ...]:
    """The chain under a volume that may not be finished yet."""
    if layer.metadata.parent is None:
        return ()
    image = await reading.image(domain, layer.metadata.image)
    return image.chain(layer.metadata.parent)
