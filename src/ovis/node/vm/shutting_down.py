"""VM.shutdown: ask the guest, then ask harder, then (only with `force`) cut its power or reset it.

The ladder: oVirt agent, QEMU guest agent, ACPI power button, force. The first step that can be taken is taken before
the answer; the others follow in a task of the VM, each after `timeout` seconds without success. Only the oVirt agent
can show `message` to the users; a `delay` that was asked for is waited for in any case, since whoever asked may have
warned the users himself.

For a shutdown success is that the VM is Down, for a reboot that its machine was reset.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node.errors import VmNotRunning
from ovis.node.guest import desktop
from ovis.node.guest.ovirt_agent.agents import AgentSilent
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import ShutdownMode
from ovis.node.vm.states import Cause, ExitReason
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

AGENT_DEADLINE = 5.0


@dataclass(frozen=True)
class Wish:
    """Times in seconds. `message` is for the users of the guest."""

    reboot: bool
    force: bool
    delay: float
    timeout: float
    message: str = ""

    @property
    def cause(self) -> Cause:
        return Cause.REBOOT_ASKED if self.reboot else Cause.SHUTDOWN_ASKED

    def __str__(self) -> str:
        return "reboot" if self.reboot else "shut down"


@dataclass(frozen=True)
class Step:
    name: str
    take: Callable[[], Awaitable[None]]


async def shut_down(vms: Vms, vm: Vm, wish: Wish) -> None:
    """Returns when the first step was taken (or, with a delay, planned). A later call replaces an earlier one.

    Raises VmNotRunning, VmBusy, HypervisorError: no step could be taken, nothing has changed.
    """
    if not vm.has_qemu or (vm.status is VmStatus.PAUSED and not wish.force):
        raise VmNotRunning(vm.id, vm.status.value)
    async with vm.claim("shutdown"):
        if vm.escalation is not None:
            vm.escalation.cancel()
        resets = vm.resets
        steps = _ladder(vms, vm, wish)
        asked, vm.asked = vm.asked, None if wish.reboot else ExitReason.ADMIN_SHUTDOWN  # a quick guest is gone at once
        if wish.delay <= 0:
            try:
                await _first(vm, steps)
            except HypervisorError:
                vm.asked = asked
                raise
        vms.move(vm, wish.cause)
        vm.escalation = vms.own(_follow_up(vms, vm, wish, steps, resets), f"{wish} VM {vm.id}")


def _ladder(vms: Vms, vm: Vm, wish: Wish) -> list[Step]:
    hypervisor = vms.hypervisor
    ask = hypervisor.reboot if wish.reboot else hypervisor.shutdown
    steps: list[Step] = []
    if vm.status is not VmStatus.PAUSED:
        if vms.desktops.answers(vm.id):
            steps.append(
                Step("oVirt agent", lambda: desktop.shut_down(vms, vm, reboot=wish.reboot, message=wish.message))
            )
        if vm.definition.has_agent_channel:
            steps.append(Step("guest agent", lambda: ask(vm.id, ShutdownMode.AGENT, deadline=AGENT_DEADLINE)))
        steps.append(Step("ACPI", lambda: ask(vm.id, ShutdownMode.ACPI)))
    if wish.force:
        end = hypervisor.reset if wish.reboot else hypervisor.destroy
        steps.append(Step("force", lambda: end(vm.id)))
    return steps


async def _first(vm: Vm, steps: list[Step]) -> None:
    """Take the first step that can be taken; those before it are used up."""
    while True:
        step = steps.pop(0)
        try:
            await step.take()
        except (HypervisorError, AgentSilent) as error:
            log.info("VM %s cannot be asked by %s: %s", vm.id, step.name, error)
            if not steps:
                raise
        else:
            log.info("VM %s was asked by %s", vm.id, step.name)
            return


async def _follow_up(vms: Vms, vm: Vm, wish: Wish, steps: list[Step], resets: int) -> None:
    if wish.delay > 0:
        await asyncio.sleep(wish.delay)
        await _first_or_log(vm, steps)
    while not await vm.until(lambda: _is_done(vm, wish, resets), seconds=wish.timeout):
        if not steps:
            log.warning("VM %s did not %s within the time given", vm.id, wish)
            vm.asked = None
            vms.move(vm, Cause.REQUEST_IGNORED)
            return
        await _first_or_log(vm, steps)


async def _first_or_log(vm: Vm, steps: list[Step]) -> None:
    if vm.is_down or not steps:
        return
    try:
        await _first(vm, steps)
    except (HypervisorError, AgentSilent) as error:
        log.warning("no more ways to ask VM %s: %s", vm.id, error)


def _is_done(vm: Vm, wish: Wish, resets: int) -> bool:
    return vm.is_down or (wish.reboot and vm.resets > resets)
