"""Who is subscribed to which STOMP destination, for messages from client to client.

A message to `a.b.c` reaches the subscribers of `a.b.c`, `a.b` and `a`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovis.wire.stomp_session import StompSession

Member = tuple["StompSession", str]
"""A session and its subscription id."""


class Relay:
    def __init__(self) -> None:
        self._members: dict[str, dict[Member, None]] = {}

    def __len__(self) -> int:
        """Destinations with subscribers."""
        return len(self._members)

    def join(self, destination: str, member: Member) -> None:
        self._members.setdefault(destination, {})[member] = None

    def leave(self, destination: str, member: Member) -> None:
        members = self._members.get(destination)
        if members is not None:
            members.pop(member, None)
            if not members:
                del self._members[destination]

    def members(self, destination: str) -> Iterator[Member]:
        """Subscribers of `destination` and of its dotted parents."""
        while True:
            yield from tuple(self._members.get(destination, ()))
            destination, dot, _ = destination.rpartition(".")
            if not dot:
                return
