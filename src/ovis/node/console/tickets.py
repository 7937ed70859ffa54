"""Tickets that open one console once, within a short time.

Whoever may open consoles gets one and can hand it to somebody who may not: a browser behind a proxy, which then needs
no right of its own beyond reaching the agent. They live in memory only: an agent that restarts knows none.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ovis.node.errors import TooManyCalls

SECONDS_MOST = 300.0
TICKETS_MOST = 1000


class Kind(StrEnum):
    SERIAL = "serial"
    VNC = "vnc"


@dataclass(frozen=True)
class Ticket:
    """`force` takes the serial console from whoever has it. `giver` is who asked for the ticket, for the log."""

    vm_id: str
    kind: Kind
    force: bool
    giver: str


class Tickets:
    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._clock = clock
        self._tickets: dict[bytes, tuple[float, Ticket]] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def give(self, ticket: Ticket, *, seconds: float) -> str:
        """The word that opens the console. Raises TooManyCalls."""
        self._drop_old()
        if len(self._tickets) >= TICKETS_MOST:
            raise TooManyCalls(
                reason="too many consoles were asked for and not opened",
                resource="console tickets",
                current_tasks=len(self._tickets),
            )
        word = secrets.token_urlsafe(24)
        self._tickets[_digest(word)] = (self._clock() + min(seconds, SECONDS_MOST), ticket)
        return word

    def take(self, word: str) -> Ticket | None:
        """What the word opens; it opens nothing more afterwards. None: never given, used, or too old."""
        self._drop_old()
        _, ticket = self._tickets.pop(_digest(word), (0.0, None))
        return ticket

    def _drop_old(self) -> None:
        now = self._clock()
        self._tickets = {key: kept for key, kept in self._tickets.items() if kept[0] > now}


def _digest(word: str) -> bytes:
    """Looked up instead of the word itself: how long a look-up takes then tells nothing of the words that exist."""
    return hashlib.sha256(word.encode("utf-8", "replace")).digest()
