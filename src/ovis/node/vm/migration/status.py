"""A VM on its way: what is known of its departure or arrival while it lasts, and of a departure afterwards."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from ovis.client.types import ConvergenceSchedule, VmDefinition
from ovis.node.vm.migration.convergence import DEFAULT, Schedule
from ovis.node.vm.states import Exit


class Phase(StrEnum):
    WAITING = "waiting"  # for a slot here, and for the consent of the other side
    TRANSFERRING = "transferring"
    SETTLING = "settling"  # libvirt is done; where the VM is now is being found out
    DONE = "done"
    FAILED = "failed"  # it stays here


class StoredDeparture(msgspec.Struct, frozen=True):
    """What the next life of the agent must know. Written before the destination hears of the VM, before libvirt is
    asked (`sent`), and before post-copy begins."""

    destination: str
    sent: bool = False
    post_copy: bool = False
    schedule: ConvergenceSchedule | None = None


class Waker:
    """Pauses that end early when something has happened that should be looked at."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()


@dataclass
class Departure:
    """`progress` in percent, `downtime` in milliseconds (known at the end). `end`: the VM ended here while it was on
    its way, and this would be why."""

    destination: str
    schedule: Schedule = DEFAULT
    given_schedule: ConvergenceSchedule | None = None
    phase: Phase = Phase.WAITING
    progress: int = 0
    downtime: int = 0
    bandwidth: int | None = None
    """Bytes per second, 0 for no limit: what was asked for after the beginning."""
    post_copy: bool = False
    failure: str = ""
    tells_guest: bool = False
    was_announced: bool = False
    """The destination may know of the VM."""
    was_sent: bool = False
    """libvirt was asked: before that no copy can run anywhere else."""
    end: Exit | None = None
    is_proven: bool = False
    has_stopped: bool = False
    is_overdue: bool = False
    entered: VmDefinition | None = None
    """The VM as the destination has entered it."""
    releases: AsyncExitStack = field(default_factory=AsyncExitStack)
    """What is given back when the migration has ended: its slot."""
    task: asyncio.Task[None] | None = None
    tidying: asyncio.Task[None] | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    waker: Waker = field(default_factory=Waker)

    @property
    def is_active(self) -> bool:
        return self.phase not in (Phase.DONE, Phase.FAILED)

    def finish(self, phase: Phase) -> None:
        self.phase = phase
        self.ended.set()

    def stored(self) -> StoredDeparture | None:
        if not self.is_active:
            return None
        return StoredDeparture(self.destination, self.was_sent, self.post_copy, self.given_schedule)


@dataclass
class Arrival:
    """`appear_by`: monotonic time at which QEMU must have been seen here. `has_appeared`: it was."""

    appear_by: float
    has_appeared: bool = False
    waker: Waker = field(default_factory=Waker)
