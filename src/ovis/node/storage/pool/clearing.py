"""Giving back what deletions have left that failed in the middle.

    mark as removed ─> give the storage back        a deletion
           └── failed ──> stays marked, and taken: nobody can name such a volume any more

The SPM looks for them in the pool's active domains when it takes the role, as existing managers do. Volumes that are
merely unfinished are left alone: on a file domain one whose metadata were lost looks the same.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage import claims
from ovis.node.storage.errors import NoSuchImage
from ovis.node.storage.formats.volume_metadata import VolumeRole
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.images import steps
from ovis.node.storage.volumes import reading
from ovis.node.storage.volumes.errors import BrokenChain
from ovis.node.storage.volumes.steps import set_role

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.formats.identifiers import DomainId, ImageId
    from ovis.node.storage.pool.pool import Pool

log = logging.getLogger(__name__)

CLAIM_SECONDS = 3600.0


async def clear_removed(pool: Pool) -> None:
    """Of all active domains of the pool, as its SPM. What cannot be cleared is told, and left."""
    for domain_id in pool.membership.active:
        try:
            await _clear_domain(pool, domain_id)
        except (NodeError, OSError) as error:
            log.warning("pool %s: removed volumes of domain %s stay: %s", pool.id, domain_id, error)


async def _clear_domain(pool: Pool, domain_id: DomainId) -> None:
    storage = pool.storage
    domain = await storage.domain(domain_id)
    found = await domain.store.volumes()
    for image in sorted({stored.image for stored in found.values() if stored.removal is not Removal.NONE}):
        needed = [claims.domain(domain_id, exclusive=False), claims.image(domain_id, image)]
        async with (
            storage.claims.hold(needed, by="clearing removed volumes", seconds=CLAIM_SECONDS),
            pool.spm.trusted(),
        ):
            log.info("storage domain %s: volumes of image %s are removed and still there", domain_id, image)
            await clear(domain, image)


async def clear(domain: Domain, image_id: ImageId) -> None:
    """Safe to repeat."""
    await steps.purge(domain, image_id, discard=False)
    try:
        leaf = (await reading.image(domain, image_id)).leaf()
    except (NoSuchImage, BrokenChain):
        return
    if leaf.metadata.role is VolumeRole.INTERNAL:  # the deletion did not come so far
        await set_role(domain, image_id, leaf.id, VolumeRole.LEAF)
