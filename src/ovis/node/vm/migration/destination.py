"""A VM arrives on this host.

`accept` answers when the VM is entered as "Migration Destination" and the record says so. From then on it ends here
running, paused as it was, or Down with reason 8; libvirt's word decides, never the source's. What does not appear in
time is given up, so a source that died leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import VmDefinition, VmParameters, VmStatus
from ovis.node.errors import MissingParameter, VmExists
from ovis.node.guest import notices
from ovis.node.guest.notices import Notice
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.hypervisor.interface import DomainInfo, DomainState
from ovis.node.vm import ending, hook_points, lease_places, safe_xml, statistics
from ovis.node.vm.create import forget_record, keep_running, refuse_disks_in_use, refuse_foreign
from ovis.node.vm.errors import CreateFailed
from ovis.node.vm.migration.errors import TooManyArrive
from ovis.node.vm.migration.status import Arrival
from ovis.node.vm.prepare import canonical_id
from ovis.node.vm.states import Cause, ExitReason, exit_of
from ovis.node.vm.store import Intent
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # events are quicker; this is for those that were missed
NOT_YET = {"migration", "starting_up", "unknown"}
BROKE_OFF = ExitReason.MIGRATION_FAILED
NEVER_CAME = "The source announced the VM and never sent it"


async def accept(vms: Vms, vm_id: str, given: VmDefinition, *, incoming_limit: int | None) -> VmDefinition:
    """Expect a VM. After an error nothing is left of it.

    Raises TooManyArrive, VmExists, BadParameter and its kind, CreateFailed, HookFailed, HypervisorError.
    """
    vm_id = canonical_id(vm_id, "vmID")
    await _forget_failed(vms, vm_id)
    if vms.get(vm_id) is not None:
        raise VmExists(vm_id)
    _take_place(vms, incoming_limit)
    async with vms.accepting(vm_id):
        vm = await _entered(vms, vm_id, given)
        vm.notice = Notice("after_migration") if given.enable_guest_events else None
        vm.arrival = Arrival(vms.monotonic() + vms.migrations.settings.appear_within)
        vms.add(vm)  # refuses an id or a name that came between
        vms.move(vm, Cause.MIGRATION_AWAITED)
        try:
            _take_place(vms, incoming_limit, present=1)  # others may have come between
            await vms.save(vm, Intent.ARRIVING)
        except (OSError, HypervisorError) as error:
            vms.drop(vm)
            await forget_record(vms, vm.id)
            raise CreateFailed(vm.id, f"its record could not be written: {error}") from error
        except TooManyArrive:
            vms.drop(vm)
            raise
        except asyncio.CancelledError:
            vms.drop(vm)
            vms.own(forget_record(vms, vm.id), f"undo the arrival of VM {vm.id}")
            raise
    vms.own(watch(vms, vm), f"await VM {vm.id}")
    return msgspec.structs.replace(statistics.definition(vm), display_ip=vms.settings.display_address)


async def _entered(vms: Vms, vm_id: str, given: VmDefinition) -> Vm:
    text = given.src_dom_xml or given.xml
    if not text:
        raise MissingParameter("params.xml", "the domain XML of the VM on its source host")
    text = safe_xml.without_options(text, "params.xml")  # libvirt gets them from the source's libvirt
    start = vms.clock() - max(given.elapsed_time_offset or 0.0, 0.0)
    limits = await vms.limits.get()
    prepared = await vms.preparer.prepare(vm_id, VmParameters(xml=text), limits, now=start)
    await refuse_foreign(vms, prepared.definition.id, prepared.definition.name)
    vm = Vm(prepared.definition, prepared.xml, start_time=start)
    refuse_disks_in_use(vms, vm)
    await hook_points.devices(vms, vm, "before_device_migrate_destination")
    await hook_points.domain(vms, vm, "before_vm_migrate_destination")
    return vm


async def _forget_failed(vms: Vms, vm_id: str) -> None:
    """An earlier arrival that broke off, and that its source has not taken back."""
    known = vms.get(vm_id)
    if known is not None and known.exit is not None and known.is_down and known.exit.reason is BROKE_OFF:
        await ending.destroy(vms, known, graceful_attempts=0)


def _take_place(vms: Vms, limit: int | None, *, present: int = 0) -> None:
    if limit:
        vms.migrations.incoming_limit = limit
    arriving = sum(1 for vm in vms if vm.status is VmStatus.MIGRATION_DESTINATION) - present
    if arriving >= vms.migrations.incoming_limit:
        raise TooManyArrive(arriving, vms.migrations.incoming_limit)


async def watch(vms: Vms, vm: Vm) -> None:
    """Until the VM has arrived or is Down."""
    arrival = vm.arrival
    assert arrival is not None
    while vm.status is VmStatus.MIGRATION_DESTINATION and vm.ending is None:
        try:
            info = await vms.hypervisor.info(vm.id)
        except DomainNotFound:
            if arrival.has_appeared or vms.monotonic() >= arrival.appear_by:
                _never_came(vms, vm, "" if arrival.has_appeared else NEVER_CAME)
                return
        except HypervisorError as error:
            log.debug("VM %s, which arrives, cannot be looked at: %s", vm.id, error)
        else:
            arrival.has_appeared = True
            if info.reason == "postcopy_failed":
                await post_copy_failed(vms, vm)
                return
            if not is_waiting(info):
                await arrived(vms, vm, info)
                return
        await arrival.waker.pause(LOOK_EVERY)


def is_waiting(info: DomainInfo) -> bool:
    """Its memory is still on the way, or all here and not yet started."""
    return info.state is DomainState.PAUSED and info.reason in NOT_YET


async def arrived(vms: Vms, vm: Vm, info: DomainInfo) -> None:
    log.info("VM %s (%s) has arrived", vm.id, vm.name)
    vm.arrival = None
    vm.booted = True
    vms.move(vm, Cause.ARRIVED_PAUSED if info.state is DomainState.PAUSED else Cause.ARRIVED)
    await vms.refresh(vm)
    if vm.is_down:
        return
    if lease := await lease_places.missing(vms.leases, vm.xml):  # its source has given it up: there is no way back
        log.error("VM %s runs here without its lease %s: is libvirt's lock manager sanlock?", vm.id, lease)
    vms.watch_guest(vm)
    notices.tell_owed(vms, vm)
    await keep_running(vms, vm)
    await hook_points.devices(vms, vm, "after_device_migrate_destination")
    await hook_points.domain(vms, vm, "after_vm_migrate_destination")


def _never_came(vms: Vms, vm: Vm, why: str) -> None:
    log.warning("VM %s (%s) did not arrive: %s", vm.id, vm.name, why or "libvirt gave it up")
    vm.arrival = None
    vms.end(vm, exit_of(ExitReason.MIGRATION_FAILED, why))


def stopped(vms: Vms, vm: Vm) -> None:
    """libvirt has ended what was arriving."""
    _never_came(vms, vm, "")


async def post_copy_failed(vms: Vms, vm: Vm) -> None:
    """Part of the guest's memory is lost for ever: no copy of it can go on."""
    log.error("VM %s lost its source before all of its memory was here", vm.id)
    try:
        await vms.hypervisor.destroy(vm.id)
    except DomainNotFound:
        pass
    except HypervisorError as error:
        log.warning("VM %s could not be ended: %s", vm.id, error)
        return
    vms.end(vm, exit_of(ExitReason.POSTCOPY_MIGRATION_FAILED))
