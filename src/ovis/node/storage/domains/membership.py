"""Attaching a domain to the pool, taking it into use, and back. All of it is the SPM's work, one at a time.

                  attach              activate
    (in no pool) ────────> Attached ───────────> Active
                 <────────          <───────────
                  detach             deactivate

`forced detach` needs no SPM and asks no pool: it is for domains whose pool is gone.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.domains.alone import RESERVED_HOST_ID, held_alone
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.domain_metadata import DomainClass
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.pool import records
from ovis.node.storage.pool.errors import (
    DomainActive,
    DomainAttached,
    DomainIsMaster,
    DomainNotInPool,
    MasterNeeded,
    MixedVersions,
    TooManyDomains,
)
from ovis.node.storage.pool.pool import Pool
from ovis.node.storage.pool.switching import switch
from ovis.node.storage.tasks.errors import TasksInTheWay

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)


async def attach(storage: Storage, pool: Pool, domain_id: DomainId) -> None:
    """Raises NotSpm, DomainAttached, MixedVersions, TooManyDomains, NoSuchDomain, LeaseError."""
    async with storage.claims.hold([claims.pool(pool.id)], by=f"attach {domain_id}"):
        pool.spm.check()
        if domain_id in pool.membership.domains:
            raise DomainAttached(domain_id, (pool.id,))
        domain = await storage.domain(domain_id)
        _, master_record, _ = await pool.read()
        before = await domain.read_record()
        records.check_can_join(before, pool.id)
        is_data = before.domain.domain_class is DomainClass.DATA
        if is_data and before.domain.version > master_record.domain.version:
            raise MixedVersions(domain_id, before.domain.version, master_record.domain.version)
        async with held_alone(domain, pool.host_id):
            before = await domain.read_record()  # nobody else changes it from here on
            records.check_can_join(before, pool.id)
            await domain.write_record(records.as_member(before, pool.id))
            try:
                await pool.set_status(domain_id, DomainStatus.ATTACHED)
            except TooManyDomains:
                await domain.write_record(before)
                raise
    log.info("storage domain %s is attached to pool %s", domain_id, pool.id)


async def detach(
    storage: Storage, pool: Pool, domain_id: DomainId, *, new_master: DomainId | None = None, master_version: int = 0
) -> None:
    """May be repeated after a failure. `new_master`: takes the role first, if this domain has it.

    Raises NotSpm, DomainNotInPool, DomainActive, DomainIsMaster, WrongMaster, LeaseError."""
    async with storage.claims.hold([claims.pool(pool.id)], by=f"detach {domain_id}"):
        pool.spm.check()
        if pool.membership.master == domain_id and new_master not in (None, domain_id):
            assert new_master is not None
            await switch(storage, pool, new_master, master_version)
        if pool.membership.master == domain_id:
            raise DomainIsMaster(domain_id)
        if pool.status(domain_id) is DomainStatus.ACTIVE:
            raise DomainActive(domain_id)
        domain = await storage.domain(domain_id)
        async with held_alone(domain, pool.host_id):
            await domain.write_record(records.as_free(await domain.read_record(), pool.id))
        await pool.set_status(domain_id, None)
    log.info("storage domain %s is detached from pool %s", domain_id, pool.id)


async def forced_detach(storage: Storage, pool_id: str, domain_id: DomainId) -> None:
    """Raises DomainNotInPool, NoSuchDomain, LeaseError."""
    pool = storage.pools.joined
    is_ours = pool is not None and pool.id == pool_id
    domain = await storage.domain(domain_id)
    async with storage.claims.hold([claims.domain(domain_id)], by=f"forced detach of {domain_id}"):
        record = await domain.read_record()
        if pool_id not in record.domain.pools:
            raise DomainNotInPool(domain_id, pool_id)
        async with held_alone(domain, await _host_id(storage, domain)):
            mine = next(found for found in record.domain.pools if found == pool_id)
            await domain.write_record(records.as_free(await domain.read_record(), mine))
    if is_ours and pool is not None and domain_id in pool.membership.domains and pool.spm.role == "SPM":
        await pool.set_status(domain_id, None)
    log.warning("storage domain %s was taken out of pool %s by force", domain_id, pool_id)


async def activate(storage: Storage, pool: Pool, domain_id: DomainId) -> None:
    """Safe to repeat. Raises NotSpm, DomainNotInPool, NoSuchDomain, LeaseError; then it stays attached."""
    async with storage.claims.hold([claims.pool(pool.id)], by=f"activate {domain_id}"):
        pool.spm.check()
        if pool.status(domain_id) is DomainStatus.ACTIVE:
            return
        domain = await storage.domain(domain_id)
        record = await domain.read_record()
        if pool.id not in record.domain.pools:
            raise DomainNotInPool(domain_id, pool.id)
        await pool.host_ids.hold(domain)
        try:
            _, master_record, _ = await pool.read()
            if record.domain.domain_class is DomainClass.DATA and record.domain.version < master_record.domain.version:
                from ovis.node.storage.domains.upgrading import upgrade

                await upgrade(storage, domain, master_record.domain.version, host_id=pool.host_id)
                storage.domains.renew(domain)
            await pool.set_status(domain_id, DomainStatus.ACTIVE)
        except BaseException:
            await pool.stop_using(domain_id)
            raise
    log.info("storage domain %s is active in pool %s", domain_id, pool.id)


async def deactivate(
    storage: Storage, pool: Pool, domain_id: DomainId, *, new_master: DomainId | None, master_version: int
) -> None:
    """Safe to repeat. Raises NotSpm, DomainNotInPool, MasterNeeded, WrongMaster, TasksInTheWay."""
    async with storage.claims.hold([claims.pool(pool.id)], by=f"deactivate {domain_id}"):
        pool.spm.check()
        if pool.status(domain_id) is not DomainStatus.ACTIVE:
            return
        check_no_task_works_on(storage, pool, domain_id)
        is_master = pool.membership.master == domain_id
        if is_master and new_master is not None and new_master != domain_id:
            await switch(storage, pool, new_master, master_version)
        elif is_master and len(pool.membership.active) > 1:
            raise MasterNeeded(domain_id)
        await pool.set_status(domain_id, DomainStatus.ATTACHED)
        if pool.membership.master != domain_id:
            await pool.stop_using(domain_id)
    log.info("storage domain %s is out of use in pool %s", domain_id, pool.id)


def check_no_task_works_on(storage: Storage, pool: Pool, domain_id: DomainId) -> None:
    """Raises TasksInTheWay."""
    working = [
        task.task_id
        for task in storage.tasks.all()
        if not task.has_ended and any(domain_id in claim.name for claim in task.record.claims)
    ]
    if working:
        raise TasksInTheWay(pool.id, working)


async def _host_id(storage: Storage, domain: Domain) -> int:
    """That of the pool where this host is in the domain's lockspace with it already."""
    pool = storage.pools.joined
    if pool is not None and domain.id in pool.host_ids.kept:
        return pool.host_id
    return RESERVED_HOST_ID
