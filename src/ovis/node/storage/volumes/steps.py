"""The steps that tasks on volumes are made of (tasks/steps.py says what a step must bear).

Progress is told in percent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ovis.node.storage.errors import NoSuchImage, NoSuchVolume
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeMetadata, VolumeRole
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.tasks.steps import Step, step
from ovis.node.storage.volumes import bitmaps, copying, making, reading
from ovis.node.storage.volumes.errors import HasChildren, UnexpectedState
from ovis.node.storage.volumes.extending import Extend
from ovis.node.storage.volumes.making import NewVolume

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Work
    from ovis.node.storage.volumes.chain import Layer


@step("volume.expect")
@dataclass(frozen=True)
class Expect(Step):
    """Now that nobody else works on it: is the volume still what it was when the task was asked for?"""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    metadata: VolumeMetadata

    @classmethod
    def of(cls, domain: DomainId, layer: Layer) -> Expect:
        return cls(domain, layer.image, layer.id, layer.metadata)

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        found = await domain.store.read(self.image, self.volume)
        for name in ("parent", "capacity", "format", "role", "legality", "generation"):
            wanted, now = getattr(self.metadata, name), getattr(found, name)
            if wanted != now:
                raise UnexpectedState(
                    f"volume {self.volume} of storage domain {self.domain}",
                    f"its {name} was {wanted} and became {now} while the task waited; nothing was done",
                )


@step("volume.share")
@dataclass(frozen=True)
class Share(Step):
    """A template and the image that is to build on it."""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    into: ImageId

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        await domain.store.share(self.image, self.volume, self.into)

    async def undo(self, work: Work) -> None:
        await unshare(work, self)


@step("volume.unshare")
@dataclass(frozen=True)
class Unshare(Step):
    """Of an image that nothing of is left."""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    into: ImageId

    async def do(self, work: Work) -> None:
        await unshare(work, self)


async def unshare(work: Work, link: Share | Unshare) -> None:
    domain = await work.storage.domain(link.domain)
    try:
        image = await reading.image(domain, link.into)
    except NoSuchImage:
        pass
    else:
        if any(layer.metadata.parent == link.volume for layer in image.own):
            return
    await domain.store.unshare(link.image, link.volume, link.into)


@step("volume.begin")
@dataclass(frozen=True)
class Begin(Step):
    """An unfinished volume, with the header of an empty one."""

    domain: DomainId
    volume: NewVolume
    parents_bitmaps: bool = False

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        volume = self.volume
        parent = volume.metadata.parent
        if self.parents_bitmaps and parent is not None:
            layer = await reading.layer(domain, volume.metadata.image, parent)
            async with work.storage.prepared.active(domain, [layer]) as paths:
                more = await bitmaps.to_continue(domain, layer, paths[layer.id])
            volume = replace(volume, bitmaps=(*volume.bitmaps, *more))
        await making.begin(domain, volume)

    async def undo(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        await making.discard(domain, self.volume.metadata.image, self.volume.id)


@step("volume.role")
@dataclass(frozen=True)
class SetRole(Step):
    domain: DomainId
    image: ImageId
    volume: VolumeId
    role: VolumeRole
    before: VolumeRole

    async def do(self, work: Work) -> None:
        await self._set(work, self.role)

    async def undo(self, work: Work) -> None:
        await self._set(work, self.before)

    async def _set(self, work: Work, role: VolumeRole) -> None:
        await set_role(await work.storage.domain(self.domain), self.image, self.volume, role)


async def set_role(domain: Domain, image: ImageId, volume: VolumeId, role: VolumeRole) -> None:
    found = await domain.store.read(image, volume)
    if found.role is not role:
        await domain.store.write(image, volume, replace(found, role=role))


@step("volume.publish")
@dataclass(frozen=True)
class Publish(Step):
    """From here on it is a volume for everybody."""

    domain: DomainId
    image: ImageId
    volume: VolumeId

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        await making.publish(domain, work.storage.prepared, self.image, self.volume)

    async def undo(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        await making.unpublish(domain, self.image, self.volume)


@step("volume.fill")
@dataclass(frozen=True)
class Fill(Step):
    """Copy the data of a volume into another one that is being made, or was made empty (copying.fill)."""

    source: copying.Place
    target: copying.Place

    async def do(self, work: Work) -> None:
        await copying.fill(work.storage, self.source, self.target, on_percent=lambda now: work.progress(now, 100))


@step("volume.legality")
@dataclass(frozen=True)
class SetLegality(Step):
    domain: DomainId
    image: ImageId
    volume: VolumeId
    legality: Legality
    before: Legality | None = None
    """What an undo sets again; None: a volume that cannot be deleted stays marked."""

    async def do(self, work: Work) -> None:
        await self._set(work, self.legality)

    async def undo(self, work: Work) -> None:
        if self.before is not None:
            await self._set(work, self.before)

    async def _set(self, work: Work, legality: Legality) -> None:
        domain = await work.storage.domain(self.domain)
        found = await domain.store.read(self.image, self.volume)
        if found.legality is not legality:
            await domain.store.write(self.image, self.volume, replace(found, legality=legality))


@step("volume.remove")
@dataclass(frozen=True)
class Remove(Step):
    """Of one volume of an image that stays. Its parent is the last one then, if nothing else builds on it."""

    is_final = True

    domain: DomainId
    image: ImageId
    volume: VolumeId
    parent: VolumeId | None
    wipe: bool = False
    discard: bool = False
    force: bool = False

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        found = (await domain.store.volumes(self.image)).get(self.volume)
        if found is not None and found.removal is Removal.NONE:
            await self._mark(work)
        if self.parent is not None:
            await self._uncover(work, self.parent)
        await domain.store.purge(self.image, [self.volume], discard=self.discard)

    async def _mark(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        image = await reading.image(domain, self.image)
        children = image.children(self.volume)
        if children and not self.force:
            raise HasChildren(f"volume {self.volume} of {image}", f"{children[0].id} builds on it")
        await domain.store.deactivate(self.image, self.volume)
        await domain.store.mark_removed(self.image, [self.volume], Removal.WIPE if self.wipe else Removal.DELETE)

    async def _uncover(self, work: Work, parent: VolumeId) -> None:
        domain = await work.storage.domain(self.domain)
        try:
            image = await reading.image(domain, self.image)
            found = image.layers.get(parent)
        except (NoSuchImage, NoSuchVolume):
            return
        if found is None or found.image != self.image or found.is_template or image.children(parent):
            return
        await set_role(domain, self.image, parent, VolumeRole.LEAF)


ELSEWHERE = (Extend,)
"""Steps that stand beside their work and are found through this module."""
