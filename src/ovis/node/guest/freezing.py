"""Freezing the file systems of a guest, and letting them go again, whatever happens to the caller or to the agent.

    thawed --freeze--> freezing --done--> frozen --thaw--> thawed
                          |                  |
                     failed, killed     `freeze_limit` is over
                          v                  v
                       thawed             expired --freeze, thaw--> frozen, thawed

A guest that stays frozen stands still in the end, so every freeze has an end: it is written into the VM's record, with
the time when it ends by itself, before the guest is asked. An agent that was killed goes on from there: what was only
being frozen is thawed at once, since nobody was told that it is frozen; what was frozen is thawed when its time is
over. Who thaws after that gets an error, because what he copied meanwhile is not of one moment.
"""

from __future__ import annotations

import asyncio
import logging
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import AgentError, AgentUnavailable, DeadlineExceeded, HypervisorError

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

FREEZE_SECONDS = 120.0  # a busy database flushes for a while; the verb has 180 s
THAW_SECONDS = 30.0
AGAIN_SECONDS = 5.0


class Phase(StrEnum):
    FREEZING = "freezing"
    FROZEN = "frozen"
    EXPIRED = "expired"


class Freeze(msgspec.Struct, frozen=True):
    """As it is kept in the VM's record. `until`: Unix time in seconds."""

    phase: Phase
    until: float


class FreezeFailed(NodeError):
    wire_name = "FreezeGuestFSFailed"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"the file systems of VM {vm_id} are not frozen: {why}")
        self.vm_id = vm_id


class ThawFailed(NodeError):
    wire_name = "ThawGuestFSFailed"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"thawing the file systems of VM {vm_id}: {why}")
        self.vm_id = vm_id


def is_frozen(vm: Vm) -> bool:
    """Or being frozen: the agent in the guest obeys nothing but thaw."""
    return vm.freeze is not None and vm.freeze.phase is not Phase.EXPIRED


async def freeze(vms: Vms, vm: Vm) -> int:
    """How many file systems are frozen now.

    Raises VmNotRunning, VmBusy, FreezeFailed, AgentUnavailable: nothing stays frozen.
    """
    vm.require_qemu()
    if is_frozen(vm):
        raise FreezeFailed(vm.id, "they were frozen before and not thawed yet")
    async with vm.claim("freeze"):
        until = vms.clock() + FREEZE_SECONDS + vms.settings.freeze_limit
        try:
            await _note(vms, vm, Freeze(Phase.FREEZING, until))
        except (OSError, HypervisorError) as error:
            raise FreezeFailed(vm.id, f"the guest was not asked, since that could not be noted: {error}") from error
        vms.watch_guest(vm)
        try:
            count = await vms.hypervisor.agent(vm.id, {"execute": "guest-fsfreeze-freeze"}, deadline=FREEZE_SECONDS)
            await _note(vms, vm, Freeze(Phase.FROZEN, vms.clock() + vms.settings.freeze_limit))
        except BaseException as error:
            _let_go(vms, vm)
            if isinstance(error, (AgentError, DeadlineExceeded, OSError)):
                raise FreezeFailed(vm.id, str(error)) from error
            raise
    vm.thawing = vms.own(_thaw_in_time(vms, vm), f"thaw VM {vm.id} when its time is over")
    log.info("%s file systems of VM %s are frozen", count, vm.id)
    return count if type(count) is int else 0


async def thaw(vms: Vms, vm: Vm) -> None:
    """Harmless when nothing is frozen.

    Raises VmNotRunning, AgentUnavailable; ThawFailed, also when they were thawed before because their time was over.
    """
    vm.require_qemu()
    expired = vm.freeze is not None and vm.freeze.phase is Phase.EXPIRED
    try:
        await vms.hypervisor.agent(vm.id, {"execute": "guest-fsfreeze-thaw"}, deadline=THAW_SECONDS)
    except (AgentError, DeadlineExceeded) as error:
        raise ThawFailed(vm.id, str(error)) from error
    if vm.thawing is not None:
        vm.thawing.cancel()
    await _forget(vms, vm)
    if expired:
        raise ThawFailed(
            vm.id,
            f"they work since {vms.settings.freeze_limit:g} s after the freeze; what was copied is not consistent",
        )


def resume(vms: Vms, vm: Vm) -> None:
    """After a restart of the agent: see to it that the guest is let go."""
    if vm.is_down or vm.freeze is None:
        return
    if vm.freeze.phase is Phase.FREEZING:
        _let_go(vms, vm)
    elif vm.freeze.phase is Phase.FROZEN:
        vm.thawing = vms.own(_thaw_in_time(vms, vm), f"thaw VM {vm.id} when its time is over")


def _let_go(vms: Vms, vm: Vm) -> None:
    vm.thawing = vms.own(_thaw_again_and_again(vms, vm), f"thaw VM {vm.id}")


async def _thaw_in_time(vms: Vms, vm: Vm) -> None:
    assert vm.freeze is not None
    await asyncio.sleep(max(vm.freeze.until - vms.clock(), 0))
    log.warning("VM %s is frozen since %g s and thawed now", vm.id, vms.settings.freeze_limit)
    if await _until_thawed(vms, vm):
        await _note_or_log(vms, vm, Freeze(Phase.EXPIRED, vms.clock()))
        vms.watch_guest(vm)


async def _thaw_again_and_again(vms: Vms, vm: Vm) -> None:
    if await _until_thawed(vms, vm):
        await _forget(vms, vm)


async def _until_thawed(vms: Vms, vm: Vm) -> bool:
    """False when there is nothing to thaw any more: the VM is off."""
    told = False
    while not vm.is_down:
        try:
            await vms.hypervisor.agent(vm.id, {"execute": "guest-fsfreeze-thaw"}, deadline=THAW_SECONDS)
        except HypervisorError as error:
            if isinstance(error, AgentUnavailable) and not vm.definition.has_agent_channel:
                return True
            if not told:
                log.warning("VM %s cannot be thawed yet: %s", vm.id, error)
            told = True
            await vm.until(lambda: vm.is_down, seconds=AGAIN_SECONDS)
        else:
            return True
    return False


async def _note(vms: Vms, vm: Vm, freeze: Freeze | None) -> None:
    """Raises OSError, HypervisorError: it is not on the disk."""
    before, vm.freeze = vm.freeze, freeze
    try:
        await vms.keep(vm)
    except BaseException:
        vm.freeze = before
        raise


async def _forget(vms: Vms, vm: Vm) -> None:
    if vm.freeze is not None:
        await _note_or_log(vms, vm, None)
    vms.watch_guest(vm)


async def _note_or_log(vms: Vms, vm: Vm, freeze: Freeze | None) -> None:
    """The guest is thawed; a record that says otherwise costs one more thaw after a restart."""
    vm.freeze = freeze
    try:
        await vms.keep(vm)
    except (OSError, HypervisorError) as error:
        log.warning("the record of VM %s could not be written: %s", vm.id, error)
