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
from ovis.node.hypervisor.errors import AgentError, DomainNotFound, HypervisorError
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

FREEZE = 60.0  # a guest with much unwritten data flushes it first
THAW = 20.0
AGAIN = 5.0
ATTEMPTS = 120  # ten minutes: a guest that was told to freeze and could not say so is very busy


@dataclass
class Freeze:
    """`file_systems`: how many are frozen; None: none is, `why`. `since`: monotonic, in seconds."""

    since: float
    file_systems: int | None = None
    why: str = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since


@asynccontextmanager
async def frozen(vms: Vms, vm: Vm) -> AsyncIterator[Freeze]:
    """For the time of the block. Whatever happens inside, the guest is thawed; whether it is frozen is told.

    A guest that a client has frozen stays so, and it is that client's to thaw.
    """
    found = Freeze(since=time.monotonic())
    if is_frozen(vm):
        found.file_systems = 0
        yield found
        return
    if not vm.definition.has_agent_channel:
        found.why = "it has no channel to an agent"
        yield found
        return
    try:
        found.file_systems, found.why = await _freeze(vms, vm)
        yield found
    finally:
        # Also after a freeze that was not answered: the guest may do it late.
        await asyncio.shield(thaw(vms, vm))


async def thaw(vms: Vms, vm: Vm) -> None:
    """Harmless to a guest that is not frozen. One that does not answer is asked again, by a task of its own."""
    if vm.definition.has_agent_channel and not await _is_thawed(vms, vm):
        vms.own(_thaw_later(vms, vm), f"thaw VM {vm.id}")


async def _thaw_later(vms: Vms, vm: Vm) -> None:
    for _ in range(ATTEMPTS):
        await vm.until(lambda: vm.is_down, seconds=AGAIN)
        if await _is_thawed(vms, vm):
            return
    log.error("VM %s may be frozen: its agent has not answered for %g s", vm.id, ATTEMPTS * AGAIN)


async def _is_thawed(vms: Vms, vm: Vm) -> bool:
    """Also when there is nobody to ask any more, or when a client has frozen it meanwhile."""
    if is_frozen(vm) or not vm.has_qemu:
        return True
    try:
        await vms.hypervisor.agent(vm.id, {"execute": "guest-fsfreeze-thaw"}, deadline=THAW)
    except DomainNotFound:
        return True
    except AgentError as error:
        log.warning("the agent of VM %s does not thaw: %s", vm.id, error)
        return True  # it answers, so it can be asked by others
    except HypervisorError as error:
        log.info("VM %s cannot be thawed now: %s", vm.id, error)
        return False
    return True


async def _freeze(vms: Vms, vm: Vm) -> tuple[int | None, str]:
    try:
        count = await vms.hypervisor.agent(vm.id, {"execute": "guest-fsfreeze-freeze"}, deadline=FREEZE)
    except DomainNotFound:
        raise
    except HypervisorError as error:
        return None, str(error)
    return (count if isinstance(count, int) else 0), ""
