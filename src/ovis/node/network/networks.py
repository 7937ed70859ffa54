"""Networks as the agent handles them: it translates, asks the root helper, and passes on that a client has come.

set_up ─► helper applies ─► "applied" ─► a client calls ─► confirm ─► kept
               │                 └ nobody within the time ─┐
               └ any step fails ───────────────────────────┴► what was is back
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from ovis.node.network.errors import ChangeRuns, NetworkError, NotConfirmed, NotUp, Wrong
from ovis.node.network.model import Change
from ovis.node.network.store import Store
from ovis.node.privileged.client import Root
from ovis.node.privileged.errors import HelperLost, PrivilegedError
from ovis.node.privileged.network import (
    ChangeNetworks,
    ConfirmNetworks,
    NetworkOutcome,
    RestoreNetworks,
    SaveNetworks,
    SetVirtualFunctions,
)

log = logging.getLogger(__name__)

APPLY_SECONDS = 120.0
"""For the change itself, beside the wait for a client; hundreds of VLANs take seconds."""
_RETRIES = 3


class Networks:
    """One for an agent; `root` is asked when it is needed."""

    def __init__(self, root: Callable[[], Root], store: Store) -> None:
        self._root = root
        self._store = store
        self._changing = False
        self._is_applied = False
        self._confirming: set[asyncio.Task[None]] = set()

    async def set_up(self, change: Change, *, confirm_within: float | None = None, save: bool = False) -> None:
        """Raises NetworkError (its tree says what holds then), PrivilegedError. When cancelled the change is undone."""
        if self._changing:
            raise ChangeRuns("another change of networks is under way")
        request = ChangeNetworks(
            networks=dict(change.networks), bonds=dict(change.bonds), confirm_within=confirm_within, save=save
        )
        self._changing = True
        try:
            seconds = APPLY_SECONDS + (confirm_within or 0)
            _check(await self._root().call(request, seconds=seconds, told=self._note_progress))
        except HelperLost as error:
            await self._after_a_loss(change, error)
        finally:
            self._changing = self._is_applied = False

    @property
    def is_changing(self) -> bool:
        return self._changing

    def confirm(self) -> None:
        """A client has reached this host. Does not wait."""
        if self._is_applied:
            self._is_applied = False
            task = asyncio.create_task(self._tell(), name="network confirmation")
            self._confirming.add(task)
            task.add_done_callback(self._confirming.discard)

    async def save(self) -> None:
        """Raises NetworkError, PrivilegedError, OSError."""
        _check(await self._root().call(SaveNetworks()))

    async def set_virtual_functions(self, card: str, count: int) -> None:
        """Of the network card at a PCI address. Raises NetworkError, PrivilegedError, OSError."""
        _check(await self._root().call(SetVirtualFunctions(card=card, count=count)))

    async def restore(self) -> None:
        """Raises NetworkError, PrivilegedError, OSError."""
        _check(await self._root().call(RestoreNetworks()))

    def _note_progress(self, done: int, total: int) -> None:
        self._is_applied = True

    async def _tell(self) -> None:
        with contextlib.suppress(PrivilegedError):  # then the change is not confirmed, and says so itself
            await self._root().call(ConfirmNetworks())

    async def _after_a_loss(self, change: Change, loss: HelperLost) -> None:
        """A new helper takes back what the dead one had begun, or finds that it was done."""
        for attempt in range(_RETRIES):
            try:
                await self.restore()
                break
            except PrivilegedError as error:
                log.warning("networks could not be restored yet: %s", error)
                if attempt == _RETRIES - 1:
                    raise
                await asyncio.sleep(0.5)
        running = await asyncio.to_thread(self._store.running)
        if running.changed(change) != running:
            raise NotUp("the root helper died in the middle of the change; the former networks are back") from loss


_ERRORS: dict[str, type[NetworkError]] = {
    kind.wire_name: kind for kind in (NotUp, NotConfirmed, ChangeRuns, NetworkError)
}


def _check(outcome: NetworkOutcome) -> None:
    """Raises what the helper says went wrong."""
    if not outcome.error:
        return
    kind = _ERRORS.get(outcome.error)
    if kind is None:
        raise Wrong(outcome.error, outcome.field, outcome.problem)
    raise kind(outcome.problem, outcome.field)
