"""VM.setTicket: a password that opens the VM's screen for a short time, and with VNC once.

QEMU itself knows only a password and until when it holds. So that a VNC password opens one connection, it is replaced
by one that nobody knows as soon as a client has come in with it. (A SPICE client opens several connections with its
password, which therefore holds until its time is over.)

What becomes of who is connected: SPICE does all three by itself. VNC does nothing by itself, and a new client cuts off
older ones when it asks for the screen alone, as clients do by default. So with VNC `disconnect` closes what leads
through this agent and leaves the rest to the new client, `keep` does nothing, and `fail` looks who is there.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ovis.client.types import VmTicketConflictAction
from ovis.node.console.after_disconnect import DisconnectAction, DisconnectPolicy
from ovis.node.console.tickets import Kind
from ovis.node.errors import BadParameter, NodeError
from ovis.node.hypervisor.consoles import Connected, GraphicsPassword
from ovis.node.hypervisor.errors import HypervisorError, OperationFailed, OperationRefused
from ovis.node.vm import hook_points, live_metadata, metadata

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LONG_AGO = 1.0  # Unix time; 0 means "for ever" to libvirt
YEARS = 10 * 365 * 86400
VNC_BYTES = 8
CONNECTED: dict[VmTicketConflictAction, Connected] = {
    VmTicketConflictAction.KEEP: "keep",
    VmTicketConflictAction.FAIL: "fail",
    VmTicketConflictAction.DISCONNECT: "disconnect",
}


class TicketFailed(NodeError):
    """The former password still holds."""

    wire_name = "SpiceTicketError"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"the console password of VM {vm_id} was not set: {why}")
        self.vm_id = vm_id


@dataclass(frozen=True)
class Wish:
    """`seconds` from now. `kind`: of the graphics device; None takes the first. `disconnect_delay` in seconds."""

    password: str
    seconds: int
    action: VmTicketConflictAction
    user: str = ""
    disconnect_action: str | None = None
    disconnect_delay: float = 0.0
    kind: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """What the caller told beside, for hooks."""

    @property
    def opens(self) -> bool:
        return bool(self.password) and self.seconds > 0


async def set_password(vms: Vms, vm: Vm, wish: Wish) -> None:
    """Raises VmNotRunning, TicketFailed, BadParameter, HypervisorError."""
    vm.require_qemu()
    policy = _policy(wish)
    index, kind = _device(vm, wish)
    if (
        kind == "vnc"
        and wish.action is VmTicketConflictAction.FAIL
        and await vms.hypervisor.consoles.vnc_clients(vm.id)
    ):
        raise TicketFailed(vm.id, "somebody is connected to its console")
    password = GraphicsPassword(
        password=_password(wish, kind),
        until=vms.clock() + min(wish.seconds, YEARS) if wish.opens else LONG_AGO,
        connected=None if kind == "vnc" else CONNECTED.get(wish.action),
    )
    await hook_points.domain(vms, vm, "before_vm_set_ticket", wish.details)
    try:
        await vms.hypervisor.consoles.set_graphics_password(vm.id, index, password)
    except (OperationRefused, OperationFailed) as error:
        raise TicketFailed(vm.id, error.message) from error
    vm.password_device = index if kind == "vnc" and wish.opens else None
    log.info("VM %s: console password for %s, %d s", vm.id, wish.user or "somebody", wish.seconds)
    if kind == "vnc" and wish.action is VmTicketConflictAction.DISCONNECT:
        await vms.consoles.end(vm.id, Kind.VNC, "somebody else opens this console")
    if policy is not None:
        await _keep(vms, vm, policy)
    await hook_points.domain(vms, vm, "after_vm_set_ticket", wish.details)


def used(vms: Vms, vm: Vm) -> None:
    """Somebody has come in with the password."""
    if vm.password_device is not None:
        index, vm.password_device = vm.password_device, None
        vms.own(_close(vms, vm, index), f"close the console of VM {vm.id} for others")


async def _close(vms: Vms, vm: Vm, index: int) -> None:
    nobody_knows = GraphicsPassword(secrets.token_hex(VNC_BYTES // 2), LONG_AGO)
    try:
        await vms.hypervisor.consoles.set_graphics_password(vm.id, index, nobody_knows)
    except HypervisorError as error:
        log.warning("the used console password of VM %s holds until its time is over: %s", vm.id, error)


def _device(vm: Vm, wish: Wish) -> tuple[int, str]:
    for index, device in enumerate(vm.definition.graphics):
        if wish.kind in (None, device.kind):
            return index, device.kind
    raise TicketFailed(vm.id, f"it has no {wish.kind or 'graphical'} console")


def _password(wish: Wish, kind: str) -> str:
    """VNC looks at 8 bytes, and libvirt refuses more."""
    if not wish.opens:
        return secrets.token_hex(VNC_BYTES // 2)
    if not wish.password.isprintable():
        raise BadParameter("password", "holds characters that cannot be typed")
    if kind != "vnc":
        return wish.password
    return wish.password.encode()[:VNC_BYTES].decode(errors="ignore")


def _policy(wish: Wish) -> DisconnectPolicy | None:
    if wish.disconnect_action is None:
        return None
    try:
        return DisconnectPolicy(DisconnectAction(wish.disconnect_action.upper()), wish.disconnect_delay)
    except ValueError:
        known = ", ".join(DisconnectAction)
        raise BadParameter("params.disconnectAction", f"{wish.disconnect_action[:40]!r} is none of {known}") from None


async def _keep(vms: Vms, vm: Vm, policy: DisconnectPolicy) -> None:
    try:
        if await live_metadata.edit(vms, vm, lambda holder: metadata.set_in(holder, policy.values())):
            await vms.refresh(vm)
    except HypervisorError as error:
        raise TicketFailed(vm.id, f"it holds, but its disconnect action could not be kept: {error}") from error
