"""This host's place in the lockspaces of the domains that it uses: taken, watched, and taken again when lost.

        ┌──────────── after a pause ────────────┐
        v                                        │
    look for the domain ─ join ─ held ─ lost ────┘        dropped: leave

One task for each domain, so that a dead one keeps no other from its lease.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.leases.errors import LockspaceLost
from ovis.node.storage.leases.interface import HostIdState

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

JOIN_SECONDS = 300.0  # sanlock waits 260 s for the id of a host that died
LEAVE_SECONDS = 30.0
Lost = Callable[[DomainId, str], Awaitable[None]]


class HostIds:
    """`found` is awaited when a domain can be reached, `lost` when the host id in one is lost."""

    def __init__(
        self, storage: Storage, host_id: int, *, found: Callable[[Domain], Awaitable[None]], lost: Lost
    ) -> None:
        self.host_id = host_id
        self._storage = storage
        self._found = found
        self._lost = lost
        self._keepers: dict[DomainId, asyncio.Task[None]] = {}

    @property
    def kept(self) -> set[DomainId]:
        return set(self._keepers)

    def keep(self, domain_id: DomainId) -> None:
        """Take the host id there and keep it. Safe to repeat."""
        if domain_id not in self._keepers:
            work = self._keep(domain_id)
            self._keepers[domain_id] = asyncio.create_task(work, name=f"host id in {domain_id}")

    async def hold(self, domain: Domain) -> None:
        """Return once this host has its id there; it is kept from then on. Raises LeaseError."""
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                await domain.locks.join(domain.lockspace, self.host_id)
        except TimeoutError as error:
            raise LockspaceLost(domain.lockspace, f"joining it did not end within {JOIN_SECONDS:g} s") from error
        self.keep(domain.id)

    async def drop(self, domain_id: DomainId) -> None:
        """Give it back. A domain that is away is left as it is: the id is free when sanlock gives it up."""
        keeper = self._keepers.pop(domain_id, None)
        if keeper is None:
            return
        await _end(keeper)
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                domain = await self._storage.domain(domain_id)
                await domain.locks.leave(domain.lockspace, self.host_id)
        except (NodeError, OSError, TimeoutError) as error:
            log.warning("storage domain %s: the host id %d was not given back: %s", domain_id, self.host_id, error)

    async def drop_all(self) -> None:
        await asyncio.gather(*(self.drop(domain_id) for domain_id in list(self._keepers)))

    async def close(self) -> None:
        """Stop watching; the ids stay held, VMs may depend on them."""
        keepers = list(self._keepers.values())
        self._keepers.clear()
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)

    async def _keep(self, domain_id: DomainId) -> None:
        was_told = False
        while True:
            try:
                domain = await self._storage.domain(domain_id)
                await self._found(domain)
                if await domain.locks.state(domain.lockspace) is not HostIdState.HELD:
                    async with asyncio.timeout(JOIN_SECONDS):
                        await domain.locks.join(domain.lockspace, self.host_id)
                    log.info("storage domain %s: this host has the host id %d", domain_id, self.host_id)
                was_told = False
                reason = await domain.locks.lost(domain.lockspace)
                log.error("storage domain %s: the host id %d is lost: %s", domain_id, self.host_id, reason)
                await self._lost(domain_id, reason)
            except (NodeError, OSError, TimeoutError) as error:
                if not was_told:
                    log.warning("storage domain %s: no host id, tried again: %s", domain_id, error or "no answer")
                was_told = True
            await asyncio.sleep(self._storage.settings.retry_period)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task], timeout=LEAVE_SECONDS)
