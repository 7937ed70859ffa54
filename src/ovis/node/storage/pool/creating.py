"""Making and unmaking a pool, and giving it another master when its own is lost. No SPM is needed for these: the
master domain is held alone instead (domains/alone.py)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.domains.alone import RESERVED_HOST_ID, held_alone
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.domain_metadata import DomainClass
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.identifiers import DomainId, PoolId
from ovis.node.storage.formats.pool_metadata import DomainStatus, PoolMetadata
from ovis.node.storage.pool import records
from ovis.node.storage.pool.errors import (
    DomainActive,
    MixedVersions,
    PoolExists,
    WrongMaster,
)
from ovis.node.storage.pool.pool import Pool, write_pool

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewPool:
    id: PoolId
    name: str
    master: DomainId
    master_version: int


async def create(storage: Storage, wanted: NewPool, domains: Sequence[DomainId]) -> None:
    """Members first, the master last: what a crash leaves is no pool, and the same call may be repeated.

    Raises StillConnected, PoolExists, DomainAttached, IsoAsMaster, BackupAsMaster, MixedVersions, NameTooLong,
    TooManyDomains, NoSuchDomain, LeaseError.
    """
    storage.pools.check_in_none()
    records.check_name(wanted.name)
    async with storage.claims.hold([claims.pool(wanted.id)], by="create pool"):
        found = [await storage.domain(domain) for domain in dict.fromkeys([wanted.master, *domains])]
        known = [(domain, await domain.read_record()) for domain in found]
        for _, record in known:
            _check_new(record, wanted, pool_version=known[0][1].domain.version)
        statuses = {domain.id: DomainStatus.ATTACHED for domain in found}
        statuses[wanted.master] = DomainStatus.ACTIVE
        metadata = PoolMetadata(statuses, wanted.master_version, wanted.name)
        master, master_record = known[0]
        async with held_alone(master):
            done: list[tuple[Domain, DomainRecord]] = []
            try:
                for domain, record in known[1:]:
                    done.append((domain, record))
                    async with held_alone(domain):
                        await domain.write_record(records.as_member(record, wanted.id))
                await _make_master_folders(master)
                await write_pool(master, records.as_master(master_record, wanted.id, metadata))
            except BaseException:
                await _take_back(done)
                raise
    log.info("pool %s (%s) made with %d domains, master %s", wanted.id, wanted.name, len(found), wanted.master)


async def destroy(storage: Storage, pool: Pool) -> None:
    """Detach the last domain, the master, and leave. Raises DomainActive while others are in the pool, NotSpm."""
    async with storage.claims.hold([claims.pool(pool.id)], by="destroy pool"):
        pool.spm.check()
        master, record, metadata = await pool.read()
        if others := [domain for domain in metadata.domains if domain != master.id]:
            raise DomainActive(others[0])
        await pool.spm.give_up()
        async with held_alone(master, pool.host_id):
            await master.write_record(records.as_free(record, pool.id))
        await storage.pools.drop()


async def reconstruct(
    storage: Storage, wanted: NewPool, statuses: Mapping[DomainId, DomainStatus], *, host_id: int
) -> None:
    """Make a domain the master with fresh metadata, whatever became of the old one. May be repeated.

    Other domains that still call themselves master and can be reached become regular members; one that is away is
    recognised by its lower version when it comes back.
    Raises StillConnected, WrongMaster, IsoAsMaster, BackupAsMaster, NoSuchDomain, LeaseError.
    """
    joined = storage.pools.joined
    if joined is not None and joined.id != wanted.id:
        storage.pools.check_in_none()
    records.check_name(wanted.name)
    async with storage.claims.hold([claims.pool(wanted.id)], by="reconstruct master"):
        if joined is not None:
            await joined.spm.lose("the master is reconstructed")
        master = await storage.domain(wanted.master)
        record = await master.read_record()
        records.check_can_lead(record)
        if wanted.id not in record.domain.pools:
            raise WrongMaster(wanted.id, wanted.master, f"it belongs to {record.domain.pools or 'no pool'}")
        members = {**statuses, wanted.master: DomainStatus.ACTIVE}
        if record.pool is not None and records.leads(record, wanted.id):
            _check_version(record.pool.master_version, wanted, may_be_same=True)
        for version in await storage.pools.versions_as_master(wanted.id, [d for d in members if d != wanted.master]):
            _check_version(version, wanted, may_be_same=False)
        async with held_alone(master, joined.host_id if joined else host_id or RESERVED_HOST_ID):
            metadata = PoolMetadata(members, wanted.master_version, wanted.name)
            await _make_master_folders(master)
            await write_pool(master, records.as_master(record, wanted.id, metadata))
        await _demote_others(storage, wanted, members)


def _check_new(record: DomainRecord, wanted: NewPool, *, pool_version: int) -> None:
    if records.leads(record, wanted.id):
        raise PoolExists(wanted.id, record.domain.id)
    records.check_can_join(record, wanted.id)
    if record.domain.id == wanted.master:
        records.check_can_lead(record)
    if record.domain.domain_class is DomainClass.DATA and record.domain.version != pool_version:
        raise MixedVersions(record.domain.id, record.domain.version, pool_version)


def _check_version(present: int, wanted: NewPool, *, may_be_same: bool) -> None:
    if wanted.master_version < present or (wanted.master_version == present and not may_be_same):
        why = f"its version as master is {present}, a new one must be higher than that, not {wanted.master_version}"
        raise WrongMaster(wanted.id, wanted.master, why)


async def _make_master_folders(master: Domain) -> None:
    await master.open_master()
    await master.close_master()


async def _take_back(done: Sequence[tuple[Domain, DomainRecord]]) -> None:
    for domain, record in reversed(done):
        try:
            await domain.write_record(record)
        except Exception:
            log.exception("storage domain %s may still carry the id of a pool that was not made", domain.id)


async def _demote_others(storage: Storage, wanted: NewPool, members: Mapping[DomainId, DomainStatus]) -> None:
    for domain_id in members:
        if domain_id == wanted.master:
            continue
        try:
            domain = await storage.domain(domain_id)
            record = await domain.read_record()
            if records.leads(record, wanted.id):
                await domain.write_record(records.as_member(record, wanted.id))
        except Exception as error:  # noqa: BLE001 - it is away: its lower version tells that it leads no more
            log.warning("pool %s: former master %s was not changed: %s", wanted.id, domain_id, error)
