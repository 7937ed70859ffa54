"""The chain as the headers have it, which is what QEMU follows, and metadata that agree with it.

After a live merge that nobody finished, headers and metadata differ: QEMU has changed the first, the host died before
the second. No VM may use the image meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.volumes import qemu_img, reading
from ovis.node.storage.volumes.errors import BrokenChain
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.volumes.chain import Image


async def real_chain(storage: Storage, domain: Domain, image: Image, leaf: VolumeId) -> tuple[VolumeId, ...]:
    """From the base to `leaf`, as the headers say. Raises NotInChain, BrokenChain, QemuImgFailed."""
    found: list[VolumeId] = []
    current: VolumeId | None = leaf
    while current is not None:
        if current in found:
            raise BrokenChain(str(image), f"its headers run in a circle at {current}")
        layer = image.layer(current)
        found.append(current)
        if layer.qemu_format == qemu_img.RAW:
            break
        async with storage.prepared.active(domain, [layer]) as paths:
            info = await qemu_img.on(domain).info(Disk(paths[current], qemu_img.QCOW2))
        named = info.backing_filename
        current = None if named is None else VolumeId(os.path.basename(named))
    return tuple(reversed(found))


async def reconcile(storage: Storage, domain: Domain, image_id: ImageId, leaf: VolumeId) -> tuple[VolumeId, ...]:
    """Correct what differs; the real chain. Safe to repeat."""
    image = await reading.image(domain, image_id)
    chain = await real_chain(storage, domain, image, leaf)
    await follow(domain, image, chain)
    return chain


async def follow(domain: Domain, image: Image, chain: Sequence[VolumeId]) -> None:
    """Make the metadata of an image say that `chain` (base first) is its chain. What is in it no more was merged away:
    it is marked so, and stays until it is deleted. Each write is right by itself; from the leaf down."""
    for volume, parent in zip(reversed(chain), [*reversed(chain[:-1]), None], strict=True):
        layer = image.layer(volume)
        if layer.image != image.id or layer.is_template:
            continue
        role = VolumeRole.LEAF if volume == chain[-1] else VolumeRole.INTERNAL
        wanted = replace(layer.metadata, parent=parent, role=role)
        if wanted != layer.metadata:
            await domain.store.write(image.id, volume, wanted)
    for layer in image.own:
        if layer.id not in chain and not layer.is_template:
            gone = replace(layer.metadata, legality=Legality.ILLEGAL, role=VolumeRole.INTERNAL)
            if gone != layer.metadata:
                await domain.store.write(image.id, layer.id, gone)
