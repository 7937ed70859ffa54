"""Joining and leaving a pool, on request and after a restart of the agent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError, Recovering
from ovis.node.storage import claims
from ovis.node.storage.formats.domain_metadata import Role
from ovis.node.storage.formats.identifiers import DomainId, PoolId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.pool import membership, records
from ovis.node.storage.pool.errors import HigherMaster, IsSpm, NotConnected, OtherPool, StillConnected
from ovis.node.storage.pool.membership import Membership
from ovis.node.storage.pool.pool import Pool, check_leads, find_master

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""For each domain that may be a newer master: one that is away does not keep the host from its pool."""


class Pools:
    """A host is in one pool at most."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._pool: Pool | None = None
        self._turn = asyncio.Lock()
        self._is_recovering = False
        self._remembered: Membership | None = None
        self._rejoining: asyncio.Task[None] | None = None

    @property
    def joined(self) -> Pool | None:
        return self._pool

    def find(self, pool_id: PoolId) -> Pool:
        """Raises NotConnected; Recovering while the pool of before the start is being joined again."""
        if self._pool is not None and self._pool.id == pool_id:
            return self._pool
        if self._is_recovering:
            raise Recovering
        raise NotConnected(pool_id)

    def check_in_none(self) -> None:
        """Raises StillConnected."""
        if self._pool is not None:
            raise StillConnected(self._pool.id)

    async def connect(
        self,
        pool_id: PoolId,
        *,
        host_id: int,
        master: DomainId,
        master_version: int,
        domains: Mapping[DomainId, DomainStatus] | None,
    ) -> None:
        """Join, or take over what is new. Safe to repeat; after an error the host is in the pool or not, as before.

        Raises OtherPool, WrongHostId, MasterNotFound, WrongMaster, HigherMaster, LeaseError.
        """
        async with self._turn, self._storage.claims.hold([claims.pool(pool_id)], by="connect"):
            if self._pool is not None and self._pool.id != pool_id:
                raise OtherPool(pool_id, self._pool.id)
            if self._pool is not None:
                self._pool.check_host_id(host_id)
            self._stop_rejoining()
            found = await find_master(self._storage, pool_id, master)
            metadata = check_leads(await found.read_record(), pool_id, master_version)
            listed = MappingProxyType({**(metadata.domains if domains is None else domains)})
            wanted = Membership(pool_id, host_id, master, master_version, listed, is_told=domains is not None)
            await self._check_no_higher_master(wanted)
            if self._pool is not None and self._pool.membership.master != master:
                await self._pool.spm.lose(f"domain {master} is the master now")
            await self._join(wanted, found)

    async def disconnect(self, pool_id: PoolId, *, host_id: int) -> None:
        """Safe to repeat. Raises IsSpm, WrongHostId."""
        async with self._turn, self._storage.claims.hold([claims.pool(pool_id)], by="disconnect"):
            remembered = await asyncio.to_thread(membership.load, self._file)
            if self._pool is not None and self._pool.id == pool_id:
                self._pool.check_host_id(host_id)
                if self._pool.spm.role != "Free":
                    raise IsSpm(pool_id)
                await self.drop()
            elif remembered is not None and remembered.pool == pool_id:
                self._stop_rejoining()
                await asyncio.to_thread(membership.forget, self._file)

    async def drop(self) -> None:
        """The host is in no pool any more."""
        if self._pool is not None:
            pool = self._pool
            await pool.leave()
            self._pool = None
            log.info("left pool %s", pool.id)

    async def expect(self) -> None:
        """Until `recover` has tried, callers are told to wait for the pool of before the start."""
        self._remembered = await asyncio.to_thread(membership.load, self._file)
        self._is_recovering = self._remembered is not None

    async def recover(self) -> None:
        """Join the pool of before the start again, in the background."""
        remembered, self._remembered = self._remembered, None
        if remembered is not None and self._is_recovering:  # else somebody was quicker
            self._rejoining = self._storage.keep(self._rejoin(remembered), f"joining pool {remembered.pool}")

    async def close(self) -> None:
        self._stop_rejoining()
        if self._pool is not None:
            await self._pool.close()

    @property
    def _file(self) -> Path:
        return self._storage.settings.state / "pool.json"

    async def _join(self, wanted: Membership, master: Domain) -> None:
        if self._pool is None:
            try:
                await master.close_master()  # this host may have been SPM when its agent ended, and is not now
            except (NodeError, OSError) as error:
                log.warning("pool %s: what its former SPM here left mounted stays so: %s", wanted.pool, error)
        pool = self._pool or Pool(self._storage, wanted)
        try:
            await pool.use(wanted)
        except BaseException:
            if self._pool is None:
                await pool.leave()
            raise
        if self._pool is None:
            self._pool = pool
            log.info("in pool %s as host %d, master %s", pool.id, pool.host_id, wanted.master)

    async def _rejoin(self, remembered: Membership) -> None:
        try:
            while self._pool is None:
                try:
                    await self._rejoin_once(remembered)
                except (NodeError, OSError, TimeoutError) as error:
                    if self._is_recovering:
                        log.warning("pool %s is not joined again yet: %s", remembered.pool, error)
                    self._is_recovering = False  # from now on callers are told the truth: not connected
                    await asyncio.sleep(self._storage.settings.retry_period)
        finally:
            self._is_recovering = False

    async def _rejoin_once(self, remembered: Membership) -> None:
        async with self._turn, self._storage.claims.hold([claims.pool(remembered.pool)], by="joining again"):
            master = await find_master(self._storage, remembered.pool, remembered.master)
            check_leads(await master.read_record(), remembered.pool, remembered.master_version)
            await self._join(remembered, master)

    def _stop_rejoining(self) -> None:
        self._is_recovering = False
        if self._rejoining is not None:
            self._rejoining.cancel()
            self._rejoining = None

    async def _check_no_higher_master(self, wanted: Membership) -> None:
        others = [domain for domain in wanted.active if domain != wanted.master]
        versions = await self.versions_as_master(wanted.pool, others)
        for domain, version in zip(others, versions, strict=True):
            if version > wanted.master_version:
                raise HigherMaster(wanted.pool, domain, version)

    async def versions_as_master(self, pool: PoolId, domains: Sequence[DomainId]) -> list[int]:
        """Of domains that say they lead the pool; -1 for others, and for those that cannot be read in a moment."""
        return await asyncio.gather(*(self._version_as_master(domain, pool) for domain in domains))

    async def _version_as_master(self, domain_id: DomainId, pool: PoolId) -> int:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                record = await (await self._storage.domain(domain_id)).read_record()
        except (NodeError, OSError, TimeoutError):
            return -1  # it is away or broken, and its monitor says so
        if record.pool is None or record.domain.role is not Role.MASTER or not records.leads(record, pool):
            return -1
        return record.pool.master_version
