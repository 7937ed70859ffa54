"""Making one volume: container, metadata, lease, header; then it is published. Each function may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.leases.interface import Resource
from ovis.node.storage.volumes import qemu_img
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.volumes.prepared import Prepared


@dataclass(frozen=True)
class NewBitmap:
    """`granularity` in bytes; None: qemu-img's own."""

    name: str
    granularity: int | None = None


@dataclass(frozen=True)
class NewVolume:
    """All that one volume is made from; bytes. `backing_format`: of the parent, as qemu names it."""

    id: VolumeId
    metadata: VolumeMetadata
    size: int
    allocate: bool
    backing_format: str | None = None
    bitmaps: Sequence[NewBitmap] = ()


def compat(version: int) -> str:
    """Of qcow2 volumes on a domain of this version; hosts that know version 3 only may read nothing newer."""
    return "0.10" if version < 4 else "1.1"


async def begin(domain: Domain, volume: NewVolume) -> None:
    """An unfinished volume, empty. Raises VolumeExists, NoSpace, QemuImgFailed, LeaseError."""
    metadata = volume.metadata
    await discard(domain, metadata.image, volume.id)  # what an earlier try left
    path = await domain.store.begin(metadata.image, volume.id, metadata, size=volume.size, allocate=volume.allocate)
    await domain.locks.format_resource(await lease(domain, metadata.image, volume.id))
    if metadata.format is VolumeFormat.COW:
        await write_header(domain, volume, Disk(path, qemu_img.QCOW2))


async def write_header(domain: Domain, volume: NewVolume, target: Disk) -> None:
    """An empty qcow2 image over whatever is there."""
    metadata = volume.metadata
    program = qemu_img.on(domain)
    await program.create(
        target,
        metadata.capacity,
        compat=compat(domain.version),
        backing=metadata.parent,
        backing_format=volume.backing_format,
        # Where there is a parent, allocated clusters would hide it.
        preallocate=metadata.allocation is Allocation.PREALLOCATED and not domain.is_block and not metadata.parent,
    )
    for bitmap in volume.bitmaps:
        await program.add_bitmap(target, bitmap.name, granularity=bitmap.granularity)


async def discard(domain: Domain, image: ImageId, volume: VolumeId) -> None:
    """Remove an unfinished volume; a published one is left alone."""
    found = (await domain.store.volumes(image)).get(volume)
    if found is None or found.is_unfinished:
        await domain.store.discard(image, volume)


async def publish(domain: Domain, prepared: Prepared, image: ImageId, volume: VolumeId) -> None:
    await domain.store.publish(image, volume)
    if not prepared.is_prepared(domain.id, volume):
        await domain.store.deactivate(image, volume)


async def unpublish(domain: Domain, image: ImageId, volume: VolumeId) -> None:
    """Take a volume away that was just made, published or not."""
    found = (await domain.store.volumes(image)).get(volume)
    if found is None:
        return
    if found.is_unfinished:
        await domain.store.discard(image, volume)
        return
    if found.removal is Removal.NONE:
        await domain.store.deactivate(image, volume)
        await domain.store.mark_removed(image, [volume], Removal.DELETE)
    await domain.store.purge(image, [volume])


async def lease(domain: Domain, image: ImageId, volume: VolumeId) -> Resource:
    """The lease of the volume. Raises NoSuchVolume."""
    return Resource(domain.lockspace, volume, await domain.store.lease(image, volume))
