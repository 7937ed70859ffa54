"""Holding a domain alone, across all hosts: its SDM lease, and a host id if this host has none there yet.

Whoever changes the metadata of a domain outside a pool, or before the pool's SPM does, holds it so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ovis.node.storage.formats.sanlock_areas import MAX_HOSTS_IN_MAILBOX, SDM_RESOURCE
from ovis.node.storage.leases.held import held
from ovis.node.storage.leases.interface import HostIdState, Resource
from ovis.node.storage.volumes.store import LeasePlace

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain

RESERVED_HOST_ID = MAX_HOSTS_IN_MAILBOX
"""Of a host that is in no pool, for as long as it works on a domain. Existing agents use the same."""


def sdm(domain: Domain) -> Resource:
    """The lease whose holder may change the domain's metadata; on the master it makes the SPM."""
    place = domain.special("leases")
    offset = place.offset + domain.lockspace.geometry.sdm_offset
    return Resource(domain.lockspace, SDM_RESOURCE, LeasePlace(place.path, offset))


@asynccontextmanager
async def held_alone(domain: Domain, host_id: int = RESERVED_HOST_ID) -> AsyncIterator[None]:
    """`host_id`: that of the pool when this host is in one. Raises HostIdTaken, LeaseHeld; nothing is held then."""
    locks, lockspace = domain.locks, domain.lockspace
    was_joined = await locks.state(lockspace) is HostIdState.HELD
    await locks.join(lockspace, host_id)
    try:
        async with held(locks, sdm(domain), host_id, what=f"storage domain {domain.id}"):
            yield
    finally:
        if not was_joined:
            await locks.leave(lockspace, host_id)
