"""Pausing, resuming and resetting a running VM.

The status follows libvirt's events, which are in order; the answer of a call is not in order with them. So a call waits
until its event was seen, and when that does not come, libvirt is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node.errors import VmNotRunning
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import hook_points
from ovis.node.vm.errors import ResetFailed
from ovis.node.vm.states import found
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

EVENT_COMES = 5.0
HELD = {
    VmStatus.MIGRATION_SOURCE,
    VmStatus.MIGRATION_DESTINATION,
    VmStatus.SAVING_STATE,
    VmStatus.RESTORING_STATE,
}


async def pause(vms: Vms, vm: Vm) -> None:
    """Stop the CPUs. Safe to repeat. Raises VmNotRunning, VmBusy, HookFailed, HypervisorError."""
    require_calm(vm)
    if vm.status is VmStatus.PAUSED:
        return
    async with vm.claim("pause"):
        await hook_points.domain(vms, vm, "before_vm_pause")
        await vms.hypervisor.suspend(vm.id)
        await _settle(vms, vm, is_paused=True)
        await hook_points.domain(vms, vm, "after_vm_pause")


async def resume(vms: Vms, vm: Vm) -> None:
    """Let the CPUs run. Safe to repeat. Raises VmNotRunning, VmBusy, HookFailed, HypervisorError."""
    require_calm(vm)
    if vm.status is not VmStatus.PAUSED:
        return
    async with vm.claim("resume"):
        await hook_points.domain(vms, vm, "before_vm_cont")
        await vms.hypervisor.resume(vm.id)
        await _settle(vms, vm, is_paused=False)
        await hook_points.domain(vms, vm, "after_vm_cont")


async def reset(vms: Vms, vm: Vm) -> None:
    """Press the reset button. Raises VmNotRunning, VmBusy, ResetFailed."""
    vm.require_qemu()
    async with vm.claim("reset"):
        try:
            await vms.hypervisor.reset(vm.id)
        except DomainNotFound:
            raise
        except HypervisorError as error:
            raise ResetFailed(vm.id, str(error)) from error


def require_calm(vm: Vm) -> None:
    vm.require_qemu()
    if vm.status in HELD:
        raise VmNotRunning(vm.id, vm.status.value)


async def _settle(vms: Vms, vm: Vm, *, is_paused: bool) -> None:
    def is_so() -> bool:
        return vm.is_down or (vm.status is VmStatus.PAUSED) is is_paused

    if not await vm.until(is_so, seconds=EVENT_COMES):
        vms.move(vm, found(await vms.hypervisor.info(vm.id), booted=vm.booted))
