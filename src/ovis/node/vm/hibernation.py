"""Saving a running VM to disk (`saved_memory`), so that it can be started from there.

Killed at any moment, the VM runs on or is whole on disk: the parameters are flushed before the memory is asked for, and
libvirt ends QEMU only after it has marked the memory as complete.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node import durable_files
from ovis.node.errors import BadParameter
from ovis.node.guest import notices
from ovis.node.hooks.errors import HookFailed
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError, OperationRefused
from ovis.node.hypervisor.interface import DomainInfo, DomainState, Stopped
from ovis.node.hypervisor.migration import JobKind
from ovis.node.vm import hook_points, statistics
from ovis.node.vm.create import keep_running
from ovis.node.vm.migration.errors import CancelFailed
from ovis.node.vm.migration.readiness import require_able, require_free
from ovis.node.vm.saved_memory import Parameters, located, prepare
from ovis.node.vm.saving import Saving, StoredSaving
from ovis.node.vm.states import Cause, ExitReason, exit_after_stop, exit_of
from ovis.node.vm.store import Intent
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

VERSION = 1
PARAMETERS_LIMIT = 4 << 20
LOOK_EVERY = 0.5
CANCEL_ENDS = 25.0
LOOKS_BEFORE_RESUME = 4  # libvirt lets a domain go on by itself within moments


async def begin(vms: Vms, vm: Vm, handle: str, field: str) -> None:
    """Returns when the saving is on its way. `field` names the handle to the caller.

    Raises BadParameter, DriveNotFound, MigrationInProgress, MigrationRefused, VmBusy, VmNotRunning, HookFailed, and
    OSError or HypervisorError when nothing could be written: then nothing has begun.
    """
    require_free(vm)
    place = await located(vms, vm.id, handle, field)
    require_free(vm)
    held = AsyncExitStack()
    await held.enter_async_context(vm.claim("hibernate"))
    try:
        await hook_points.domain(vms, vm, "before_vm_hibernate")
        require_able(vm)  # a script takes its time
        was_paused = vm.status is VmStatus.PAUSED
        known = _parameters(vms, vm, was_paused=was_paused)
        vm.saving = Saving(place.memory, was_paused)
        vm.notice = None if was_paused else notices.not_saved()
        vms.move(vm, Cause.SAVE_STARTED)
        await vms.preparer.look(lambda: prepare(place, known), field)
        await vms.save(vm, Intent.RUNNING)
    except BaseException:
        if vm.saving is not None:
            vms.move(vm, Cause.SAVE_FAILED_PAUSED if vm.saving.was_paused else Cause.SAVE_FAILED)
            vm.saving = vm.notice = None
        await held.aclose()
        raise
    vms.own(_save(vms, vm, vm.saving, held), f"save VM {vm.id}")


def _parameters(vms: Vms, vm: Vm, *, was_paused: bool) -> Parameters:
    return Parameters(
        id=vm.id,
        name=vm.name,
        elapsed=vms.elapsed(vm),
        time_offset=vm.time_offset,
        paused=was_paused,
        xml=statistics.public_xml(vm),
    )


async def _save(vms: Vms, vm: Vm, saving: Saving, held: AsyncExitStack) -> None:
    async with held:
        if not saving.was_paused:
            await _prepare_guest(vms, vm, saving)
        try:
            if not saving.is_cancelled:
                await vms.hypervisor.migration.save(vm.id, saving.memory)
        except HypervisorError as error:
            log.warning("VM %s was not saved: %s", vm.id, error)
        await settle(vms, vm, saving)


async def _prepare_guest(vms: Vms, vm: Vm, saving: Saving) -> None:
    saving.preparing = asyncio.ensure_future(notices.before_hibernation(vms, vm))
    try:
        await asyncio.wait({saving.preparing})
    finally:
        saving.preparing.cancel()


async def settle(vms: Vms, vm: Vm, saving: Saving) -> None:
    """Until the VM runs again, or is Down; whatever state an earlier life, or libvirt, has left it in."""
    held = 0
    while not vm.is_down and vm.ending is None:
        try:
            info = await vms.hypervisor.info(vm.id)
            job = await vms.hypervisor.migration.progress(vm.id)
        except DomainNotFound:
            await _gone(vms, vm, saving)
            break
        except HypervisorError as error:
            log.debug("VM %s, which is being saved, cannot be looked at: %s", vm.id, error)
        else:
            if job is not None and job.kind is JobKind.SAVE:
                saving.progress = 100 * (job.total - job.remaining) // job.total if job.total else 0
                vm.touch()
            elif _is_held(info) and not saving.was_paused and held < LOOKS_BEFORE_RESUME:
                held += 1
            elif await _back(vms, vm, saving, info):
                break
        await saving.waker.pause(LOOK_EVERY)
    if vm.saving is saving:
        vm.saving = None
    saving.ended.set()


def _is_held(info: DomainInfo) -> bool:
    return info.state is DomainState.PAUSED and info.reason in ("save", "migration")


async def _gone(vms: Vms, vm: Vm, saving: Saving) -> None:
    vm.saving = None
    if saving.end is not None and saving.end.reason is not ExitReason.SAVE_STATE_SUCCEEDED:
        vms.end(vm, saving.end)
        return
    try:
        await vms.hypervisor.migration.saved_xml(saving.memory)
        await vms.preparer.look(lambda: durable_files.flush(Path(saving.memory)), "hibernationVolHandle")
    except (HypervisorError, BadParameter, OSError) as error:
        vms.end(vm, exit_of(ExitReason.LIBVIRT_DOMAIN_MISSING, f"It ended while it was being saved: {error}"))
        return
    try:
        await hook_points.domain(vms, vm, "after_vm_hibernate")
    except HookFailed as error:  # it is saved all the same
        vms.end(vm, exit_of(ExitReason.SAVE_STATE_SUCCEEDED, f"It is saved, but {error}"))
        return
    vms.end(vm, exit_of(ExitReason.SAVE_STATE_SUCCEEDED))


async def _back(vms: Vms, vm: Vm, saving: Saving, info: DomainInfo) -> bool:
    """The save did not succeed; the VM goes on as before. Whether that is done."""
    if _is_held(info) and not saving.was_paused:
        try:
            await vms.hypervisor.resume(vm.id)
        except HypervisorError as error:
            log.warning("VM %s does not go on after its save failed: %s", vm.id, error)
            return False
        info = DomainInfo(info.id, info.name, DomainState.RUNNING, "unpaused")
    vm.saving = None
    vm.paused_by_disk = vm.paused_by_disk or info.reason == "ioerror"
    await keep_running(vms, vm)
    vms.move(vm, Cause.SAVE_FAILED_PAUSED if info.state is DomainState.PAUSED else Cause.SAVE_FAILED)
    notices.tell_owed(vms, vm)
    return True


async def cancel(vms: Vms, vm: Vm) -> None:
    """Returns when the VM runs again. Raises CancelFailed."""
    saving = vm.saving
    assert saving is not None
    saving.is_cancelled = True
    if saving.preparing is not None:
        saving.preparing.cancel()
    loop = asyncio.get_running_loop()
    until = loop.time() + CANCEL_ENDS
    while not saving.ended.is_set() and loop.time() < until:
        try:
            await vms.hypervisor.migration.cancel(vm.id)
        except (OperationRefused, DomainNotFound):
            pass  # not begun yet, or through
        except HypervisorError as error:
            raise CancelFailed(vm.id, str(error)) from error
        try:
            async with asyncio.timeout(0.2):
                await saving.ended.wait()
        except TimeoutError:
            continue
    if not saving.ended.is_set() or vm.is_down:
        raise CancelFailed(vm.id, "it is saved" if vm.is_down else "the save has not ended yet")


# After a restart, and events


def resume_saving(vms: Vms, vm: Vm, stored: StoredSaving) -> None:
    """The VM is known to `vms` and was being saved in the last life of the agent."""
    vm.saving = Saving(stored.memory, stored.was_paused)
    vm.booted = True
    vm.status = VmStatus.SAVING_STATE
    vm.touch()
    vms.own(settle(vms, vm, vm.saving), f"settle the save of VM {vm.id}")


def on_stopped(vm: Vm, event: Stopped) -> bool:
    """Whether the save takes it, so that nobody else does."""
    if vm.saving is None or vm.ending is not None:
        return False
    vm.saving.end = exit_after_stop(event.reason, asked=vm.asked, host_told=vm.host_told)
    vm.saving.waker.wake()
    return True
