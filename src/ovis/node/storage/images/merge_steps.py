"""The steps of a cold merge (merging.py shows the whole of it)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeFormat, VolumeRole
from ovis.node.storage.tasks.steps import Step, step
from ovis.node.storage.volumes import qemu_img, reading, sizes
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.tasks.steps import Work


@step("merge.make_room")
@dataclass(frozen=True)
class MakeRoom(Step):
    """Let the base take what top holds. A container that is too large does no harm: nothing is undone."""

    domain: DomainId
    image: ImageId
    base: VolumeId
    top: VolumeId

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        if not domain.is_block:
            return  # files grow as they are written
        image = await reading.image(domain, self.image)
        base, top = image.layer(self.base), image.layer(self.top)
        wanted = top.metadata.capacity
        if base.metadata.format is VolumeFormat.COW:
            async with work.storage.prepared.active(domain, image.chain(top.id)) as paths:
                view = [Disk(paths[top.id], top.qemu_format), Disk(paths[base.id], base.qemu_format)]
                measured = await qemu_img.on(domain).measure(view[0], qemu_img.QCOW2, view=view)
            needed = sizes.with_tables(measured.required + measured.bitmaps)
            if top.metadata.role is VolumeRole.LEAF:
                needed += sizes.GROWTH_STEP  # it is going to be written
            wanted = min(needed, sizes.largest(top.metadata.capacity))
        if base.stored.size < wanted:
            await domain.store.resize(self.image, self.base, wanted)


@step("merge.relink")
@dataclass(frozen=True)
class Relink(Step):
    """A child of top builds on the base from now on. Either is right as long as both hold the data of top."""

    domain: DomainId
    image: ImageId
    child: VolumeId
    base: VolumeId
    top: VolumeId

    async def do(self, work: Work) -> None:
        await self._relink(work, self.base)

    async def undo(self, work: Work) -> None:
        await self._relink(work, self.top)

    async def _relink(self, work: Work, parent: VolumeId) -> None:
        domain = await work.storage.domain(self.domain)
        child = await reading.layer(domain, self.image, self.child)
        below = await reading.layer(domain, self.image, parent)
        async with work.storage.prepared.active(domain, [child]) as paths:
            disk = Disk(paths[child.id], child.qemu_format)
            await qemu_img.on(domain).rebase(disk, parent, below.qemu_format)
        await domain.store.write(self.image, child.id, replace(child.metadata, parent=parent))


@step("merge.finish")
@dataclass(frozen=True)
class Finish(Step):
    """The base takes the place of top, which belongs to nothing any more. Top goes first: when storage fails in
    between, the base is still ILLEGAL, so no VM starts, and the merge can be finalized once more."""

    is_final = True

    domain: DomainId
    image: ImageId
    base: VolumeId
    top: VolumeId

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        image = await reading.image(domain, self.image)
        top, base = image.layer(self.top).metadata, image.layer(self.base).metadata
        aside = replace(top, legality=Legality.ILLEGAL, role=VolumeRole.INTERNAL)
        if aside != top:
            await domain.store.write(self.image, self.top, aside)
        is_last = all(child.id == self.top for child in image.children(self.base))
        role = VolumeRole.LEAF if is_last else base.role
        finished = replace(base, legality=Legality.LEGAL, role=role, capacity=max(base.capacity, top.capacity))
        if finished != base:
            await domain.store.write(self.image, self.base, finished)


@step("merge.reduce")
@dataclass(frozen=True)
class Reduce(Step):
    """Give back what a qcow2 volume on block storage does not use. `allow_active`: also when somebody reads it here."""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    allow_active: bool = False

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        layer = await reading.layer(domain, self.image, self.volume)
        if not domain.is_block or layer.metadata.format is VolumeFormat.RAW:
            return
        is_leaf = layer.metadata.role is VolumeRole.LEAF
        if work.storage.prepared.is_prepared(domain.id, layer.id) and (is_leaf or not self.allow_active):
            return  # a writer may take the very space that would be cut off
        async with work.storage.prepared.active(domain, [layer]) as paths:
            checked = await qemu_img.on(domain).check(Disk(paths[layer.id], layer.qemu_format))
        if checked.image_end_offset is None or checked.corruptions:
            return
        wanted = checked.image_end_offset + (sizes.GROWTH_STEP if is_leaf else 0)
        wanted = min(wanted, sizes.largest(layer.metadata.capacity))
        if wanted < layer.stored.size:
            await domain.store.resize(self.image, layer.id, wanted)
