"""Domains whose start was under way when libvirt's daemon was killed.

The next daemon ends their QEMU and forgets them within moments. Now and then it keeps what is left of one for the rest
of its own life: "paused, starting up", no process, and each call waits in vain for a lock (libvirt 9.0: one of fifteen
kills in the middle of a start). What counts then is QEMU: where there is no process, nothing runs, and nothing can.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError, HypervisorLost
from ovis.node.hypervisor.interface import DomainInfo, DomainState
from ovis.node.vm.states import ExitReason, exit_of

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
SETTLES = 20.0  # libvirt does its part in less than one
GONE = "libvirt went away during the start; the VM does not run"
REMNANT = "libvirt was killed during the start and keeps a remnant without a process until it is started again"


def is_unfinished(info: DomainInfo) -> bool:
    return info.state is DomainState.PAUSED and info.reason == "starting_up"


def begin(vms: Vms, vm: Vm) -> None:
    """The VM counts as being launched until it is known what has become of it."""
    vm.launch = vms.own(_settle(vms, vm), f"find out about the start of VM {vm.id}")


async def _settle(vms: Vms, vm: Vm) -> None:
    until = vms.monotonic() + SETTLES
    while not vm.is_down and vm.ending is None:
        try:
            info = await vms.hypervisor.info(vm.id)
        except DomainNotFound:
            vms.end(vm, exit_of(ExitReason.LIBVIRT_START_FAILED, GONE))
            return
        except HypervisorLost:
            return  # its return leads here again
        except HypervisorError as error:
            log.debug("VM %s, whose start was cut short, cannot be looked at: %s", vm.id, error)
        else:
            if not is_unfinished(info):
                from ovis.node.vm import recovery  # it imports this module

                await recovery.bring_up_to_date(vms, vm, info)
                return
        if vms.monotonic() >= until and await _is_dead(vms, vm.id):
            log.error("VM %s (%s): %s", vm.id, vm.name, REMNANT)
            vms.end(vm, exit_of(ExitReason.LIBVIRT_START_FAILED, REMNANT))
            return
        await asyncio.sleep(LOOK_EVERY)


async def _is_dead(vms: Vms, vm_id: str) -> bool:
    """After the next look at the latest: a QEMU that libvirt has lost control of is ended."""
    if not await vms.hypervisor.has_process(vm_id):
        return True
    try:
        await vms.hypervisor.kill_process(vm_id)
    except HypervisorError as error:
        log.warning("QEMU of VM %s, whose start was cut short, cannot be ended: %s", vm_id, error)
    else:
        log.warning("QEMU of VM %s, whose start was cut short, is ended", vm_id)
    return False
