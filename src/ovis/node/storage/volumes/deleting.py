"""Volume.delete and Image.deleteVolumes: one volume after the other, each marked illegal first.

    mark ILLEGAL ─> removed (no way back) ─> the parent is the last one again ─> its storage is given back

A volume that cannot be removed stays, marked illegal; those before it in the list are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.errors import NoSuchVolume
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Legality
from ovis.node.storage.volumes import reading, steps
from ovis.node.storage.volumes.errors import BadVolumeParameter, HasChildren, SharedInUse
from ovis.node.storage.volumes.plan import Plan

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Step
    from ovis.node.storage.volumes.chain import Image, Layer


async def plan(
    domain: Domain,
    image_id: ImageId,
    volumes: Sequence[VolumeId],
    *,
    wipe: bool = False,
    discard: bool = False,
    force: bool = False,
) -> Plan:
    """Raises NoSuchImage, NoSuchVolume, HasChildren, SharedInUse; nothing has been changed."""
    if not volumes or len(set(volumes)) != len(volumes):
        raise BadVolumeParameter(f"image {image_id}", "the volumes to delete must be named, each once")
    image = await reading.image(domain, image_id)
    planned: list[Step] = []
    gone: set[VolumeId] = set()
    for volume in volumes:
        layer = image.layers.get(volume)
        gone.add(volume)
        if layer is None and volume not in image.unreadable:
            raise NoSuchVolume(domain.id, image_id, volume)
        if layer is None and not force:
            raise BadVolumeParameter(
                f"volume {volume} of {image}", "its metadata cannot be read: only force deletes it"
            )
        if layer is not None and not force:
            await _check(domain, image, layer, gone)
        if layer is not None:
            planned.append(steps.SetLegality(domain.id, image_id, volume, Legality.ILLEGAL))
        parent = layer.metadata.parent if layer is not None else None
        planned.append(steps.Remove(domain.id, image_id, volume, parent, wipe=wipe, discard=discard, force=force))
    planned.extend(_unshared(image, gone))
    return Plan(tuple(planned), (claims.image(domain.id, image_id),))


async def _check(domain: Domain, image: Image, layer: Layer, gone: set[VolumeId]) -> None:
    subject = f"volume {layer.id} of {image}"
    if layer.image != image.id:
        raise SharedInUse(subject, f"belongs to image {layer.image}, a template")
    if left := [child.id for child in image.children(layer.id) if child.id not in gone]:
        raise HasChildren(subject, f"{left[0]} builds on it")
    if layer.is_template and (users := await domain.store.users(image.id, layer.id)):
        raise SharedInUse(subject, f"image {sorted(users)[0]} builds on it")


def _unshared(image: Image, gone: set[VolumeId]) -> list[Step]:
    """With the last own volume the link to the template goes, too."""
    if any(layer.id not in gone for layer in image.own):
        return []
    templates = [layer for layer in image.layers.values() if layer.image != image.id]
    return [steps.Unshare(image.domain, layer.image, layer.id, image.id) for layer in templates]
