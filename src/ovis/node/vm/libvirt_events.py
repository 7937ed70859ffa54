"""What each event of libvirt means for a VM: one function per kind, found in the table at the end.

Events of VMs that are not ours are ignored; so is what comes late for a VM that is Down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ovis.client.types import VmStatus
from ovis.node.console import after_disconnect, passwords
from ovis.node.guest import clock
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import (
    AgentLifecycle,
    BlockJob,
    BlockThreshold,
    ConnectionLost,
    ConnectionRestored,
    DeviceAdded,
    DeviceRemovalFailed,
    DeviceRemoved,
    DomainEvent,
    Event,
    GraphicsConnected,
    GraphicsDisconnected,
    IoError,
    JobCompleted,
    MigrationIteration,
    Paused,
    Rebooted,
    Resumed,
    Resync,
    RtcChange,
    ShutDown,
    Started,
    Stopped,
    TrayChange,
    Watchdog,
)
from ovis.node.vm import ending, hibernation, recovery
from ovis.node.vm.create import keep_running
from ovis.node.vm.disks import recovery as disk_recovery
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.migration import recovery as migration
from ovis.node.vm.states import Cause, exit_after_stop
from ovis.node.vm.vm import DiskError, Expiry, Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)


async def handle(vms: Vms, event: Event) -> None:
    match event:
        case ConnectionLost(reason):
            log.warning("libvirt is away (%s); the VMs run on", reason)
        case ConnectionRestored():
            vms.learn_limits()
            await recovery.resync(vms, "libvirt is back")
        case Resync(lost):
            await recovery.resync(vms, f"{lost} events were lost")
        case DomainEvent():
            vm = vms.get(event.domain_id)
            handler = HANDLERS.get(type(event))
            if vm is not None and handler is not None:
                handler(vms, vm, event)


def started(vms: Vms, vm: Vm, _event: Started) -> None:
    """A start that we had given up comes through after all: nobody wants this VM any more."""
    if vm.is_down and vm.ending is None:
        log.warning("VM %s started after it was reported Down; it is ended", vm.id)
        vms.own(_end_late(vms, vm), f"end the late start of VM {vm.id}")


def stopped(vms: Vms, vm: Vm, event: Stopped) -> None:
    if migration.on_stopped(vms, vm, event) or hibernation.on_stopped(vm, event):
        return
    # Whether a start has failed is told by a look at its end; this may even be of an earlier VM with the same id.
    if vm.has_qemu:
        vms.end(vm, exit_after_stop(event.reason, asked=vm.asked, host_told=vm.host_told))


def shut_down(vms: Vms, vm: Vm, event: ShutDown) -> None:
    vm.host_told = event.reason == "host"
    if vm.has_qemu:
        vms.move(vm, Cause.GUEST_SHUT_DOWN)


def paused(vms: Vms, vm: Vm, event: Paused) -> None:
    migration.on_paused(vms, vm, event)
    if event.reason == "ioerror":
        vm.paused_by_disk = True
    vms.move(vm, Cause.PAUSED)


def resumed(vms: Vms, vm: Vm, event: Resumed) -> None:
    migration.on_resumed(vm, event)
    if vm.status is VmStatus.PAUSED:  # a start ends with such an event too
        clock.after_resume(vms, vm, event.reason)
    vms.move(vm, Cause.RESUMED if vm.booted else Cause.RESUMED_BOOTING)


def rebooted(vms: Vms, vm: Vm, _event: Rebooted) -> None:
    vm.resets += 1
    vm.asked = None
    if vm.definition.destroys_on_reboot and vm.has_qemu and vm.ending is None:
        vms.own(ending.end_by_reboot(vms, vm), f"end VM {vm.id} on reboot")
        return
    vms.move(vm, Cause.REBOOTED)
    vm.touch()


def io_error(vms: Vms, vm: Vm, event: IoError) -> None:
    name = next((disk.target for disk in vm.definition.disks if disk.alias == event.alias), "")
    log.warning("disk %s (%s) of VM %s: I/O error %s, %s", name, event.path, vm.id, event.reason, event.action)
    if event.action != "pause":
        return
    known = vm.pause_code
    vm.disk_error = DiskError(event.alias, name, event.path, event.reason)
    if known is not None and vm.paused_by_disk:  # the pause was told first, without its reason
        vms.publish(vm)
    if event.reason == "enospc":
        vms.thin_disks.is_full(vm, name)


def block_threshold(vms: Vms, vm: Vm, event: BlockThreshold) -> None:
    if vm.has_qemu:
        vms.thin_disks.passed(vm, event.disk)


def watchdog(vms: Vms, vm: Vm, event: Watchdog) -> None:
    log.warning("the watchdog of VM %s expired: %s", vm.id, event.action)
    vm.watchdog = Expiry(event.action, vms.clock())
    vm.touch()


def client_came(vms: Vms, vm: Vm, event: GraphicsConnected) -> None:
    after_disconnect.client_came(vm, (event.remote, event.port))
    if event.remote:  # the others come through this agent, past the password
        passwords.used(vms, vm)
    vm.client_ip = event.remote
    vms.publish(vm)


def client_left(vms: Vms, vm: Vm, event: GraphicsDisconnected) -> None:
    after_disconnect.client_left(vms, vm, (event.remote, event.port))
    if vm.client_ip == event.remote:
        vm.client_ip = ""
        vms.publish(vm)


def clock_set(vms: Vms, vm: Vm, event: RtcChange) -> None:
    if vm.has_qemu and vm.time_offset != event.offset:
        vm.time_offset = event.offset
        vm.touch()
        if vm.ending is None:
            vms.own(keep_running(vms, vm), f"keep the clock of VM {vm.id}")


def agent(vms: Vms, vm: Vm, event: AgentLifecycle) -> None:
    if not vm.is_down:
        vms.watch_guest(vm)
        if event.connected:
            vms.polling.connected(vm.id)
        else:
            vms.polling.disconnected(vm.id)


def devices_changed(vms: Vms, vm: Vm, _event: DomainEvent) -> None:
    if vm.has_qemu:
        vms.own(vms.refresh(vm), f"read the devices of VM {vm.id}")


def block_job(vms: Vms, vm: Vm, event: BlockJob) -> None:
    if vm.has_qemu:
        disk_recovery.block_job(vms, vm, event)


def device_removed(vms: Vms, vm: Vm, event: DeviceRemoved) -> None:
    if vm.has_qemu:
        vms.own(plugging.removed(vms, vm, event.alias), f"note that {event.alias} left VM {vm.id}")


def device_kept(_vms: Vms, vm: Vm, event: DeviceRemovalFailed) -> None:
    log.warning("the guest of VM %s keeps %s", vm.id, event.alias)
    vm.kept_devices.add(event.alias)
    vm.touch()


async def _end_late(vms: Vms, vm: Vm) -> None:
    try:
        await vms.hypervisor.destroy(vm.id)
    except HypervisorError as error:
        log.warning("the late start of VM %s could not be ended: %s", vm.id, error)


HANDLERS: dict[type, Callable[[Vms, Vm, Any], None]] = {
    Started: started,
    Stopped: stopped,
    ShutDown: shut_down,
    Paused: paused,
    Resumed: resumed,
    Rebooted: rebooted,
    IoError: io_error,
    BlockThreshold: block_threshold,
    Watchdog: watchdog,
    GraphicsConnected: client_came,
    GraphicsDisconnected: client_left,
    RtcChange: clock_set,
    AgentLifecycle: agent,
    DeviceAdded: devices_changed,
    DeviceRemoved: device_removed,
    DeviceRemovalFailed: device_kept,
    BlockJob: block_job,
    TrayChange: devices_changed,
    MigrationIteration: migration.on_iteration,
    JobCompleted: migration.on_job_completed,
}
