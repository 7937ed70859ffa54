"""Migrations that the last life of the agent, or libvirt's absence, has left open.

| record    | domain             | then                                                                  |
|-----------|--------------------|-----------------------------------------------------------------------|
| leaving   | any, also none     | Migration Source again, until it is settled where the VM is           |
| arriving  | none               | it may still come: awaited as long as after the announcement          |
| arriving  | paused, incoming   | Migration Destination again; libvirt's events or looks tell the rest  |
| arriving  | runs, or paused    | it has arrived                                                        |
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.events import JobCompleted, Paused, Resumed, Stopped
from ovis.node.hypervisor.interface import DomainInfo
from ovis.node.vm.migration import convergence, destination, settling
from ovis.node.vm.migration.convergence import Schedule
from ovis.node.vm.migration.status import Arrival, Departure, StoredDeparture
from ovis.node.vm.states import exit_after_stop
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)


def resume_departure(vms: Vms, vm: Vm, stored: StoredDeparture) -> None:
    """The VM is known to `vms` and was leaving."""
    log.warning("VM %s (%s) was on its way to %s: finding out where it is", vm.id, vm.name, stored.destination)
    vm.departure = Departure(
        stored.destination,
        _schedule(stored),
        given_schedule=stored.schedule,
        was_announced=True,
        was_sent=stored.sent,
        post_copy=stored.post_copy,
    )
    vm.booted = True
    vm.status = VmStatus.MIGRATION_SOURCE
    vm.touch()
    vm.departure.task = vms.own(_settle(vms, vm, vm.departure), f"settle VM {vm.id}")


def _schedule(stored: StoredDeparture) -> Schedule:
    try:
        return convergence.read(stored.schedule)
    except BadParameter:  # of another release
        return convergence.DEFAULT


async def _settle(vms: Vms, vm: Vm, departure: Departure) -> None:
    async with AsyncExitStack() as held:
        await held.enter_async_context(vm.claim("migration"))
        await settling.settle(vms, vm, departure)


def resume_arrival(vms: Vms, vm: Vm, info: DomainInfo | None) -> None:
    """The VM is known to `vms` and was arriving."""
    vm.arrival = Arrival(vms.monotonic() + vms.migrations.settings.appear_within, has_appeared=info is not None)
    vm.status = VmStatus.MIGRATION_DESTINATION
    vm.touch()
    vms.own(destination.watch(vms, vm), f"await VM {vm.id}")


def look_again(vm: Vm) -> bool:
    """After libvirt was away: whether a migration of this VM looks for itself."""
    if vm.status is VmStatus.MIGRATION_DESTINATION and vm.arrival is not None:
        vm.arrival.waker.wake()
        return True
    if vm.departure is not None and vm.departure.is_active:
        vm.departure.waker.wake()
        return True
    if vm.saving is not None:
        vm.saving.waker.wake()
        return True
    return False


# Events: whether the migration takes it, so that nobody else does


def on_stopped(vms: Vms, vm: Vm, event: Stopped) -> bool:
    if vm.ending is not None:
        return False
    if vm.status is VmStatus.MIGRATION_DESTINATION:
        destination.stopped(vms, vm)
        return True
    departure = vm.departure
    if departure is None or not departure.is_active:
        return False
    departure.has_stopped = True
    if event.reason == "migrated":
        departure.is_proven = True
    else:
        departure.end = exit_after_stop(event.reason, asked=vm.asked, host_told=vm.host_told)
    departure.waker.wake()
    vm.touch()
    return True


def on_resumed(vm: Vm, _event: Resumed) -> None:
    _wake(vm)


def on_paused(vms: Vms, vm: Vm, event: Paused) -> None:
    _wake(vm)
    if event.reason == "postcopy_failed" and vm.departure is None and vm.has_qemu:
        vms.own(destination.post_copy_failed(vms, vm), f"end VM {vm.id}")


def on_iteration(_vms: Vms, vm: Vm, _event: object) -> None:
    _wake(vm)


def on_job_completed(_vms: Vms, vm: Vm, event: JobCompleted) -> None:
    """The only place where the downtime is told: the domain, and its statistics with it, are gone a moment later."""
    downtime = event.parameters.get("downtime")
    if vm.departure is not None and isinstance(downtime, int):
        vm.departure.downtime = downtime


def _wake(vm: Vm) -> None:
    if vm.departure is not None:
        vm.departure.waker.wake()
    if vm.arrival is not None:
        vm.arrival.waker.wake()
