"""An image on another domain: move, copy, its structure alone, its data alone, or flattened into one volume.

    Image.move, copy      for each layer from the base up:  begin ─> fill ─> publish;   move: then the source is deleted
    cloneStructure        for each layer:                   begin ─> publish
    syncData              for the layers that are wanted:   mark ILLEGAL ─> fill ─> mark as in the source
    Volume.copy           one layer for all:                begin ─> fill ─> publish

An image keeps its ids. A base that is a template must be on the other domain already. A sparse raw volume that goes to
block storage becomes qcow2 there, which nothing would grow otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.errors import NoSuchImage, NoSuchVolume, StorageError
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import (
    DESCRIPTION_LIMIT,
    Allocation,
    Legality,
    VolumeFormat,
    VolumeMetadata,
    VolumeRole,
)
from ovis.node.storage.images import steps as image_steps
from ovis.node.storage.volumes import reading, sizes, steps
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.copying import Place
from ovis.node.storage.volumes.errors import BadVolumeParameter, BrokenChain, ImageExists
from ovis.node.storage.volumes.making import NewVolume
from ovis.node.storage.volumes.plan import Plan

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Step


class TemplateNotThere(StorageError):
    wire_name = "CouldNotValideTemplateOnTargetDomain"

    def __init__(self, domain: str, template: str) -> None:
        super().__init__(f"storage domain {domain} lacks the template {template} on which the image builds")


async def plan_move(
    source: Domain,
    target: Domain,
    image_id: ImageId,
    *,
    keep_source: bool,
    force: bool = False,
    wipe: bool = False,
    discard: bool = False,
) -> Plan:
    """Raises NoSuchImage, BrokenChain, ImageExists, TemplateNotThere."""
    image = await reading.image(source, image_id)
    chain = image.chain()
    if not keep_source:
        await _refuse_used_templates(source, chain)
    planned = [*_expected(source, chain), *await _cleared(target, image_id, force=force)]
    for layer, new, below in zip(chain, await _twins(target, chain), [None, *chain[:-1]], strict=True):
        if new is not None:
            planned += _made(target, layer, new, below, source)
    if not keep_source:
        planned += [
            image_steps.MarkRemoved(source.id, image_id, wipe=wipe),
            image_steps.Purge(source.id, image_id, discard=discard),
        ]
    return Plan(tuple(planned), _claims(source, target, image_id, chain, shared_source=keep_source))


async def plan_clone(source: Domain, target: Domain, image_id: ImageId) -> Plan:
    """Raises as `plan_move`."""
    chain = (await reading.image(source, image_id)).chain()
    planned = [*_expected(source, chain), *await _cleared(target, image_id, force=False)]
    for layer, new, below in zip(chain, await _twins(target, chain, grown=True), [None, *chain[:-1]], strict=True):
        if new is not None:
            planned += _made(target, layer, new, below, None)
    return Plan(tuple(planned), _claims(source, target, image_id, chain, shared_source=True))


async def plan_sync(source: Domain, target: Domain, image_id: ImageId, *, inner: bool, leaf: bool) -> Plan:
    """`inner`: all volumes but the leaf, `leaf`: that one. Raises NoSuchImage, NoSuchVolume, BrokenChain."""
    chain = (await reading.image(source, image_id)).chain()
    twin = await reading.image(target, image_id)
    own = [layer for layer in chain if layer.image == image_id]
    wanted = (own[:-1] if inner else []) + (own[-1:] if leaf else [])
    for layer in wanted:
        if layer.id not in twin.layers:
            raise NoSuchVolume(target.id, image_id, layer.id)
    planned = [step for layer in wanted for step in _filled_again(source, target, layer)]
    return Plan(tuple(planned), _claims(source, target, image_id, chain, shared_source=True))


async def plan_copy(
    source: Domain,
    image_id: ImageId,
    volume: VolumeId,
    target: Domain,
    to: tuple[ImageId, VolumeId],
    *,
    role: VolumeRole,
    format: VolumeFormat | None,
    allocation: Allocation | None,
    description: str,
    force: bool,
    now: int,
) -> Plan:
    """Flatten what `volume` shows into a new image. Raises as `plan_move`."""
    image = await reading.image(source, image_id)
    chain = image.chain(volume)
    image.require_legal(chain)
    top = chain[-1].metadata
    format, allocation = format or top.format, allocation or top.allocation
    if target.is_block and format is VolumeFormat.RAW and allocation is Allocation.SPARSE:
        allocation = Allocation.PREALLOCATED
    if to[0] == image_id and target.id == source.id:
        raise BadVolumeParameter(str(image), "a copy needs an image of its own")
    metadata = replace(
        top,
        domain=target.id,
        image=to[0],
        parent=None,
        format=format,
        allocation=allocation,
        role=role,
        created=now,
        description=description[:DESCRIPTION_LIMIT] or top.description,
        legality=Legality.LEGAL,
        generation=0,
        sequence=0,
        other=(),
    )
    planned = [
        *_expected(source, chain),
        *await _cleared(target, to[0], force=force),
        *_made(target, chain[-1], _new(target, to[1], metadata, None), None, source, image_id),
    ]
    needed = [claims.image(source.id, image_id, exclusive=False), claims.image(target.id, to[0])]
    return Plan(tuple(planned), tuple(needed))


async def _cleared(target: Domain, image_id: ImageId, *, force: bool) -> list[Step]:
    if not await target.store.volumes(image_id):
        return []
    if not force:
        raise ImageExists(f"image {image_id}", f"is on storage domain {target.id} already; nothing was done")
    return [image_steps.Clear(target.id, image_id)]


async def _twins(target: Domain, chain: Sequence[Layer], *, grown: bool = False) -> list[NewVolume | None]:
    """A new volume for each layer; None for templates, which are there already. `grown`: as large as they are now."""
    twins: list[NewVolume | None] = []
    below: str | None = None
    own_image = chain[-1].image
    for layer in chain:
        if layer.image != own_image:
            await _require_template(target, layer)
            twins.append(None)
            below = layer.qemu_format
            continue
        metadata = replace(layer.metadata, domain=target.id)
        if target.is_block and metadata.format is VolumeFormat.RAW and metadata.allocation is Allocation.SPARSE:
            metadata = replace(metadata, format=VolumeFormat.COW)
        if target.version < 5:
            metadata = replace(metadata, sequence=0)
        if target.version >= 5 and metadata.capacity % target.lockspace.geometry.block_size:
            capacity = sizes.rounded(metadata.capacity, target.lockspace.geometry.block_size)
            metadata = replace(metadata, capacity=capacity)
        twins.append(_new(target, layer.id, metadata, below, initial=layer.stored.allocated if grown else 0))
        below = "qcow2" if metadata.format is VolumeFormat.COW else "raw"
    return twins


async def _require_template(target: Domain, template: Layer) -> None:
    try:
        found = await reading.layer(target, template.image, template.id)
    except (NoSuchVolume, NoSuchImage) as error:
        raise TemplateNotThere(target.id, template.id) from error
    if not found.is_template or not found.is_legal:
        raise TemplateNotThere(target.id, template.id)


async def _refuse_used_templates(source: Domain, chain: Sequence[Layer]) -> None:
    for layer in chain:
        if layer.is_template and layer.image == chain[-1].image and await source.store.users(layer.image, layer.id):
            raise BrokenChain(f"image {layer.image}", f"template {layer.id} has images that build on it here")


def _new(
    target: Domain, volume: VolumeId, metadata: VolumeMetadata, below: str | None, *, initial: int = 0
) -> NewVolume:
    container = sizes.container(
        format=metadata.format,
        allocation=metadata.allocation,
        capacity=metadata.capacity,
        is_block=target.is_block,
        # a copy grows to what it needs before it is filled
        initial=initial if metadata.format is VolumeFormat.COW else None,
    )
    return NewVolume(volume, metadata, container.size, container.allocate, below)


def _made(
    target: Domain,
    layer: Layer,
    new: NewVolume,
    below: Layer | None,
    source: Domain | None,
    image: ImageId | None = None,
) -> list[Step]:
    """`source` None: without data."""
    to = new.metadata.image
    made: list[Step] = []
    if below is not None and below.image != to and new.metadata.parent is not None:
        made.append(steps.Share(target.id, below.image, below.id, to))
    made.append(steps.Begin(target.id, new))
    if source is not None:
        made.append(steps.Fill(Place(source.id, image or layer.image, layer.id), Place(target.id, to, new.id)))
    made.append(steps.Publish(target.id, to, new.id))
    return made


def _filled_again(source: Domain, target: Domain, layer: Layer) -> list[Step]:
    """While its content is half of the old and half of the new, the volume is marked: no VM may start on it."""
    to = Place(target.id, layer.image, layer.id)
    return [
        steps.SetLegality(to.domain, to.image, to.volume, Legality.ILLEGAL),
        steps.Fill(Place(source.id, layer.image, layer.id), to),
        steps.SetLegality(to.domain, to.image, to.volume, layer.metadata.legality),
    ]


def _expected(source: Domain, chain: Sequence[Layer]) -> list[Step]:
    return [steps.Expect.of(source.id, layer) for layer in chain]


def _claims(
    source: Domain, target: Domain, image: ImageId, chain: Sequence[Layer], *, shared_source: bool
) -> tuple[claims.Claim, ...]:
    templates = {layer.image for layer in chain if layer.image != image}
    return (
        claims.image(source.id, image, exclusive=not shared_source),
        claims.image(target.id, image),
        *(claims.image(domain.id, template, exclusive=False) for domain in (source, target) for template in templates),
    )
