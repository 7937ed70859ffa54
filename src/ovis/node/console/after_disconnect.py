"""What happens in the guest when the last client of its screen has gone: by default the screen is locked.

A client that comes back within `GRACE` seconds (clients reconnect when the screen changes its size) has not gone. QEMU
also tells of the end of clients that never came in; where nobody is known to be there (perhaps this agent was
restarted) such an end locks the screen, but never does more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.guest import desktop
from ovis.node.hypervisor.errors import HypervisorError

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

GRACE = 2.0
ACTION_NAME, DELAY_NAME = "consoleDisconnectAction", "consoleDisconnectDelay"
DELAY_MOST = 7 * 86400.0


class DisconnectAction(StrEnum):
    NONE = "NONE"
    LOCK_SCREEN = "LOCK_SCREEN"
    LOGOUT = "LOGOUT"
    SHUTDOWN = "SHUTDOWN"
    REBOOT = "REBOOT"


@dataclass(frozen=True)
class DisconnectPolicy:
    """`delay` in seconds. It is kept in the metadata of the running domain, and so goes along with a migration."""

    action: DisconnectAction = DisconnectAction.LOCK_SCREEN
    delay: float = 0.0

    @classmethod
    def read(cls, metadata: Mapping[str, str | int | float | bool]) -> DisconnectPolicy:
        action, delay = metadata.get(ACTION_NAME), metadata.get(DELAY_NAME)
        return cls(
            DisconnectAction(action) if action in list(DisconnectAction) else DisconnectAction.LOCK_SCREEN,
            float(delay) if isinstance(delay, (int, float)) and 0 <= delay <= DELAY_MOST else 0.0,
        )

    def values(self) -> dict[str, str | int | float | bool | None]:
        return {ACTION_NAME: self.action.value, DELAY_NAME: self.delay or None}


def client_came(vm: Vm, client: tuple[str, str]) -> None:
    """`client`: address and port, empty ones on a Unix socket."""
    vm.console_clients.append(client)
    if vm.disconnecting is not None:
        vm.disconnecting.cancel()
        vm.disconnecting = None


def client_left(vms: Vms, vm: Vm, client: tuple[str, str]) -> None:
    is_known = client in vm.console_clients
    if is_known:
        vm.console_clients.remove(client)
    if vm.console_clients or not vm.has_qemu:
        return
    policy = DisconnectPolicy.read(vm.definition.metadata)
    if policy.action is DisconnectAction.LOCK_SCREEN or (is_known and policy.action is not DisconnectAction.NONE):
        if vm.disconnecting is not None:
            vm.disconnecting.cancel()
        vm.disconnecting = vms.own(_act(vms, vm, policy), f"after the console of VM {vm.id} was closed")


async def _act(vms: Vms, vm: Vm, policy: DisconnectPolicy) -> None:
    await asyncio.sleep(GRACE + policy.delay)
    vm.disconnecting = None
    if not vm.has_qemu:
        return
    log.info("nobody looks at VM %s any more: %s", vm.id, policy.action.value)
    try:
        await _take(vms, vm, policy.action)
    except (NodeError, HypervisorError) as error:
        log.log(
            logging.INFO if policy == DisconnectPolicy() else logging.WARNING,
            "VM %s: %s was not possible: %s", vm.id, policy.action.value, error,
        )  # fmt: skip


async def _take(vms: Vms, vm: Vm, action: DisconnectAction) -> None:
    from ovis.node.vm import shutting_down  # here: it imports what imports this

    match action:
        case DisconnectAction.LOCK_SCREEN:
            await desktop.lock(vms, vm)
        case DisconnectAction.LOGOUT:
            await desktop.log_off(vms, vm, force=False)
        case DisconnectAction.SHUTDOWN | DisconnectAction.REBOOT:
            wish = shutting_down.Wish(
                reboot=action is DisconnectAction.REBOOT, force=False, delay=0, timeout=vms.settings.shutdown_timeout
            )
            await shutting_down.shut_down(vms, vm, wish)
        case DisconnectAction.NONE:
            pass
