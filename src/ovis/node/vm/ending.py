"""Cutting the power: VM.destroy, and what ends a VM by itself.

A destroy runs in a task of its own and ends even when its caller has gone. Its intent is on the disk before libvirt is
asked, so that after a crash it is finished rather than half-done. "Done" is answered when the record is gone.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ovis.node.hooks.errors import HookFailed
from ovis.node.hypervisor.errors import DeadlineExceeded, DomainBusy, DomainNotFound, HypervisorError, NotResponding
from ovis.node.vm import external_data, hook_points
from ovis.node.vm.errors import DestroyFailed
from ovis.node.vm.states import Exit, ExitReason, exit_of
from ovis.node.vm.store import Intent
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LAUNCH_ENDS = 130.0  # longer than a start may take, late ones included
FORCE_WITHIN, FORCE_EVERY = 90.0, 1.0
STOPPED_COMES = 5.0  # the event is there within milliseconds; afterwards the answer counts


async def destroy(vms: Vms, vm: Vm, *, graceful_attempts: int) -> None:
    """End the VM and forget it. Several callers share one destroy.

    Raises DestroyFailed: the VM stays known, and its state is what libvirt tells.
    """
    if vm.ending is None:
        vm.ending = vms.own(_destroy(vms, vm, graceful_attempts), f"destroy VM {vm.id}")
    await asyncio.shield(vm.ending)


async def end_by_reboot(vms: Vms, vm: Vm) -> None:
    """For a VM that is set to end instead of rebooting. It stays known as Down."""
    vm.asked = ExitReason.DESTROYED_ON_REBOOT
    try:
        await vms.hypervisor.destroy(vm.id)
    except DomainNotFound:
        vms.end(vm, exit_of(ExitReason.DESTROYED_ON_REBOOT))
    except HypervisorError as error:
        vm.asked = None
        log.warning("VM %s rebooted and could not be ended: %s", vm.id, error)


async def _destroy(vms: Vms, vm: Vm, attempts: int) -> None:
    try:
        async with vm.claim("destroy", overriding=True):
            try:
                await hook_points.devices(vms, vm, "before_device_destroy")
            except HookFailed as error:
                raise DestroyFailed(vm.id, str(error)) from error
            await hook_points.domain(vms, vm, "before_vm_destroy")
            if not vm.is_down:
                await _cut_power(vms, vm, attempts)
            await _forget(vms, vm)
        await hook_points.devices(vms, vm, "after_device_destroy")
        await hook_points.domain(vms, vm, "after_vm_destroy")
    except BaseException:
        vm.ending = None
        raise


async def _cut_power(vms: Vms, vm: Vm, attempts: int) -> None:
    asked, vm.asked = vm.asked, vm.asked or ExitReason.ADMIN_SHUTDOWN
    await _note(vms, vm, Intent.DESTROYING)
    try:
        await _kill(vms, vm, attempts)
    except HypervisorError as error:
        vm.asked = asked
        await _note(vms, vm, Intent.DOWN if vm.is_down else Intent.RUNNING)
        if not vm.is_down:
            raise DestroyFailed(vm.id, str(error)) from error
    # The event first: one that came after a new VM with this id was created would be taken for that one's.
    await vm.until(lambda: vm.is_down, seconds=STOPPED_COMES if _has_domain(vm) else 0)
    vms.end(vm, _exit_of_destroy(vm))


def _has_domain(vm: Vm) -> bool:
    """As far as is known; of a VM that is expected from another host libvirt may never have heard."""
    return vm.has_qemu and (vm.arrival is None or vm.arrival.has_appeared)


def _exit_of_destroy(vm: Vm) -> Exit:
    return exit_of(ExitReason.ADMIN_SHUTDOWN if vm.has_qemu else ExitReason.DESTROYED_ON_STARTUP)


async def _kill(vms: Vms, vm: Vm, attempts: int) -> None:
    if await _killed(vms, vm, attempts) or vm.launch is None or vm.launch.done():
        return
    # Nothing to kill yet, but a start is under way: let it end, then look again.
    await asyncio.wait({vm.launch}, timeout=LAUNCH_ENDS)
    await _killed(vms, vm, 0)


async def _killed(vms: Vms, vm: Vm, attempts: int) -> bool:
    """Whether there was something to kill. A QEMU that does not answer is not asked to end: it would not notice."""
    for _ in range(attempts if vm.responding else 0):
        try:
            await vms.hypervisor.destroy(vm.id, graceful=True)
        except DomainBusy as error:
            log.info("VM %s did not end when asked: %s", vm.id, error)
        except (DeadlineExceeded, NotResponding) as error:
            log.warning("VM %s does not end when asked: %s", vm.id, error)
            break
        except DomainNotFound:
            return await _killed_past_libvirt(vms, vm)
        else:
            return True
    return await _killed_by_force(vms, vm)


async def _killed_past_libvirt(vms: Vms, vm: Vm) -> bool:
    return vm.is_stray and await vms.hypervisor.kill_process(vm.id)


async def _killed_by_force(vms: Vms, vm: Vm) -> bool:
    """libvirt holds a polite attempt at a stuck QEMU for 40 s, and until it lets go no further call is let through.

    Measured with libvirt 9.0: 10 s for the signal and 30 s for the job that a sample holds.
    """
    until = vms.monotonic() + FORCE_WITHIN
    while True:
        try:
            await vms.hypervisor.destroy(vm.id)
        except DomainNotFound:
            return await _killed_past_libvirt(vms, vm)
        except (DeadlineExceeded, NotResponding, DomainBusy):
            is_starting = vm.launch is not None and not vm.launch.done()
            if not is_starting and not await vms.hypervisor.has_process(vm.id):
                log.warning("libvirt cannot end VM %s, whose QEMU is gone: what it keeps of it does not run", vm.id)
                return True
            if vms.monotonic() > until:
                raise
            await asyncio.sleep(FORCE_EVERY)
        else:
            return True


async def _note(vms: Vms, vm: Vm, intent: Intent) -> None:
    """A full disk must not keep anyone from cutting the power."""
    try:
        await vms.save(vm, intent)
    except (OSError, HypervisorError) as error:
        log.warning("the record of VM %s could not be written: %s", vm.id, error)


async def _forget(vms: Vms, vm: Vm) -> None:
    await vms.volumes.give_back(vm.id)
    if vm.definition.has_tpm or vm.definition.has_variables:
        await external_data.forget(vms, vm.id, vm.xml)
    try:
        await vms.store.run(lambda: vms.store.remove(vm.id))
    except (OSError, HypervisorError) as error:
        raise DestroyFailed(vm.id, f"it is off, but its record could not be removed: {error}") from error
    vms.drop(vm)
