"""Frozen file systems for the moment in which a snapshot or a backup is taken.

The caller has noted before that the guest may be frozen, so that an agent that starts again thaws it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.guest.freezing import is_frozen
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

FREEZE = 60.0  # a guest with much unwritten data flushes it first
THAW = 20.0
THAW_ATTEMPTS = 3


@dataclass
class Freeze:
    """`file_systems`: how many are frozen; None: the guest could not be asked, `why`."""

    file_systems: int | None = None
    why: str = ""
    since: float = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since


@asynccontextmanager
async def frozen(vms: Vms, vm: Vm) -> AsyncIterator[Freeze]:
    """For the time of the block. Whatever happens inside, the guest is thawed; whether it is frozen is told.

    A guest that a client has frozen stays so, and it is that client's to thaw.
    """
    if is_frozen(vm):
        yield Freeze(file_systems=0, since=time.monotonic())
        return
    found = Freeze(since=time.monotonic())
    try:
        found.file_systems, found.why = await _freeze(vms, vm)
        yield found
    finally:
        # Also after a freeze that did not answer: the guest may do it late.
        if found.file_systems is not None or "not available" not in found.why:
            await asyncio.shield(thaw(vms, vm))


async def thaw(vms: Vms, vm: Vm) -> bool:
    """Safe to repeat, harmless to a guest that is not frozen. Whether the guest has answered."""
    for attempt in range(1, THAW_ATTEMPTS + 1):
        try:
            await vms.hypervisor.agent(vm.id, {"execute": "guest-fsfreeze-thaw"}, deadline=THAW)
        except DomainNotFound:
            return False
        except HypervisorError as error:
            log.warning("VM %s is not thawed (attempt %d of %d): %s", vm.id, attempt, THAW_ATTEMPTS, error)
        else:
            return True
    return False


async def _freeze(vms: Vms, vm: Vm) -> tuple[int | None, str]:
    try:
        count = await vms.hypervisor.agent(vm.id, {"execute": "guest-fsfreeze-freeze"}, deadline=FREEZE)
    except DomainNotFound:
        raise
    except HypervisorError as error:
        return None, str(error)
    return (count if isinstance(count, int) else 0), ""
