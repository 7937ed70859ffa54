"""The root helper as storage asks it: what changes storage is tied to the leases that allow it.

Those are the leases of the running operation (held.py) and that of this host's role as SPM: when the master changes,
the task that does it began under the lease of the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from ovis.node.storage.leases import held

if TYPE_CHECKING:
    from ovis.node.privileged.client import Told, TyingRoot
    from ovis.node.privileged.protocol import Request
    from ovis.node.storage.leases.interface import Tie

T = TypeVar("T")


class TiedRoot:
    """A Root. `role`: the ties of the role, and LeaseLost when its lease is."""

    def __init__(self, root: TyingRoot, role: Callable[[], Sequence[Tie]]) -> None:
        self._root = root
        self._role = role

    async def call(self, request: Request[T], *, seconds: float | None = None, told: Told | None = None) -> T:
        """Raises as Privileged.call; LeaseLost, TieLost: the work under the lease has ended."""
        ties = tuple(dict.fromkeys((*held.ties(), *self._role()))) if request.is_tied else ()
        return await self._root.call(request, seconds=seconds, told=told, ties=ties)
