"""The clock of a guest stands still while its CPUs do; afterwards its agent is asked to set it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ovis.node.hypervisor.errors import AgentError, HypervisorError

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

TRIES = 3
AGAIN_SECONDS = 2.0
NANOSECONDS = 1_000_000_000
MOVES = {"migrated", "postcopy"}
"""Reasons of a resume after which the clock is right to some milliseconds."""


def after_resume(vms: Vms, vm: Vm, reason: str) -> None:
    if vm.definition.has_agent_channel and reason not in MOVES:
        vms.own(set_clock(vms, vm), f"set the clock of VM {vm.id}")


async def set_clock(vms: Vms, vm: Vm) -> None:
    """Gives up when nobody answers: a guest without an agent may have other means to know the time."""
    for _ in range(TRIES):
        now = int(vms.clock() * NANOSECONDS)
        try:
            await vms.hypervisor.agent(vm.id, {"execute": "guest-set-time", "arguments": {"time": now}})
        except AgentError as error:
            log.info("the clock of VM %s was not set: %s", vm.id, error)
            return
        except HypervisorError as error:
            log.debug("the clock of VM %s was not set: %s", vm.id, error)
            if await vm.until(lambda: vm.is_down, seconds=AGAIN_SECONDS):
                return
        else:
            return
