"""What the oVirt agent in a guest is told about its VM's way to another host, or to disk and back.

    before_migration --(ready)--> it moves --> after_migration, from the host where it runs then
    before_hibernation --(ready)--> it is saved --> after_hibernation, from the host that starts it again

When the VM stays, the second one comes here and says that it failed. So the second is owed from the moment at which the
first is sent: the record keeps it (`Vm.notice`), and an agent that was killed in between still tells the guest.
Nothing here keeps a VM where it is: a guest without an agent, or one that does not get ready in time, goes as it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import VmStatus
from ovis.node.guest import desktop
from ovis.node.guest.facts import Session
from ovis.node.guest.ovirt_agent.agents import AgentSilent
from ovis.node.hypervisor.errors import HypervisorError

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

READY_SECONDS = 10.0
LOCK_SECONDS = 5.0
HEARD_SECONDS = 300.0
"""How long an agent in the guest may take to speak again; later the news is of no use to anyone."""
IN_USE = {Session.USER_LOGGED_ON, Session.ACTIVE}


class Notice(msgspec.Struct, frozen=True):
    """`event` as the guest's agent knows it."""

    event: str
    failed: bool = False


def stayed() -> Notice:
    return Notice("after_migration", failed=True)


def not_saved() -> Notice:
    return Notice("after_hibernation", failed=True)


async def before_migration(vms: Vms, vm: Vm) -> None:
    """Returns when the guest is ready, or has had its time."""
    stop_telling(vm)
    vm.notice = stayed()
    await _note(vms, vm)
    await _tell(vms, vm, "before_migration", seconds=READY_SECONDS)


async def before_hibernation(vms: Vms, vm: Vm) -> None:
    """As above; `vm.notice` is noted already. Whoever wakes the guest up finds its desktop locked."""
    stop_telling(vm)
    if vm.guest is not None and vm.guest.session in IN_USE:
        try:
            await desktop.lock(vms, vm)
            await vm.until(lambda: vm.guest is None or vm.guest.session not in IN_USE, seconds=LOCK_SECONDS)
        except (AgentSilent, HypervisorError) as error:
            log.info("the desktop of VM %s is not locked before it is saved: %s", vm.id, error)
    await _tell(vms, vm, "before_hibernation", seconds=READY_SECONDS)


def tell_owed(vms: Vms, vm: Vm) -> None:
    """Tell the guest what it is owed as soon as its agent speaks. Safe to repeat."""
    if vm.notice is None or vm.definition.desktop_channel is None:
        return
    if vm.telling is None or vm.telling.done():
        vm.telling = vms.own(_tell_owed(vms, vm, vm.notice), f"tell the guest of VM {vm.id} what has become of it")


def stop_telling(vm: Vm) -> None:
    if vm.telling is not None:
        vm.telling.cancel()


async def _tell_owed(vms: Vms, vm: Vm, notice: Notice) -> None:
    vms.desktops.hurry(vm.id)
    while not await vms.desktops.await_events(vm.id, seconds=HEARD_SECONDS):
        if vm.status is not VmStatus.PAUSED:
            break
        await vm.until(lambda: vm.status is not VmStatus.PAUSED, seconds=HEARD_SECONDS)
    else:
        await _tell(vms, vm, notice.event, failed=notice.failed)
    vm.notice = None
    await _note(vms, vm)


async def _note(vms: Vms, vm: Vm) -> None:
    try:
        await vms.keep(vm)
    except (OSError, HypervisorError) as error:
        log.warning("what the guest of VM %s is to be told is not noted: %s", vm.id, error)


async def _tell(vms: Vms, vm: Vm, event: str, *, failed: bool = False, seconds: float = 0.0) -> None:
    try:
        told = await vms.desktops.tell(vm.id, event, failed=failed, seconds=seconds)
    except HypervisorError as error:
        log.info("the guest of VM %s was not told %s: %s", vm.id, event, error)
    else:
        log.debug("the guest of VM %s was told %s: %s", vm.id, event, "yes" if told else "no, or it did not answer")
