"""The pool that this host is connected to.

Its metadata lie in the master domain and are changed by the SPM alone; every change is one read, one write, in turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.errors import NoSuchDomain
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.errors import TooLong
from ovis.node.storage.formats.identifiers import DomainId, PoolId
from ovis.node.storage.formats.pool_metadata import DomainStatus, PoolMetadata
from ovis.node.storage.pool import links, membership, records
from ovis.node.storage.pool.errors import (
    DomainNotInPool,
    MasterNotFound,
    TooManyDomains,
    WrongHostId,
    WrongMaster,
)
from ovis.node.storage.pool.host_ids import HostIds
from ovis.node.storage.pool.membership import Membership
from ovis.node.storage.pool.spm import Spm

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

Change = Callable[[PoolMetadata], PoolMetadata]


class Pool:
    def __init__(self, storage: Storage, joined: Membership) -> None:
        self.storage = storage
        self.membership = joined
        self.host_ids = HostIds(storage, joined.host_id, found=self._found, lost=self._lost)
        self.spm = Spm(self)
        self.upgrading_to: int | None = None
        self._changes = asyncio.Lock()

    @property
    def id(self) -> PoolId:
        return self.membership.pool

    @property
    def host_id(self) -> int:
        return self.membership.host_id

    def check_host_id(self, given: int) -> None:
        if given != self.host_id:
            raise WrongHostId(self.id, given, self.host_id)

    async def master(self) -> Domain:
        """Raises MasterNotFound."""
        return await find_master(self.storage, self.id, self.membership.master)

    async def read(self) -> tuple[Domain, DomainRecord, PoolMetadata]:
        """The master and what it says now. Raises MasterNotFound, WrongMaster."""
        master = await self.master()
        record = await master.read_record()
        master = await self.storage.domains.agree(master, record)
        return master, record, check_leads(record, self.id, self.membership.master_version)

    async def change(self, change: Change) -> PoolMetadata:
        """Change the pool's metadata, as the SPM. Raises NotSpm, TooManyDomains."""
        async with self._changes, self.spm.trusted():
            master, record, metadata = await self.read()
            changed = change(metadata)
            if changed != metadata:
                await write_pool(master, records.as_master(record, self.id, changed))
            return changed

    async def change_domain(self, domain: Domain, change: Callable[[DomainRecord], DomainRecord]) -> None:
        """Change the record of a member, as the SPM: in turn with those of the pool, which may lie in the same."""
        async with self._changes, self.spm.trusted():
            await domain.write_record(change(await domain.read_record()))

    def status(self, domain: DomainId) -> DomainStatus:
        """Raises DomainNotInPool."""
        status = self.membership.domains.get(domain)
        if status is None:
            raise DomainNotInPool(domain, self.id)
        return status

    async def set_status(self, domain: DomainId, status: DomainStatus | None) -> None:
        """On the master, then here; None: no member any more."""
        told = self.membership.domains if self.membership.is_told else None
        metadata = await self.change(lambda found: records.with_status(found, domain, status, told))
        await self.use(replace(self.membership, domains=MappingProxyType({**metadata.domains})))

    async def catch_up(self) -> None:
        """Take over what a former SPM changed, unless a caller keeps the list of members himself."""
        _, _, metadata = await self.read()
        if not self.membership.is_told and metadata.domains != self.membership.domains:
            await self.use(replace(self.membership, domains=MappingProxyType({**metadata.domains})))

    async def correct_former_masters(self) -> None:
        """A crash between the two writes of a change of master leaves an old one that still says so."""
        others = [domain for domain in self.membership.active if domain != self.membership.master]
        versions = await self.storage.pools.versions_as_master(self.id, others)
        for domain_id, version in zip(others, versions, strict=True):
            if 0 <= version < self.membership.master_version:
                try:
                    domain = await self.storage.domain(domain_id)
                    await self.change_domain(domain, lambda record: records.as_member(record, self.id))
                except (NodeError, OSError) as error:
                    log.warning("pool %s: domain %s still says that it is the master: %s", self.id, domain_id, error)

    async def use(self, wanted: Membership) -> None:
        """Make this host agree with a membership: kept on its disk, active domains in use, others not."""
        await asyncio.to_thread(membership.save, self._file, wanted)
        self.membership = wanted
        for domain in self.host_ids.kept - {*wanted.active, wanted.master}:
            await self.stop_using(domain)
        await asyncio.to_thread(links.keep_only, self.storage.repository, self.id, [*wanted.active, wanted.master])
        master = self.storage.domains.known(wanted.master)
        if master is not None:  # otherwise when it is found
            await asyncio.to_thread(links.add_master, self.storage.repository, self.id, master.paths.folder)
        for domain in {*wanted.active, wanted.master}:
            self.host_ids.keep(domain)
            self.storage.watch(domain)

    async def stop_using(self, domain: DomainId) -> None:
        await self.storage.unwatch(domain)
        await self.host_ids.drop(domain)
        await self.storage.domains.forget(domain)
        await asyncio.to_thread(links.drop, self.storage.repository, self.id, domain)

    async def leave(self) -> None:
        """This host is in no pool from now on, also after a restart. Domains that are away are left as they are."""
        domains = self.host_ids.kept
        for domain in domains:
            await self.storage.unwatch(domain)
        await self.host_ids.drop_all()
        for domain in domains:
            await self.storage.domains.forget(domain)
        await asyncio.to_thread(links.remove, self.storage.repository, self.id)
        await asyncio.to_thread(membership.forget, self._file)

    async def close(self) -> None:
        """The agent ends: the SPM's work stops where it is, host ids stay."""
        await self.spm.close()
        await self.host_ids.close()

    @property
    def _file(self) -> Path:
        return self.storage.settings.state / "pool.json"

    async def _found(self, domain: Domain) -> None:
        await asyncio.to_thread(links.add, self.storage.repository, self.id, domain.id, domain.paths.folder)
        if domain.id == self.membership.master:
            await asyncio.to_thread(links.add_master, self.storage.repository, self.id, domain.paths.folder)

    async def _lost(self, domain: DomainId, reason: str) -> None:
        if domain == self.membership.master:
            await self.spm.lose(reason)


async def find_master(storage: Storage, pool: PoolId, master: DomainId) -> Domain:
    """Raises MasterNotFound."""
    try:
        return await storage.domain(master)
    except (NoSuchDomain, OSError) as error:
        raise MasterNotFound(pool, master, str(error)) from error


def check_leads(record: DomainRecord, pool: PoolId, version: int) -> PoolMetadata:
    """The pool's metadata in the record of its master. Raises WrongMaster."""
    if not records.leads(record, pool) or record.pool is None:
        raise WrongMaster(pool, record.domain.id, f"it says {record.domain.role.value} of {record.domain.pools}")
    if record.pool.master_version != version:
        raise WrongMaster(
            pool, record.domain.id, f"its version as master is {record.pool.master_version}, not {version}"
        )
    return record.pool


async def write_pool(master: Domain, record: DomainRecord) -> None:
    """Raises TooManyDomains."""
    try:
        await master.write_record(record)
    except TooLong as error:
        assert record.pool is not None
        raise TooManyDomains(record.domain.pools[0], len(record.pool.domains)) from error
