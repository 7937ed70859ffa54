"""All domains that this host watches: those of its pool, and those that somebody asked for by name.

    watch, unwatch         domains of the pool; the pool takes the host id in them (pool/host_ids.py)
    start, stop            Host.startMonitoringDomain and its opposite: a domain outside the pool, with a host id that
                           is taken here

A domain is watched as long as one of both wants it. Each change between usable and not is an event, and when a domain
is usable again VMs that a failing disk has paused are looked at at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.client.types import StorageDomainVitals
from ovis.node import wire_errors
from ovis.node.storage.domains.monitor import TIMED_OUT, DomainMonitor, Periods, Vitals
from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.pool.host_ids import HostIds

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage

EVENT = "|storage|domain_status|"
END_SECONDS = 5.0


class OfThePool(StorageError):
    wire_name = "StorageDomainIsMemberOfPool"

    def __init__(self, domain: DomainId) -> None:
        super().__init__(f"storage domain {domain} is in the pool of this host, which watches it; nothing was changed")
        self.domain = domain


class OtherHostId(StorageError):
    wire_name = "InvalidParameterException"

    def __init__(self, domain: DomainId, host_id: int, held: int) -> None:
        super().__init__(f"hostID: storage domain {domain} is watched with host id {held}, not {host_id}")
        self.domain = domain


@dataclass
class _Watched:
    monitor: DomainMonitor
    task: asyncio.Task[None]


class Monitors:
    """`back` is called when a domain can be used again."""

    def __init__(
        self,
        storage: Storage,
        *,
        back: Callable[[], None] = lambda: None,
        periods: Periods | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._back = back
        self._periods = periods or _periods(storage)
        self._clock = clock
        self._watched: dict[DomainId, _Watched] = {}
        self._of_pool: set[DomainId] = set()
        self._alone: dict[DomainId, HostIds] = {}

    def watch(self, domain_id: DomainId) -> None:
        """For the pool. Safe to repeat."""
        self._of_pool.add(domain_id)
        self._begin(domain_id)

    async def unwatch(self, domain_id: DomainId) -> None:
        self._of_pool.discard(domain_id)
        await self._end_if_unwanted(domain_id)

    async def start(self, domain_id: DomainId, host_id: int) -> None:
        """Raises OtherHostId."""
        ids = self._alone.get(domain_id)
        if ids is not None and ids.host_id != host_id:
            raise OtherHostId(domain_id, host_id, ids.host_id)
        self._begin(domain_id)
        if ids is None and domain_id not in self._of_pool:
            ids = self._alone[domain_id] = HostIds(self._storage, host_id, found=_found, lost=_lost)
            ids.keep(domain_id)

    async def stop(self, domain_id: DomainId) -> None:
        """A domain that is not watched is no error. Raises OfThePool."""
        if domain_id in self._of_pool:
            raise OfThePool(domain_id)
        ids = self._alone.pop(domain_id, None)
        await self._end_if_unwanted(domain_id)
        if ids is not None:
            await ids.drop(domain_id)

    def vitals(self, domains: Collection[DomainId] = ()) -> Mapping[DomainId, Vitals]:
        """Of these domains, or of all; those that are not watched are left out. Nothing is asked."""
        return {
            domain_id: watched.monitor.vitals
            for domain_id, watched in self._watched.items()
            if not domains or domain_id in domains
        }

    def is_silent(self, path: str) -> bool:
        """Whether the path lies on a domain that does not answer. A domain's paths, wherever, have its id in them."""
        names = path.split("/")
        return any(
            watched.monitor.vitals.code == wire_errors.code_of(TIMED_OUT) and domain_id in names
            for domain_id, watched in self._watched.items()
        )

    def report(self, domains: Collection[DomainId] = ()) -> dict[str, StorageDomainVitals]:
        """The same as the API tells it."""
        now = self._clock()
        return {domain_id: _as_told(vitals, now) for domain_id, vitals in self.vitals(domains).items()}

    async def looked(self, domain_id: DomainId) -> Vitals:
        """The first result of a domain that is watched. Raises KeyError."""
        return await self._watched[domain_id].monitor.looked()

    async def close(self) -> None:
        """Host ids stay held: VMs may depend on them."""
        tasks = [watched.task for watched in self._watched.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=END_SECONDS)
        self._watched.clear()
        for ids in self._alone.values():
            await ids.close()

    def _begin(self, domain_id: DomainId) -> None:
        if domain_id in self._watched:
            return
        monitor = DomainMonitor(
            domain_id,
            find=self._storage.domain,
            forget=self._storage.domains.forget,
            changed=self._changed,
            periods=self._periods,
            clock=self._clock,
        )
        self._watched[domain_id] = _Watched(
            monitor, self._storage.keep(monitor.run(), f"monitor of storage domain {domain_id}")
        )

    async def _end_if_unwanted(self, domain_id: DomainId) -> None:
        if domain_id in self._of_pool or domain_id in self._alone:
            return
        watched = self._watched.pop(domain_id, None)
        if watched is not None:
            watched.task.cancel()
            await asyncio.wait([watched.task], timeout=END_SECONDS)

    def _changed(self, domain_id: DomainId, before: Vitals, now: Vitals) -> None:
        self._storage.events.publish(
            EVENT + domain_id, {"valid": now.is_valid, "code": now.code, "message": now.problem}
        )
        if now.is_valid and before.checked is not None:
            self._back()


def _as_told(vitals: Vitals, now: float) -> StorageDomainVitals:
    return StorageDomainVitals(
        acquired=vitals.has_host_id,
        actual=vitals.checked is not None,
        code=vitals.code,
        delay=vitals.delay,
        last_check=0.0 if vitals.checked is None else max(0.0, now - vitals.checked),
        valid=vitals.is_valid,
        version=vitals.version,
    )


def _periods(storage: Storage) -> Periods:
    settings = storage.settings
    return Periods(settings.check_period, settings.metadata_period, deadline=settings.check_period)


async def _found(domain: Domain) -> None: ...


async def _lost(domain_id: DomainId, reason: str) -> None: ...
