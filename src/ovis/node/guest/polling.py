"""When to ask which guest: at once when its agent appears, soon again while the guest is young, then every period.

A guest that does not answer is asked less and less often, so that a thousand guests without an agent cost next to
nothing; the event of an agent that connects makes up for it. At most `CONCURRENT` guests are asked at a time, and the
times are spread so that guests found together after a restart are not asked together for ever.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ovis.node.guest.agent import ask
from ovis.node.guest.facts import GuestFacts
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import Hypervisor

log = logging.getLogger(__name__)

CONCURRENT = 4  # threads of the hypervisor's agent pool
YOUNG = (2.0, 4.0, 8.0)  # after the first answer: a guest gets its address seconds after its agent has started
SILENT_FIRST, SILENT_MOST = 5.0, 120.0
ALL_EVERY = 10  # every tenth time also what hardly changes
TICK = 0.5


@dataclass
class _Guest:
    due: float
    answers: int = 0
    silences: int = 0
    running: bool = False
    again: bool = False
    told: bool = False
    facts: GuestFacts = field(default_factory=GuestFacts)


class GuestPolling:
    """`on_facts` gets every answer.

    `on_silence` is told when a guest that has answered no longer does: its agent is gone, or was silent twice.
    """

    def __init__(
        self,
        hypervisor: Hypervisor,
        *,
        period: float,
        clock: Callable[[], float],
        on_facts: Callable[[str, GuestFacts], None],
        on_silence: Callable[[str], None],
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._hypervisor = hypervisor
        self._period = period
        self._clock = clock
        self._on_facts = on_facts
        self._on_silence = on_silence
        self._spread = spread
        self._guests: dict[str, _Guest] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def add(self, domain_id: str) -> None:
        """Safe to repeat."""
        self._guests.setdefault(domain_id, _Guest(due=self._clock()))

    def remove(self, domain_id: str) -> None:
        """Safe to repeat. An answer that is under way is dropped."""
        self._guests.pop(domain_id, None)

    def connected(self, domain_id: str) -> None:
        """The agent has just started: forget what an earlier boot told, and ask now."""
        if guest := self._guests.get(domain_id):
            guest.due = self._clock()
            guest.answers = guest.silences = 0
            guest.again = guest.running
            guest.facts = GuestFacts()

    def disconnected(self, domain_id: str) -> None:
        """No need to ask before it connects again; the slow rhythm of a silent guest goes on."""
        if guest := self._guests.get(domain_id):
            self._silent(domain_id, guest, certain=True)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self.start_due()
                await asyncio.sleep(TICK)
        finally:
            await self.close()

    async def close(self) -> None:
        """No task is left behind, and no guest is asked from here on."""
        self._guests.clear()
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start_due(self) -> None:
        """Begin to ask those whose time has come, the longest overdue first.

        At each tick and whenever an answer makes room: by ticks alone no more than eight guests a second had a turn.
        """
        free = CONCURRENT - len(self._tasks)
        if free <= 0 or self._closed:
            return
        now = self._clock()
        due = [(g.due, domain_id) for domain_id, g in self._guests.items() if g.due <= now and not g.running]
        for _, domain_id in sorted(due)[:free]:
            guest = self._guests[domain_id]
            guest.running = True
            task = asyncio.ensure_future(self._ask(domain_id, guest))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.start_due()

    async def settle(self) -> None:
        """Wait for the questions under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _ask(self, domain_id: str, guest: _Guest) -> None:
        before = guest.facts
        try:
            found = await ask(self._hypervisor, domain_id, before, all_of_it=guest.answers % ALL_EVERY == 0)
        except HypervisorError as error:
            log.debug("the guest agent of %s does not answer: %s", domain_id, error)
            found = None
        finally:
            guest.running = False
        if self._guests.get(domain_id) is not guest:
            return
        if guest.again:  # the agent restarted meanwhile: what it said before is of no use
            guest.again = False
            return
        if found is None:
            self._silent(domain_id, guest, certain=guest.silences > 0)
            return
        guest.facts = found
        guest.silences = 0
        young = guest.answers < len(YOUNG)
        guest.due = self._clock() + (YOUNG[guest.answers] if young else self._period * (0.9 + 0.2 * self._spread()))
        guest.answers += 1
        guest.told = True
        self._on_facts(domain_id, found)

    def _silent(self, domain_id: str, guest: _Guest, *, certain: bool) -> None:
        if guest.told and certain:
            guest.told = False
            self._on_silence(domain_id)
        guest.answers = 0
        pause = min(SILENT_FIRST * 2**guest.silences, SILENT_MOST)
        guest.silences = min(guest.silences + 1, 10)
        guest.due = self._clock() + pause * (0.9 + 0.2 * self._spread())
