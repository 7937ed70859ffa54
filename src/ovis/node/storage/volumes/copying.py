"""Copying the data of one volume into another one, on the same or another domain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.volumes import qemu_img, reading, sizes
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.errors import CopyFailed, QemuImgFailed
from ovis.node.storage.volumes.making import NewVolume, write_header
from ovis.node.storage.volumes.qemu_img import Disk, OnPercent

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
    on_percent: OnPercent,
) -> None:
    """Replace the content of `target`, finished or not, by what `source` shows.

    A target that has a parent gets what `source` holds itself, and its parent must have got what is below that.
    Safe to repeat: the target is made empty first. Raises CopyFailed, NoSpace; the target's content is of no use then.
    """
    async with _shown(storage, source) as disk:
        await fill_from(storage, disk, target, bitmaps=bitmaps, on_percent=on_percent)


async def fill_from(
    storage: Storage, source: Disk, target: Place, *, bitmaps: bool = False, on_percent: OnPercent
) -> None:
    """As `fill`, from anywhere."""
    domain = await storage.domain(target.domain)
    wanted = await reading.any_layer(domain, target.image, target.volume)
    below = await reading.below(domain, target.image, wanted.metadata.parent)
    try:
        await _make_room(domain, wanted, source)
        async with storage.prepared.active(domain, [*below, wanted]) as paths:
            parent = Disk(paths[below[-1].id], below[-1].qemu_format) if below else None
            disk = Disk(paths[wanted.id], wanted.qemu_format)
            is_qcow2 = disk.format == qemu_img.QCOW2
            if is_qcow2:
                fresh = NewVolume(wanted.id, wanted.metadata, 0, False, parent.format if parent else None)
                await write_header(domain, fresh, disk)
            await qemu_img.on(domain).convert(
                source,
                disk,
                above=parent,
                target_is_zero=is_qcow2 or (wanted.stored.is_unfinished and not domain.is_block),
                bitmaps=bitmaps,
                on_percent=on_percent,
            )
    except QemuImgFailed as error:
        raise CopyFailed(str(target), f"was not filled from {source.path}: {error}") from error


async def pour_out(
    storage: Storage, source: Place, target: Disk, *, create: bool, is_zero: bool, bitmaps: bool, on_percent: OnPercent
) -> None:
    """Copy what `source` shows to somewhere outside. Raises CopyFailed."""
    domain = await storage.domain(source.domain)
    async with _shown(storage, source) as disk:
        try:
            await qemu_img.on(domain).convert(
                disk, target, create=create, target_is_zero=is_zero, bitmaps=bitmaps, on_percent=on_percent
            )
        except QemuImgFailed as error:
            raise CopyFailed(str(source), f"was not copied to {target.path}: {error}") from error


@asynccontextmanager
async def _shown(storage: Storage, source: Place) -> AsyncIterator[Disk]:
    domain = await storage.domain(source.domain)
    chain = (await reading.image(domain, source.image)).chain(source.volume)
    async with storage.prepared.active(domain, chain) as paths:
        yield Disk(paths[source.volume], chain[-1].qemu_format)


async def _make_room(domain: Domain, target: Layer, source: Disk) -> None:
    """A qcow2 volume on block storage does not grow by itself."""
    if not domain.is_block or target.qemu_format != qemu_img.QCOW2:
        return
    view = () if target.metadata.parent is None else (source,)
    measured = await qemu_img.on(domain).measure(source, qemu_img.QCOW2, view=view)
    wanted = min(sizes.with_tables(measured.required + measured.bitmaps), sizes.largest(target.metadata.capacity))
    if target.stored.size < wanted:
        await domain.store.resize(target.image, target.id, wanted)
