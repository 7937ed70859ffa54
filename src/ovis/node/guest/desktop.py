"""What the oVirt agent can be asked to do at the guest's desktop. It does not answer; facts show what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.errors import BadParameter

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

NAME_LENGTH = 255


async def lock(vms: Vms, vm: Vm) -> None:
    """Raises VmNotRunning, AgentSilent, HypervisorError, as all here do."""
    await _ask(vms, vm, "lock-screen")


async def log_in(vms: Vms, vm: Vm, *, user: str, domain: str, password: str) -> None:
    await _ask(vms, vm, "login", username=f"{user}@{domain}" if domain else user, password=password)


async def log_off(vms: Vms, vm: Vm, *, force: bool) -> None:
    """Agents that know `force` end the session against the will of its programs."""
    await _ask(vms, vm, "log-off", force=force)


async def shut_down(vms: Vms, vm: Vm, *, reboot: bool, message: str) -> None:
    """`message` is shown to the users."""
    await _ask(vms, vm, "shutdown", timeout=0, message=message, reboot="true" if reboot else "false")


async def send(vms: Vms, vm: Vm, name: str) -> None:
    """A message without members whose name is agreed between caller and guest."""
    if not name or len(name) > NAME_LENGTH:
        raise BadParameter("message", f"must have 1 to {NAME_LENGTH} characters")
    await _ask(vms, vm, name)


async def _ask(vms: Vms, vm: Vm, name: str, /, **members: object) -> None:
    vm.require_qemu()
    await vms.desktops.send(vm.id, name, **members)
