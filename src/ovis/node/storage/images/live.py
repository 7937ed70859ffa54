"""The metadata of an image whose VM has merged layers while it ran.

    base ◄── a ◄── top ◄── child          merged from top into base: base ◄── child; a and top are ILLEGAL
    base ◄── a ◄── top                    the layer in use merged: base is the last one

QEMU has changed data and headers already; the host of the VM tells the metadata. What was merged away is marked first:
a crash in between leaves an image that does not start until `Image.reconcileVolumeChain` or this has run again, never
one that starts from old layers. The SPM deletes those volumes when it is asked to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.volumes import reading
from ovis.node.storage.volumes.errors import BrokenChain

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.formats.identifiers import ImageId, VolumeId
    from ovis.node.storage.volumes.chain import Layer


async def merged(
    domain: Domain, image_id: ImageId, *, base: VolumeId, top: VolumeId, is_active: bool, by_spm: bool
) -> None:
    """Safe to repeat, also when the SPM has deleted volumes of it already. Raises NoSuchImage, BrokenChain."""
    image = await reading.image(domain, image_id)
    gone: list[Layer] = []
    current: VolumeId | None = top
    while current != base:
        layer = image.layers.get(current) if current is not None else None
        if layer is None:
            return  # deleted: whoever does that has the metadata right before
        if layer in gone:
            raise BrokenChain(str(image), f"its volumes run in a circle at {layer.id}")
        gone.append(layer)
        current = layer.metadata.parent
    for layer in gone:
        await _write(domain, layer, legality=Legality.ILLEGAL, role=VolumeRole.INTERNAL, by_spm=by_spm)
    if is_active:
        lower = image.layer(base)
        if not lower.is_template:
            await _write(domain, lower, role=VolumeRole.LEAF, by_spm=by_spm)
        return
    for child in image.children(top):
        if child not in gone:
            await _write(domain, child, parent=base, by_spm=by_spm)


async def _write(domain: Domain, layer: Layer, *, by_spm: bool, **changes: object) -> None:
    wanted = replace(layer.metadata, **changes)  # type: ignore[arg-type]
    if wanted != layer.metadata:
        await domain.store.write(layer.image, layer.id, wanted, by_spm=by_spm)
