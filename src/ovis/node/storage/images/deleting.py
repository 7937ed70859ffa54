"""Image.delete: the image goes out of all lists at once, its storage follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.errors import NoSuchImage
from ovis.node.storage.formats.identifiers import ImageId
from ovis.node.storage.images import steps
from ovis.node.storage.volumes import reading
from ovis.node.storage.volumes.errors import SharedInUse
from ovis.node.storage.volumes.plan import Plan

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain


async def plan(
    domain: Domain, image_id: ImageId, *, wipe: bool = False, discard: bool = False, force: bool = False
) -> Plan:
    """Raises NoSuchImage, SharedInUse. `force` also takes what an earlier try has left."""
    if not await domain.store.volumes(image_id):
        raise NoSuchImage(domain.id, image_id)
    if not force:
        await _check(domain, image_id)
    planned = (
        steps.MarkRemoved(domain.id, image_id, wipe=wipe),
        steps.Purge(domain.id, image_id, discard=discard),
    )
    return Plan(planned, (claims.image(domain.id, image_id),))


async def _check(domain: Domain, image_id: ImageId) -> None:
    image = await reading.image(domain, image_id)
    for layer in image.own:
        if layer.is_template and (users := await domain.store.users(image_id, layer.id)):
            raise SharedInUse(f"volume {layer.id} of {image}", f"image {sorted(users)[0]} builds on it")
