"""Watching one domain: a task that looks at it every few seconds and remembers what it saw.

    round     find the domain; read its metadata directly, past every cache, and measure how long that takes;
              free space; whether this host holds its host id there
    rarely    read the record: is the metadata sound, which version is it

A round that does not end in time counts as failed at once, and no second one begins beside it: it ends by the deadline
of the domain's own process at the latest. So a dead domain costs one call of its own process and nobody else anything.

                       round is good
    not looked at yet ───────────────> valid <──────────┐
           │                             │ round fails  │ round is good
           └─── round fails ──> invalid <┴──────────────┘      each arrow is told to `changed`
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ovis.node import wire_errors
from ovis.node.errors import NodeError
from ovis.node.storage.domains.interface import Domain, DomainSpace
from ovis.node.storage.errors import NoSuchDomain
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.leases.errors import LeaseError
from ovis.node.storage.leases.interface import HostIdState

log = logging.getLogger(__name__)

UNKNOWN_VERSION = -1
TIMED_OUT = "AccessTimeout"


@dataclass(frozen=True)
class Vitals:
    """What the last round saw. `code`: the API's number of what is wrong, 0: nothing; `delay`: seconds of the direct
    read; `has_host_id`: leases of the domain can be used; `checked`: when, on the monotonic clock, None: not yet."""

    code: int = 0
    problem: str = ""
    delay: float = 0.0
    version: int = UNKNOWN_VERSION
    has_host_id: bool = False
    space: DomainSpace | None = None
    checked: float | None = None

    @property
    def is_valid(self) -> bool:
        return self.code == 0 and self.checked is not None


@dataclass(frozen=True)
class Periods:
    """Seconds. `deadline`: of one round; `metadata`: between two looks at the record."""

    check: float = 10.0
    metadata: float = 300.0
    deadline: float = 10.0


Find = Callable[[DomainId], Awaitable[Domain]]
Changed = Callable[[DomainId, Vitals, Vitals], None]


class DomainMonitor:
    def __init__(
        self,
        domain_id: DomainId,
        *,
        find: Find,
        forget: Callable[[DomainId], Awaitable[None]],
        changed: Changed,
        periods: Periods,
        clock: Callable[[], float],
    ) -> None:
        self.id = domain_id
        self.vitals = Vitals()
        self._find, self._forget, self._changed = find, forget, changed
        self._periods = periods
        self._clock = clock
        self._record_read = float("-inf")
        self._looked = asyncio.Event()

    async def looked(self) -> Vitals:
        """The result of the first round, when there is one."""
        await self._looked.wait()
        return self.vitals

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            begun = self._clock()
            await self._round()
            await asyncio.sleep(max(0.0, self._periods.check - (self._clock() - begun)))

    async def _round(self) -> None:
        look = asyncio.create_task(self._look(), name=f"look at storage domain {self.id}")
        try:
            _, late = await asyncio.wait([look], timeout=self._periods.deadline)
            if late:
                problem = f"no answer within {self._periods.deadline:g} s"
                self._take(replace(self.vitals, code=wire_errors.code_of(TIMED_OUT), problem=problem, delay=0.0))
                await asyncio.wait([look])
        finally:
            look.cancel()
        self._take(await look)

    async def _look(self) -> Vitals:
        try:
            return await self._ask(await self._find(self.id))
        except NodeError as error:
            if isinstance(error, NoSuchDomain):
                await self._forget(self.id)  # it may be found elsewhere in the next round
            return self._failed(error.wire_name, error)
        except OSError as error:
            return self._failed("StorageDomainAccessError", error)
        except Exception as error:
            # a watch that ends by a fault of ours would leave the domain valid for ever
            log.exception("the look at storage domain %s failed in an unforeseen way", self.id)
            return self._failed("UnexpectedError", error)

    async def _ask(self, domain: Domain) -> Vitals:
        has_host_id = await self._has_host_id(domain)
        delay = await domain.check_path()
        if not self.vitals.is_valid or self._clock() - self._record_read >= self._periods.metadata:
            await domain.read_record()
            self._record_read = self._clock()
        space = await domain.space()
        return Vitals(delay=delay, version=domain.version, has_host_id=has_host_id, space=space)

    async def _has_host_id(self, domain: Domain) -> bool:
        try:
            return await domain.locks.state(domain.lockspace) is HostIdState.HELD
        except LeaseError as error:
            log.debug("storage domain %s: %s", self.id, error)
            return False

    def _failed(self, wire_name: str, error: Exception) -> Vitals:
        return replace(self.vitals, code=wire_errors.code_of(wire_name), problem=str(error), delay=0.0)

    def _take(self, vitals: Vitals) -> None:
        before, self.vitals = self.vitals, replace(vitals, checked=self._clock())
        self._looked.set()
        if before.is_valid != self.vitals.is_valid or before.checked is None:
            self._tell(before)
            self._changed(self.id, before, self.vitals)

    def _tell(self, before: Vitals) -> None:
        if not self.vitals.is_valid:
            log.warning("storage domain %s cannot be used: %s", self.id, self.vitals.problem)
        elif before.checked is not None:
            log.info("storage domain %s can be used again", self.id)
