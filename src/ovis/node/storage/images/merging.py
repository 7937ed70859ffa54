"""A cold merge: the data of a volume go down into its parent, and its children build on that from then on.

    before      base ◄── top ◄── child              prepareMerge (SPM)   room in base; base ILLEGAL
    meanwhile   base + data of top                  SDM.merge (any host) qemu-img commit, under base's lease
    after       base ◄──────── child,   top aside   finalizeMerge (SPM)  child relinked; base LEGAL again; top ILLEGAL
                                                    deleteVolumes        top goes

While base is ILLEGAL no VM starts on the chain. After a crash in the middle of the data, the chain through top still
reads right: commit only writes into base what top hides; so the merge is done again. The same holds for relinking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.images import merge_steps
from ovis.node.storage.leases.errors import GenerationMismatch
from ovis.node.storage.volumes import bitmaps, qemu_img, reading, steps
from ovis.node.storage.volumes.errors import MergeFailed, QemuImgFailed, UnexpectedState, WrongParent
from ovis.node.storage.volumes.plan import Plan
from ovis.node.storage.volumes.qemu_img import Disk, OnPercent

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.tasks.steps import Step
    from ovis.node.storage.volumes.chain import Image, Layer


@dataclass(frozen=True)
class Subchain:
    """Two neighbours. `base_generation`: what the base must have; None: anything."""

    domain: DomainId
    image: ImageId
    base: VolumeId
    top: VolumeId
    base_generation: int | None = None

    def __str__(self) -> str:
        return f"merge of {self.top} into {self.base}, image {self.image} on storage domain {self.domain}"


async def plan_prepare(domain: Domain, subchain: Subchain) -> Plan:
    """Raises NotInChain, WrongParent, GenerationMismatch, UnexpectedState."""
    image, base, top = await read(domain, subchain)
    image.require_legal(image.chain(top.id)[:-2])
    planned: list[Step] = [steps.Expect.of(domain.id, base), steps.Expect.of(domain.id, top)]
    planned.append(merge_steps.MakeRoom(domain.id, image.id, base.id, top.id))
    planned.append(steps.SetLegality(domain.id, image.id, base.id, Legality.ILLEGAL, before=base.metadata.legality))
    return Plan(tuple(planned), (claims.image(domain.id, image.id),))


async def merge(
    storage: Storage, domain: Domain, subchain: Subchain, *, with_bitmaps: bool, on_percent: OnPercent
) -> None:
    """The data. Who calls holds the base's lease. Safe to repeat. Raises MergeFailed, MergeBitmapFailed, NoSpace."""
    image, base, top = await read(domain, subchain)
    if base.is_legal:
        raise UnexpectedState(str(subchain), "it was not prepared: the base is still marked LEGAL")
    async with storage.prepared.active(domain, image.chain(top.id)) as paths:
        try:
            await qemu_img.on(domain).commit(Disk(paths[top.id], top.qemu_format), on_percent=on_percent)
        except QemuImgFailed as error:
            raise MergeFailed(str(subchain), f"the chain is as it was, but for data in the base: {error}") from error
        if with_bitmaps:
            await bitmaps.merge(domain, (top, paths[top.id]), (base, paths[base.id]))


async def plan_finalize(domain: Domain, subchain: Subchain) -> Plan:
    """Raises NotInChain, WrongParent, GenerationMismatch, UnexpectedState."""
    image, base, top = await read(domain, subchain)
    if base.is_legal:
        raise UnexpectedState(str(subchain), "nothing was merged: the base is marked LEGAL")
    planned: list[Step] = [steps.Expect.of(domain.id, base), steps.Expect.of(domain.id, top)]
    planned += [merge_steps.Relink(domain.id, image.id, child.id, base.id, top.id) for child in image.children(top.id)]
    planned.append(merge_steps.Finish(domain.id, image.id, base.id, top.id))
    return Plan(tuple(planned), (claims.image(domain.id, image.id),))


async def plan_reduce(domain: Domain, image_id: ImageId, volume: VolumeId, *, allow_active: bool) -> Plan:
    """Raises NoSuchVolume."""
    await reading.layer(domain, image_id, volume)
    planned = (merge_steps.Reduce(domain.id, image_id, volume, allow_active=allow_active),)
    return Plan(planned, (claims.image(domain.id, image_id),))


async def read(domain: Domain, subchain: Subchain) -> tuple[Image, Layer, Layer]:
    """Raises NotInChain, WrongParent, GenerationMismatch, UnexpectedState."""
    image = await reading.image(domain, subchain.image)
    base, top = image.layer(subchain.base), image.layer(subchain.top)
    if top.metadata.parent != base.id:
        raise WrongParent(str(subchain), f"the parent of {top.id} is {top.metadata.parent}")
    if base.image != image.id or base.metadata.role is VolumeRole.SHARED:
        raise UnexpectedState(str(subchain), "the base is a template, into which nothing is written")
    wanted, found = subchain.base_generation, base.metadata.generation
    if wanted is not None and wanted != found:
        raise GenerationMismatch(str(subchain), wanted=wanted, found=found)
    return image, base, top
