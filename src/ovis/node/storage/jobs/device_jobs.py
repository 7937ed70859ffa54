"""Jobs on the disks of a block domain that is in maintenance: one is emptied, one leaves.

The domain is held alone meanwhile, across all hosts: its LVM metadata change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.domains import block_devices
from ovis.node.storage.domains.alone import held_alone
from ovis.node.storage.domains.block_domain import BlockDomain
from ovis.node.storage.domains.changing import NotOnDisks
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.pool.errors import DomainActive

if TYPE_CHECKING:
    from ovis.node.storage.pool.pool import Pool

CLAIM_SECONDS = 60.0


async def move(pool: Pool, domain_id: DomainId, device: PurePosixPath, to: Sequence[PurePosixPath]) -> None:
    """All or nothing: what is cut short stays where it was. Raises DomainActive, NotOnDisks, LeaseHeld, LvmFailed."""
    async with _alone(pool, domain_id, "move") as domain:
        await block_devices.move(domain, device, to)


async def reduce(pool: Pool, domain_id: DomainId, device: PurePosixPath) -> None:
    """Safe to repeat. Raises as `move`, and for a disk that is not empty or has the domain's own metadata."""
    async with _alone(pool, domain_id, "reduce") as domain:
        await block_devices.reduce(domain, device)


def check(pool: Pool, domain_id: DomainId) -> None:
    """Raises DomainNotInPool, DomainActive."""
    if pool.status(domain_id) is DomainStatus.ACTIVE:
        raise DomainActive(domain_id)


@asynccontextmanager
async def _alone(pool: Pool, domain_id: DomainId, what: str) -> AsyncIterator[BlockDomain]:
    storage = pool.storage
    async with storage.claims.hold([claims.domain(domain_id)], by=f"{what} a disk", seconds=CLAIM_SECONDS):
        check(pool, domain_id)
        domain = await storage.domain(domain_id)
        if not isinstance(domain, BlockDomain):
            raise NotOnDisks(domain_id)
        async with held_alone(domain, pool.host_id):
            yield domain
