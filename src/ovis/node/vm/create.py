"""VM.create and the launch that follows it.

The answer comes when all checks have passed and the record is on the disk: from then on the VM exists, and whatever
happens it ends running or Down with a reason. libvirt is asked afterwards, by a task of `Vms`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ovis.client.types import VmDefinition, VmParameters
from ovis.node.errors import BadParameter, NodeError, VmExists
from ovis.node.guest import clock, notices
from ovis.node.guest.notices import Notice
from ovis.node.hooks import launch_flags
from ovis.node.hooks.errors import HookFailed
from ovis.node.hypervisor.errors import DeadlineExceeded, DomainNotFound, HypervisorError, HypervisorLost
from ovis.node.hypervisor.interface import DomainInfo, DomainState
from ovis.node.vm import external_return, hook_points, lease_places, saved_memory, statistics
from ovis.node.vm.disk_users import writers
from ovis.node.vm.errors import CreateFailed
from ovis.node.vm.hotplug import host_devices
from ovis.node.vm.prepare import canonical_id
from ovis.node.vm.states import Cause, ExitReason, exit_of
from ovis.node.vm.store import Intent
from ovis.node.vm.unfinished_start import REMNANT, is_unfinished
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LATE = 60.0  # how long a start that passed its deadline may still succeed
LOOK_EVERY = 1.0


async def create(vms: Vms, vm_id: str, given: VmParameters) -> VmDefinition:
    """Accept a new VM. After an error nothing is left of it.

    Raises VmExists, BadParameter and its kind, ExternalDataFailed, CreateFailed, HypervisorError.
    """
    _refuse_known(vms, vm_id)
    is_from_disk = bool(given.hiber_vol_handle)
    async with vms.accepting(canonical_id(vm_id, "vmID")):
        memory = await saved_memory.path_of(vms, vm_id, given)
        if memory is not None:
            given = await saved_memory.machine_of(vms, given, memory)
        try:
            vm = await _prepared(vms, vm_id, given)
        except HookFailed as error:
            raise CreateFailed(vm_id, str(error)) from error
        vm.restored_from = memory
        vm.is_from_snapshot = memory is not None and not is_from_disk
        vm.notice = Notice("after_hibernation") if is_from_disk else None
        vms.add(vm)  # again, for another call may have come between
        try:
            await external_return.hand_back(vms, vm, given)
            await vms.save(vm, Intent.CREATING)
        except NodeError:
            vms.drop(vm)
            raise
        except (OSError, HypervisorError) as error:
            vms.drop(vm)
            await forget_record(vms, vm.id)
            raise CreateFailed(vm.id, f"its record could not be written: {error}") from error
        except asyncio.CancelledError:
            vms.drop(vm)
            vms.own(forget_record(vms, vm.id), f"undo the creation of VM {vm.id}")
            raise
    vm.launch = vms.own(launch(vms, vm), f"launch VM {vm.id}")
    return statistics.definition(vm)


async def _prepared(vms: Vms, vm_id: str, given: VmParameters) -> Vm:
    limits = await vms.limits.get()
    prepared = await vms.preparer.prepare(
        vm_id, given, limits, now=vms.clock(), host_devices=await host_devices.named(vms, given)
    )
    await refuse_foreign(vms, prepared.definition.id, prepared.definition.name)
    vm = Vm(prepared.definition, prepared.xml, start_time=prepared.start_time, launch_paused=prepared.launch_paused)
    vm.changes = prepared.changes
    refuse_disks_in_use(vms, vm)
    return vm


async def launch(vms: Vms, vm: Vm) -> None:
    """Start the VM; it ends running, or Down with the words of libvirt or of a hook."""
    if vm.ending is not None:
        vms.end(vm, exit_of(ExitReason.DESTROYED_ON_STARTUP))
        return
    try:
        await _start(vms, vm)
    except HypervisorLost as error:
        # It may run or not; `recovery.resync` looks when libvirt is back.
        log.warning("libvirt went away while VM %s was being started: %s", vm.id, error)
        return
    except DeadlineExceeded as error:
        if not error.started or not await _comes_late(vms, vm):
            _failed(vms, vm, error)
            return
    except (HypervisorError, NodeError) as error:
        _failed(vms, vm, error)
        return
    except Exception as error:
        log.exception("starting VM %s failed in an unforeseen way", vm.id)
        _failed(vms, vm, error)
        return
    await vms.refresh(vm)
    info = await _look(vms, vm)
    if info is None:
        vms.end(vm, exit_of(ExitReason.LOST_QEMU_CONNECTION, "QEMU ended right after its start"))
        return
    if await _is_unprotected(vms, vm, info):
        return
    vm.paused_by_disk = info.reason == "ioerror"
    paused = info.state is DomainState.PAUSED
    vms.move(vm, Cause.LAUNCHED_PAUSED if paused else Cause.LAUNCHED)
    vms.move(vm, Cause.RESTORED_PAUSED if paused else Cause.RESTORED)
    if vm.restored_from is not None and not paused:
        clock.after_resume(vms, vm, "restored")
    notices.tell_owed(vms, vm)
    if vm.ending is None:
        await keep_running(vms, vm)
    await hook_points.devices(vms, vm, "after_device_create")
    await hook_points.domain(vms, vm, f"after_{_way(vm)}", _told(vm))


async def _is_unprotected(vms: Vms, vm: Vm, info: DomainInfo) -> bool:
    """Whether it was ended, because a lease that is to keep it from running twice is not held."""
    if info.state is DomainState.PAUSED:  # it is taken when the guest goes on
        return False
    lease = await lease_places.missing(vms.leases, vm.xml)
    if not lease:
        return False
    try:
        await vms.hypervisor.destroy(vm.id)
    except DomainNotFound:
        pass
    except HypervisorError as error:
        log.error("VM %s runs without its lease %s and could not be ended: %s", vm.id, lease, error)  # noqa: TRY400
        return False
    why = f"libvirt did not take its lease {lease}: is `lock_manager` in qemu.conf sanlock?"
    log.error("VM %s was ended: %s", vm.id, why)
    vms.end(vm, exit_of(ExitReason.LIBVIRT_START_FAILED, why))
    return True


async def _start(vms: Vms, vm: Vm) -> None:
    """Raises HookFailed: nothing was started."""
    async with launch_flags.offered(vms, vm):
        await hook_points.new_devices(vms, vm, "before_device_create")
        await hook_points.new_domain(vms, vm, f"before_{_way(vm)}", _told(vm))
    if vm.ending is not None:
        raise CreateFailed(vm.id, "it was destroyed while its hooks ran")
    if vm.restored_from is None:
        await vms.hypervisor.create(vm.xml, paused=vm.launch_paused)
        return
    vms.move(vm, Cause.RESTORE_STARTED)
    await vms.hypervisor.migration.restore(vm.restored_from, paused=vm.launch_paused, xml=vm.xml)


def _way(vm: Vm) -> str:
    return "vm_start" if vm.restored_from is None else "vm_dehibernate"


def _told(vm: Vm) -> dict[str, str]:
    return {} if vm.restored_from is None else {"FROM_SNAPSHOT": str(vm.is_from_snapshot)}


async def keep_running(vms: Vms, vm: Vm) -> None:
    """Note that the VM runs. A failure is survived: recovery also finds a VM whose record says less."""
    try:
        await vms.save(vm, Intent.RUNNING)
    except (OSError, HypervisorError) as error:
        log.warning("the record of VM %s could not be written: %s", vm.id, error)


def _failed(vms: Vms, vm: Vm, error: Exception) -> None:
    log.warning("VM %s was not started: %s", vm.id, error)
    vms.end(vm, exit_of(ExitReason.LIBVIRT_START_FAILED, str(error)))


async def _comes_late(vms: Vms, vm: Vm) -> bool:
    for _ in range(int(LATE / LOOK_EVERY)):
        if await _look(vms, vm) is not None:
            return True
        await asyncio.sleep(LOOK_EVERY)
    return False


async def _look(vms: Vms, vm: Vm) -> DomainInfo | None:
    """None: there is no domain. When libvirt does not say, it is as wanted: a resync puts right what is wrong then."""
    try:
        return await vms.hypervisor.info(vm.id)
    except DomainNotFound:
        return None
    except HypervisorError as error:
        log.warning("the state of VM %s after its start is not known: %s", vm.id, error)
        state = DomainState.PAUSED if vm.launch_paused else DomainState.RUNNING
        return DomainInfo(vm.id, vm.name, state, "unknown")


def _refuse_known(vms: Vms, vm_id: str) -> None:
    if vms.get(canonical_id(vm_id, "vmID")) is not None:
        raise VmExists(vm_id)


async def refuse_foreign(vms: Vms, vm_id: str, name: str) -> None:
    """libvirt would refuse these too, but after the answer."""
    for info in await vms.hypervisor.domains():
        if is_unfinished(info) and (info.id == vm_id or info.name == name):
            raise CreateFailed(vm_id, REMNANT)
        if info.id == vm_id:
            raise VmExists(vm_id)
        if info.name == name:
            raise VmExists(name, by="name")


def refuse_disks_in_use(vms: Vms, vm: Vm) -> None:
    """A clear word before QEMU's own lock, which also knows other names of the same file, refuses the start."""
    taken = writers(vms)
    for disk in vm.definition.disks:
        if disk.backing in taken and not disk.readonly:
            raise BadParameter(f"disk {disk.target}", f"{disk.backing} is open for writing in VM {taken[disk.backing]}")


async def forget_record(vms: Vms, vm_id: str) -> None:
    try:
        await vms.store.run(lambda: vms.store.remove(vm_id))
    except (OSError, HypervisorError) as error:
        log.warning("the record of VM %s could not be removed: %s", vm_id, error)
