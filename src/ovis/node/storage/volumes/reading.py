"""Reading all of an image at once: one look at the store, then the metadata of what is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ovis.node.storage.errors import NoSuchImage, NoSuchVolume
from ovis.node.storage.formats.errors import FormatError
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.volumes.chain import Image, Layer
from ovis.node.storage.volumes.errors import NotInChain

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain

AT_ONCE = 16


async def image(domain: Domain, image_id: ImageId) -> Image:
    """Raises NoSuchImage when none of its volumes is there."""
    found = await domain.store.volumes(image_id)
    present = {v: s for v, s in found.items() if s.removal is Removal.NONE and not s.is_unfinished}
    slots = asyncio.Semaphore(AT_ONCE)

    async def read(volume: VolumeId) -> VolumeMetadata | str:
        async with slots:
            return await _read(domain, image_id, volume)

    metadata = dict(zip(present, await asyncio.gather(*map(read, present)), strict=True))
    layers: dict[VolumeId, Layer] = {}
    unreadable: dict[VolumeId, str] = {}
    for volume, read_back in metadata.items():
        if isinstance(read_back, str):
            unreadable[volume] = read_back
        else:
            layers[volume] = Layer(volume, read_back.image, read_back, present[volume])
    if not any(layer.image == image_id for layer in layers.values()) and not unreadable:
        raise NoSuchImage(domain.id, image_id)
    for layer in list(layers.values()):
        parent = layer.metadata.parent
        if layer.image == image_id and parent is not None and parent not in layers and parent not in unreadable:
            template = await _elsewhere(domain, image_id, parent)
            if template is not None:
                layers[parent] = template
    return Image(domain.id, image_id, layers, unreadable)


async def below(domain: Domain, image_id: ImageId, parent: VolumeId | None) -> tuple[Layer, ...]:
    """The chain from the base up to `parent`, which may be a template. Raises BrokenChain, NotInChain."""
    if parent is None:
        return ()
    try:
        return (await image(domain, image_id)).chain(parent)
    except (NoSuchImage, NotInChain):  # the first volume of an image that is being made
        template = await _elsewhere(domain, image_id, parent)
        if template is None or not template.is_template:
            raise
        return (*await below(domain, template.image, template.metadata.parent), template)


async def layer(domain: Domain, image_id: ImageId, volume: VolumeId) -> Layer:
    """One volume alone. Raises NoSuchVolume, FormatError."""
    found = await any_layer(domain, image_id, volume)
    if found.stored.is_unfinished:
        raise NoSuchVolume(domain.id, image_id, volume)
    return found


async def any_layer(domain: Domain, image_id: ImageId, volume: VolumeId) -> Layer:
    """As `layer`, also of a volume that is being made."""
    stored = (await domain.store.volumes(image_id)).get(volume)
    if stored is None or stored.removal is not Removal.NONE:
        raise NoSuchVolume(domain.id, image_id, volume)
    metadata = await domain.store.read(image_id, volume)
    return Layer(volume, metadata.image, metadata, stored)


async def _read(domain: Domain, image_id: ImageId, volume: VolumeId) -> VolumeMetadata | str:
    try:
        return await domain.store.read(image_id, volume)
    except FormatError as error:
        return f"has unusable metadata: {error}"
    except NoSuchVolume:
        return "has no metadata"


async def _elsewhere(domain: Domain, image_id: ImageId, volume: VolumeId) -> Layer | None:
    """A template on which `image_id` builds. A file domain has a link to it there, whose metadata tell its image; a
    block domain knows all its volumes."""
    try:
        home = (await domain.store.read(image_id, volume)).image
    except (FormatError, NoSuchVolume):
        stored = (await domain.store.volumes()).get(volume)
        if stored is None:
            return None
        home = stored.image
    try:
        return await layer(domain, home, volume)
    except (FormatError, NoSuchVolume):
        return None
