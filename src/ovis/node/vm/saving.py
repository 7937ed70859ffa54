"""A VM that is being saved: what is known of it while that lasts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec

from ovis.node.vm.migration.status import Waker
from ovis.node.vm.states import Exit


class StoredSaving(msgspec.Struct, frozen=True):
    """What the next life of the agent must know; written before anything is done."""

    memory: str
    was_paused: bool


@dataclass
class Saving:
    """A save under way. `end`: the VM ended meanwhile, and this would be why."""

    memory: str
    was_paused: bool
    progress: int = 0
    is_cancelled: bool = False
    preparing: asyncio.Future[None] | None = None
    """The guest gets ready; may be cut short."""
    end: Exit | None = None
    waker: Waker = field(default_factory=Waker)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def stored(self) -> StoredSaving:
        return StoredSaving(self.memory, self.was_paused)
