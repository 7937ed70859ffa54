"""Finding out where a VM is when libvirt is done with its migration, or when the agent starts and finds one.

Looks here and, where that does not decide it, there (`verdict`); as long as neither is certain the VM stays "Migration
Source" and nobody runs it here. A destination that never answers again is a decision for a human: VM.destroy ends it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node.guest import notices
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.hypervisor.interface import DomainInfo, DomainState
from ovis.node.vm import hook_points
from ovis.node.vm.create import keep_running
from ovis.node.vm.migration import monitor
from ovis.node.vm.migration.status import Departure, Phase
from ovis.node.vm.migration.verdict import Here, There, Verdict, decide, needs_there
from ovis.node.vm.states import Cause, ExitReason, exit_of
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

HELD_FOR = {"migration", "postcopy", "postcopy_failed"}
BACK = {
    VmStatus.UP: Cause.MIGRATION_FAILED,
    VmStatus.POWERING_UP: Cause.MIGRATION_FAILED_BOOTING,
    VmStatus.PAUSED: Cause.MIGRATION_FAILED_PAUSED,
}
ASK_TO_FORGET = 20  # looks at a destination that received a VM and does nothing with it
TIDY_FOR = 600.0
OVERDUE = 30.0
LOST = "It is on neither host any more: it ended here, and the destination does not run it"


async def settle(vms: Vms, vm: Vm, departure: Departure) -> None:
    """Ends with the VM running here, or Down here. Waits as long as that takes."""
    departure.phase = Phase.SETTLING
    pause = vms.migrations.settings.settle_period
    look = _Look(vms, vm, departure)
    try:
        while not vm.is_down and vm.ending is None:
            try:
                if await look.once():
                    return
            except Exception:  # nothing may keep a VM on its way for ever
                log.exception("settling the migration of VM %s went wrong", vm.id)
            await departure.waker.pause(pause)
            pause = min(pause * 1.5, vms.migrations.settings.settle_longest_period)
    finally:
        await departure.releases.aclose()
    departure.finish(Phase.FAILED)  # destroyed here while it was on its way
    _begin_to_tidy(vms, vm, departure)


class _Look:
    """One look after the other; what the last ones saw."""

    def __init__(self, vms: Vms, vm: Vm, departure: Departure) -> None:
        self._vms = vms
        self._vm = vm
        self._departure = departure
        self._began = vms.monotonic()
        self._held = 0

    async def once(self) -> bool:
        """Whether it is settled."""
        vms, vm, departure = self._vms, self._vm, self._departure
        here = await _look_here(vms, vm, departure)
        if here is Here.MOVING:
            departure.phase = Phase.TRANSFERRING
            await monitor.watch(vms, vm, departure, until_gone=True)
            departure.phase = Phase.SETTLING
            here = await _look_here(vms, vm, departure)
        there = There.ABSENT  # as long as libvirt was not asked: whoever has a VM with this id, it is not this one
        if departure.was_sent and needs_there(here):
            there = await _look_there(vms, vm, departure)
        self._held = self._held + 1 if here is Here.HELD else 0
        decision = decide(here, there, post_copy=departure.post_copy)
        # A moment after libvirtd's return a domain that it is about to resume looks held.
        if here is Here.HELD and self._held < 2:
            decision = Verdict.WAIT
        if decision is not Verdict.WAIT:
            return await _act(vms, vm, departure, decision, here)
        if here is Here.HELD and there is There.WAITING and self._held % ASK_TO_FORGET == 0:
            await _ask_to_forget(vms, vm, departure)
        self._tell_waiting(here, there)
        return False

    def _tell_waiting(self, here: Here, there: There) -> None:
        departure = self._departure
        if departure.is_overdue or self._vms.monotonic() - self._began < OVERDUE:
            return
        departure.is_overdue = True
        log.warning(
            "VM %s is %s here and %s at %s: it stays Migration Source until the destination can tell, or until it is "
            "destroyed here", self._vm.id, here.value, there.value, departure.destination,
        )  # fmt: skip


async def _look_here(vms: Vms, vm: Vm, departure: Departure) -> Here:
    if departure.is_proven:
        return Here.PROVEN
    try:
        info = await vms.hypervisor.info(vm.id)
        if await vms.hypervisor.migration.progress(vm.id) is not None:
            return Here.MOVING
    except DomainNotFound:
        return Here.GONE
    except HypervisorError:
        return Here.UNKNOWN
    if info.state is DomainState.SHUT_OFF:
        return Here.GONE
    return Here.HELD if info.state is DomainState.PAUSED and info.reason in HELD_FOR else Here.RUNS


async def _look_there(vms: Vms, vm: Vm, departure: Departure) -> There:
    async with vms.migrations.connect(departure.destination) as other:
        return await other.look(vm.id)


async def _ask_to_forget(vms: Vms, vm: Vm, departure: Departure) -> None:
    async with vms.migrations.connect(departure.destination) as other:
        await other.forget(vm.id)


async def _act(vms: Vms, vm: Vm, departure: Departure, decision: Verdict, here: Here) -> bool:
    """Whether it is done."""
    match decision:
        case Verdict.STAYS:
            return await _stay(vms, vm, departure, here)
        case Verdict.LEFT:
            return await _left(vms, vm, departure, here)
        case _:
            return await _lost(vms, vm, departure, here)


async def _stay(vms: Vms, vm: Vm, departure: Departure, here: Here) -> bool:
    try:
        if here is Here.HELD:
            log.warning(
                "VM %s was left standing by libvirt and never ran at %s: it goes on here", vm.id, departure.destination
            )
            await vms.hypervisor.resume(vm.id)
        info = await vms.hypervisor.info(vm.id)
    except HypervisorError:
        return False
    log.warning("VM %s stays: %s", vm.id, departure.failure or "its migration did not succeed")
    departure.phase = Phase.FAILED
    await keep_running(vms, vm)
    vm.paused_by_disk = vm.paused_by_disk or info.reason == "ioerror"
    vms.move(vm, _back(vm, info))
    departure.finish(Phase.FAILED)
    notices.tell_owed(vms, vm)
    _begin_to_tidy(vms, vm, departure)
    return True


def _back(vm: Vm, info: DomainInfo) -> Cause:
    if info.state is DomainState.PAUSED:
        return Cause.MIGRATION_FAILED_PAUSED
    return Cause.MIGRATION_FAILED if vm.booted else Cause.MIGRATION_FAILED_BOOTING


async def _left(vms: Vms, vm: Vm, departure: Departure, here: Here) -> bool:
    if here in (Here.HELD, Here.RUNS):
        log.warning("VM %s runs at %s: what libvirt left of it here is ended", vm.id, departure.destination)
        if not await _end_here(vms, vm):
            return False
    departure.progress = 100
    departure.finish(Phase.DONE)
    monitor.tell(vms, vm, departure)
    vms.end(vm, exit_of(ExitReason.MIGRATION_SUCCEEDED))
    vms.own(_tell_hooks(vms, vm), f"hooks after the migration of VM {vm.id}")
    return True


async def _tell_hooks(vms: Vms, vm: Vm) -> None:
    await hook_points.devices(vms, vm, "after_device_migrate_source")
    await hook_points.domain(vms, vm, "after_vm_migrate_source")


async def _lost(vms: Vms, vm: Vm, departure: Departure, here: Here) -> bool:
    if here is Here.HELD and not await _end_here(vms, vm):
        return False
    departure.finish(Phase.FAILED)
    if departure.post_copy:
        vms.end(vm, exit_of(ExitReason.POSTCOPY_MIGRATION_FAILED))
    else:
        vms.end(vm, departure.end or exit_of(ExitReason.LIBVIRT_DOMAIN_MISSING, LOST))
    _begin_to_tidy(vms, vm, departure)
    return True


async def _end_here(vms: Vms, vm: Vm) -> bool:
    try:
        await vms.hypervisor.destroy(vm.id)
    except DomainNotFound:
        return True
    except HypervisorError as error:
        log.warning("the rest of VM %s could not be ended: %s", vm.id, error)
        return False
    return True


def _begin_to_tidy(vms: Vms, vm: Vm, departure: Departure) -> None:
    if not departure.was_announced:
        return
    departure.tidying = vms.own(_tidy(vms, vm, departure), f"tidy up after VM {vm.id}")


async def _tidy(vms: Vms, vm: Vm, departure: Departure) -> None:
    """Let the destination forget a VM that did not come. What it does not hear in time it finds out by itself."""
    until = vms.monotonic() + TIDY_FOR
    pause = vms.migrations.settings.settle_period
    while vms.monotonic() < until and vm.departure is departure:
        async with vms.migrations.connect(departure.destination) as other:
            there = await other.look(vm.id)
            if there is There.ABSENT:
                return
            if there in (There.RUNS, There.ENDED):
                await _found_there(vms, vm, departure, there)
                return
            if there is not There.UNKNOWN and await other.forget(vm.id):
                return
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, vms.migrations.settings.settle_longest_period)


async def _found_there(vms: Vms, vm: Vm, departure: Departure, there: There) -> None:
    """The connection broke in the moment of the switch-over, so that each libvirt believes to have the VM. The copy
    over there was started when the one here stood still; it counts."""
    if not departure.was_sent or there is not There.RUNS or vm.is_down or vm.ending is not None:
        return
    if await _end_here(vms, vm):
        log.error("VM %s ran on this host and at %s after a broken migration: ended here", vm.id, departure.destination)
        vms.end(vm, exit_of(ExitReason.MIGRATION_SUCCEEDED))
