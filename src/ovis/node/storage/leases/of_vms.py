"""What libvirt's lock manager is told of the lease of a VM, path and offset, and whether it did its work."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, ImageId, LeaseId, VolumeId, identifier
from ovis.node.storage.leases.errors import LockspaceLost
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.interface import HostIdState, Resource
from ovis.node.storage.volumes.store import LeasePlace

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage


async def of_vm(storage: Storage, domain_id: str, lease_id: str) -> tuple[str, int]:
    """Raises NoSuchDomain, NoLeases, NoSuchLease, IndexUnusable, LockspaceLost."""
    domain = await _held(storage, domain_id)
    resource = await ExternalLeases(domain).find(LeaseId(lease_id))
    return _told(resource.place)


async def of_volume(storage: Storage, domain_id: str, image_id: str, volume_id: str) -> tuple[str, int]:
    """Raises NoSuchDomain, NoSuchVolume, LockspaceLost."""
    domain = await _held(storage, domain_id)
    image, volume = identifier("lease", "image", image_id), identifier("lease", "volume", volume_id)
    return _told(await domain.store.lease(ImageId(image), VolumeId(volume)))


async def is_held(storage: Storage, domain_id: str, lease_id: str, path: str, offset: int) -> bool:
    """Raises NoSuchDomain, LockspaceLost, NotALease, LocksNotResponding."""
    domain = await _held(storage, domain_id)
    place = LeasePlace(PurePosixPath(path), offset)
    owner = await domain.locks.owner(Resource(domain.lockspace, lease_id, place))
    pool = storage.pools.joined
    return owner is not None and (pool is None or owner.host_id == pool.host_id)


async def _held(storage: Storage, domain_id: str) -> Domain:
    """A domain in which this host can hold leases: libvirt would fail with less to say."""
    domain = await storage.domain(DomainId(identifier("lease", "storage domain", domain_id)))
    state = await domain.locks.state(domain.lockspace)
    if state is not HostIdState.HELD:
        raise LockspaceLost(domain.lockspace, f"its host id is {state.value}; is the host connected to the pool?")
    return domain


def _told(place: LeasePlace) -> tuple[str, int]:
    return str(place.path), place.offset
