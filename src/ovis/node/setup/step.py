"""What all kinds of steps have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ovis.node.setup.machine import Machine
from ovis.node.setup.record import Records


class Step(Protocol):
    """One thing that is configured. Each may be repeated, also after it was killed in the middle."""

    @property
    def name(self) -> str: ...

    @property
    def why(self) -> str: ...

    @property
    def afterwards(self) -> Sequence[Sequence[str]]:
        """Programs that make running services take the change, once it is made or undone."""
        ...

    @property
    def starts(self) -> Sequence[Sequence[str]]:
        """The same, only once it is made."""
        ...

    def missing(self, machine: Machine, records: Records) -> list[str]:
        """What apply would change, in lines for people; none when all is in place. Raises Conflict."""
        ...

    def apply(self, machine: Machine, records: Records) -> None: ...

    def undo(self, machine: Machine, records: Records) -> list[str]:
        """Put back what the record says, then forget it. Returns what was left as it is, and why."""
        ...
