"""Copying the data of one volume into another one, on the same or another domain."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.volumes import qemu_img, reading, sizes
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
    bitmaps: bool = False,
    on_percent: Callable[[int], None],
) -> None:
    """Replace the content of `target`, finished or not, by what `source` shows.

    A target that has a parent gets what `source` holds itself, and its parent must have got what is below that.
    Safe to repeat: the target is made empty first. Raises CopyFailed, NoSpace; the target's content is of no use then.
    """
    source_domain = await storage.domain(source.domain)
    target_domain = await storage.domain(target.domain)
    chain = (await reading.image(source_domain, source.image)).chain(source.volume)
    wanted = await reading.any_layer(target_domain, target.image, target.volume)
    below = await reading.below(target_domain, target.image, wanted.metadata.parent)
    async with AsyncExitStack() as held:
        sources = await held.enter_async_context(storage.prepared.active(source_domain, chain))
        top = Disk(sources[source.volume], chain[-1].qemu_format)
        await _make_room(target_domain, wanted, top)
        targets = await held.enter_async_context(storage.prepared.active(target_domain, [*below, wanted]))
        parent = Disk(targets[below[-1].id], below[-1].qemu_format) if below else None
        disk = Disk(targets[wanted.id], wanted.qemu_format)
        is_qcow2 = disk.format == qemu_img.QCOW2
        try:
            if is_qcow2:
                fresh = NewVolume(wanted.id, wanted.metadata, 0, False, parent.format if parent else None)
                await write_header(target_domain, fresh, disk)
            await qemu_img.on(target_domain).convert(
                top,
                disk,
                above=parent,
                target_is_zero=disk.format == qemu_img.QCOW2
                or (wanted.stored.is_unfinished and not target_domain.is_block),
                bitmaps=bitmaps,
                on_percent=on_percent,
            )
        except QemuImgFailed as error:
            raise CopyFailed(str(source), f"was not copied to {target}: {error}") from error


async def _make_room(domain: Domain, target: Layer, source: Disk) -> None:
    """A qcow2 volume on block storage does not grow by itself."""
    if not domain.is_block or target.qemu_format != qemu_img.QCOW2:
        return
    view = () if target.metadata.parent is None else (source,)
    measured = await qemu_img.on(domain).measure(source, qemu_img.QCOW2, view=view)
    wanted = min(sizes.with_tables(measured.required + measured.bitmaps), sizes.largest(target.metadata.capacity))
    if target.stored.size < wanted:
        await domain.store.resize(target.image, target.id, wanted)
