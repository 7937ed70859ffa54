"""Raising the size that a guest sees, of a disk that no VM uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeRole
from ovis.node.storage.tasks.steps import Step, step
from ovis.node.storage.volumes import qemu_img, reading, sizes
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.errors import CannotShrink, NotWritable
from ovis.node.storage.volumes.plan import Plan
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Work
    from ovis.node.storage.volumes.prepared import Prepared


@step("volume.extend")
@dataclass(frozen=True)
class Extend(Step):
    """Growing is safe to repeat, and a container that is too large does no harm: nothing is undone."""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    capacity: int

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        await extend(work.storage.prepared, domain, self.image, self.volume, self.capacity)


async def plan(domain: Domain, image: ImageId, volume: VolumeId, capacity: int) -> Plan:
    """Raises NoSuchVolume, CannotShrink, NotWritable."""
    layer = await reading.layer(domain, image, volume)
    check(domain, layer, sizes.rounded(capacity, domain.lockspace.geometry.block_size))
    return Plan((Extend(domain.id, image, volume, capacity),), (claims.image(domain.id, image),))


def check(domain: Domain, layer: Layer, capacity: int) -> None:
    """Raises CannotShrink, NotWritable."""
    subject = f"volume {layer.id} of storage domain {domain.id}"
    if not layer.metadata.capacity <= capacity <= sizes.LARGEST:
        raise CannotShrink(subject, f"has {layer.metadata.capacity} bytes and cannot have {capacity}")
    if layer.metadata.role is not VolumeRole.LEAF:
        raise NotWritable(subject, f"is {layer.metadata.role.value}: only the last volume of a disk can grow")
    if not layer.is_legal:
        raise NotWritable(subject, f"is marked {layer.metadata.legality.value}")


async def extend(prepared: Prepared, domain: Domain, image: ImageId, volume: VolumeId, capacity: int) -> None:
    """Safe to repeat. The metadata follow last: they never promise more than there is."""
    layer = await reading.layer(domain, image, volume)
    capacity = sizes.rounded(capacity, domain.lockspace.geometry.block_size)
    check(domain, layer, capacity)
    is_raw = layer.metadata.format is VolumeFormat.RAW
    is_preallocated = layer.metadata.allocation is Allocation.PREALLOCATED
    if domain.is_block and (is_raw or is_preallocated):
        wanted = capacity if is_raw else sizes.largest(capacity)
        if layer.stored.size < wanted:
            await domain.store.resize(image, volume, wanted)
    if not (domain.is_block and is_raw):
        async with prepared.active(domain, [layer]) as paths:
            disk = Disk(paths[volume], layer.qemu_format)
            program = qemu_img.on(domain)
            if (await program.info(disk)).virtual_size < capacity:
                await program.resize(disk, capacity, preallocate=is_preallocated and not domain.is_block)
    if layer.metadata.capacity != capacity:
        await domain.store.write(image, volume, replace(await domain.store.read(image, volume), capacity=capacity))
