"""Growing the containers of thin volumes on block storage while they are in use.

Only the SPM changes a volume group. A host that is SPM extends by itself; any other asks it by mail. A domain in no
pool belongs to whoever uses it, so its only host extends it. Growing is safe to repeat and never shrinks; a volume gets
no more than its capacity can need.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.client.types import SpmRole
from ovis.node.storage.formats.mailbox import Extend
from ovis.node.storage.formats.volume_metadata import VolumeFormat
from ovis.node.storage.leases.held import without_lease
from ovis.node.storage.pool.errors import NotConnected
from ovis.node.storage.pool.mailbox import HostMailbox
from ovis.node.storage.volumes import sizes
from ovis.node.storage.volumes.errors import CannotShrink

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
    from ovis.node.storage.formats.volume_metadata import VolumeMetadata
    from ovis.node.storage.pool.pool import Pool
    from ovis.node.storage.storage import Storage

IN_NO_POOL = "the domain is in no pool and belongs to this host, which uses it"


class Extensions:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._mailbox: tuple[Pool, HostMailbox] | None = None

    async def extend(self, domain_id: DomainId, image: ImageId, volume: VolumeId, size: int) -> None:
        """This host sees the new size when it returns.

        Raises NotExtended, NotConnected, NoSpace, NoSuchVolume, CannotShrink.
        """
        domain = await self._storage.domain(domain_id)
        pool = self._storage.pools.joined
        if pool is not None and domain_id in pool.membership.domains:
            if pool.spm.role is SpmRole.SPM:
                given = await pool.spm.extend(Extend(domain_id, volume, size))
            else:
                given = await self._mail(pool).ask(Extend(domain_id, volume, size))
        else:
            record = await domain.read_record()
            if record.domain.pools:
                raise NotConnected(record.domain.pools[0])
            with without_lease(IN_NO_POOL):
                given = await grow(domain, volume, size)
        # lvextend tells the kernel of its own host
        present = seen(str(domain.paths.volume(image, volume))) if domain.is_block else 0
        if present >= given:
            return
        if present:
            await domain.store.refresh(volume)
        if not present or seen(str(domain.paths.volume(image, volume))) < given:
            await domain.store.activate(image, volume)

    @asynccontextmanager
    async def may_change(self, domain: Domain) -> AsyncIterator[bool]:
        """Whether the body may change the volume group: as the SPM, and then it ends with the SPM's lease, or because
        the domain is in no pool. A host that has not joined its pool again yet is not the SPM."""
        pool = self._storage.pools.joined
        if pool is None or domain.id not in pool.membership.domains:
            is_free = not (await domain.read_record()).domain.pools
            with without_lease(IN_NO_POOL if is_free else ""):
                yield is_free
        elif pool.spm.role is SpmRole.SPM:
            async with pool.spm.trusted():
                yield True
        else:
            yield False

    def _mail(self, pool: Pool) -> HostMailbox:
        if self._mailbox is None or self._mailbox[0] is not pool:
            self._mailbox = pool, HostMailbox(pool, self._storage.keep)
        return self._mailbox[1]


def seen(path: str) -> int:
    """Bytes of the block device that this leads to, as the kernel has them, from memory; 0: there is none."""
    try:
        number = os.stat(path).st_rdev
        return int(Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/size").read_text()) * 512
    except (OSError, ValueError):
        return 0


async def grow(domain: Domain, volume: VolumeId, size: int) -> int:
    """The container's size now: at least `size`, or all that the capacity can need. Raises as `Extensions.extend`."""

    def wanted(metadata: VolumeMetadata) -> int:
        if metadata.format is not VolumeFormat.COW:
            raise CannotShrink(
                f"volume {volume} of storage domain {domain.id}", "is raw: it has its whole size already"
            )
        return min(size, sizes.largest(metadata.capacity))

    return await domain.store.grow(volume, wanted)
