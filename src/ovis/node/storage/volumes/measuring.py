"""How much room a copy of a volume needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import VolumeFormat
from ovis.node.storage.volumes import qemu_img, reading
from ovis.node.storage.volumes.errors import NotInChain
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.volumes.prepared import Prepared


async def required(
    prepared: Prepared,
    domain: Domain,
    image_id: ImageId,
    volume: VolumeId,
    to: VolumeFormat,
    *,
    with_chain: bool,
    base: VolumeId | None,
) -> int:
    """Bytes, bitmaps included. `base`: the lowest volume that counts. Raises NotInChain."""
    image = await reading.image(domain, image_id)
    chain = image.chain(volume)
    if base is not None:
        ids = [layer.id for layer in chain]
        if base not in ids:
            raise NotInChain(str(image), f"volume {base} is not below {volume}")
        chain = chain[ids.index(base) :]
    if not with_chain:
        chain = chain[-1:]
    async with prepared.active(domain, chain) as paths:
        view = [Disk(paths[layer.id], layer.qemu_format) for layer in reversed(chain)]
        target = qemu_img.QCOW2 if to is VolumeFormat.COW else qemu_img.RAW
        measured = await qemu_img.on(domain).measure(view[0], target, view=view)
    return measured.required + measured.bitmaps
