"""Watching a transfer: its progress is told, and the convergence schedule is carried out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from ovis.client import codec
from ovis.client.types import MigrationProgress
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.migration import JobKind, JobProgress
from ovis.node.vm.create import keep_running
from ovis.node.vm.migration.convergence import Abort, Action, Convergence, PostCopy, SetDowntime
from ovis.node.vm.migration.status import Departure
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

FIRST_LOOK = 0.05


async def watch(vms: Vms, vm: Vm, departure: Departure, *, until_gone: bool = False) -> None:
    """Until cancelled; with `until_gone` until there is no job (any more), or libvirt does not say."""
    settings = vms.migrations.settings
    began = vms.monotonic()
    convergence = Convergence(departure.schedule, patience=settings.patience, pace=settings.pace, now=began)
    has_begun = until_gone  # an earlier life of the agent has begun it
    is_first = True
    while True:
        if not (until_gone and is_first):
            await departure.waker.pause(settings.sample_period if has_begun else FIRST_LOOK)
        is_first = False
        try:
            job = await vms.hypervisor.migration.progress(vm.id)
        except HypervisorError as error:
            log.debug("the migration of VM %s cannot be looked at: %s", vm.id, error)
            job = None
        if job is None or job.kind is not JobKind.MIGRATION_OUT:
            if until_gone:
                return
            continue
        if job.total and not has_begun:
            has_begun = True
            await _limit(vms, vm, departure)
            await _take_all(vms, vm, departure, departure.schedule.init)
        _note(vms, vm, departure, job)
        due: list[Action] = []
        if job.total:  # before that nothing is said of what remains
            due = convergence.observe(iteration=job.iteration, remaining=job.remaining, now=vms.monotonic())
        if vms.monotonic() - began > settings.longest:
            due.append(Abort(f"it has not ended within {settings.longest:.0f} s"))
        await _take_all(vms, vm, departure, due)


async def _limit(vms: Vms, vm: Vm, departure: Departure) -> None:
    """A limit that was changed while libvirt prepared the transfer: it began with the one from before."""
    if departure.bandwidth is None:
        return
    try:
        await vms.hypervisor.migration.set_bandwidth(vm.id, departure.bandwidth or vms.migrations.settings.bandwidth)
    except HypervisorError as error:
        log.warning("the migration of VM %s keeps its bandwidth: %s", vm.id, error)


def _note(vms: Vms, vm: Vm, departure: Departure, job: JobProgress) -> None:
    percent = 100 * (job.total - job.remaining) // job.total if job.total else 0
    percent = min(max(percent, departure.progress), 99)  # 100 is said when the VM is there
    if percent != departure.progress:
        departure.progress = percent
        tell(vms, vm, departure)


def tell(vms: Vms, vm: Vm, departure: Departure) -> None:
    """Publish the progress, and show it in the statistics."""
    vm.touch()
    progress = MigrationProgress(
        progress_percent=float(departure.progress),
        postcopy=departure.post_copy,
        downtime_ms=float(departure.downtime) if departure.downtime else None,
    )
    vms.events.publish(f"|virt|VM_migration_status|{vm.id}", {vm.id: msgspec.Raw(codec.encode_value(progress))})


async def _take_all(vms: Vms, vm: Vm, departure: Departure, actions: list[Action] | tuple[Action, ...]) -> None:
    for action in actions:
        try:
            await _take(vms, vm, departure, action)
        except HypervisorError as error:
            log.warning("the migration of VM %s: %s was not possible: %s", vm.id, action, error)


async def _take(vms: Vms, vm: Vm, departure: Departure, action: Action) -> None:
    migration = vms.hypervisor.migration
    match action:
        case _ if departure.post_copy:
            return  # nothing is left to choose
        case SetDowntime(seconds):
            log.info("the migration of VM %s may stop the guest for %.0f ms", vm.id, seconds * 1000)
            await migration.set_downtime(vm.id, seconds)
        case PostCopy():
            log.info("VM %s is switched over to %s, its memory follows", vm.id, departure.destination)
            departure.post_copy = True
            await keep_running(vms, vm)  # before libvirt is asked: from then on no copy here may run again
            try:
                await migration.start_post_copy(vm.id)
            except HypervisorError:
                departure.post_copy = False
                await keep_running(vms, vm)
                raise
            tell(vms, vm, departure)
        case Abort(why):
            log.warning("the migration of VM %s is given up: %s", vm.id, why)
            departure.failure = departure.failure or why
            await migration.cancel(vm.id)
