"""What joining and leaving pools changes in the metadata of a domain. Pure.

The orders in which two domains are changed, so that a crash between them can be repeated or taken back:

    attach      the domain says the pool, then the pool lists the domain
    detach      the domain forgets the pool, then the pool the domain
    new master  the new one is written whole, with a higher MASTER_VERSION; then the old one becomes a regular member
                (until then there are two that say Master, and the version tells which one leads)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ovis.node.storage.formats.domain_metadata import DomainClass, Role
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.identifiers import DomainId, PoolId
from ovis.node.storage.formats.pool_metadata import DESCRIPTION_LIMIT, DomainStatus, PoolMetadata
from ovis.node.storage.pool.errors import BackupAsMaster, DomainAttached, IsoAsMaster, NameTooLong


def as_member(record: DomainRecord, pool: PoolId) -> DomainRecord:
    pools = record.domain.pools if pool in record.domain.pools else (*record.domain.pools, pool)
    return replace(record, domain=replace(record.domain, pools=pools, role=Role.REGULAR), pool=None)


def as_free(record: DomainRecord, pool: PoolId | None) -> DomainRecord:
    """None: of every pool."""
    pools = tuple(other for other in record.domain.pools if pool is not None and other != pool)
    return replace(record, domain=replace(record.domain, pools=pools, role=Role.REGULAR), pool=None)


def as_master(record: DomainRecord, pool: PoolId, metadata: PoolMetadata) -> DomainRecord:
    return replace(record, domain=replace(record.domain, pools=(pool,), role=Role.MASTER), pool=metadata)


def with_status(
    metadata: PoolMetadata,
    domain: DomainId,
    status: DomainStatus | None,
    told: Mapping[DomainId, DomainStatus] | None = None,
) -> PoolMetadata:
    """None: it is no member any more. `told`: the members as the pool's owner knows them, better than the disk."""
    domains = {**(metadata.domains if told is None else told)}
    if status is None:
        domains.pop(domain, None)
    else:
        domains[domain] = status
    return replace(metadata, domains=domains)


def leads(record: DomainRecord, pool: PoolId) -> bool:
    return record.domain.role is Role.MASTER and pool in record.domain.pools and record.pool is not None


def check_can_lead(record: DomainRecord) -> None:
    """Raises IsoAsMaster, BackupAsMaster."""
    if record.domain.domain_class is DomainClass.ISO:
        raise IsoAsMaster(record.domain.id)
    if record.domain.domain_class is DomainClass.BACKUP:
        raise BackupAsMaster(record.domain.id)


def check_can_join(record: DomainRecord, pool: PoolId) -> None:
    """A domain is in one pool; ISO domains may be in several. Raises DomainAttached."""
    others = tuple(other for other in record.domain.pools if other != pool)
    if others and record.domain.domain_class is not DomainClass.ISO:
        raise DomainAttached(record.domain.id, others)


def check_name(name: str) -> None:
    if len(name) > DESCRIPTION_LIMIT:
        raise NameTooLong(len(name), DESCRIPTION_LIMIT)
