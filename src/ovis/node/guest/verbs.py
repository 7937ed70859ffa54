"""Verbs that go to the agents in the guest. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.verbs import (
    VMDesktopLockArgs,
    VMDesktopLoginArgs,
    VMDesktopLogoffArgs,
    VMDesktopSendHcCommandArgs,
    VMFreezeArgs,
    VMThawArgs,
)
from ovis.node.guest import desktop, freezing
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("VM.freeze")
async def vm_freeze(node: Node, args: VMFreezeArgs) -> None:
    await freezing.freeze(node.vms, node.vms.find(args.vm_id))


@verb("VM.thaw")
async def vm_thaw(node: Node, args: VMThawArgs) -> None:
    await freezing.thaw(node.vms, node.vms.find(args.vm_id))


@verb("VM.desktopLock")
async def vm_desktop_lock(node: Node, args: VMDesktopLockArgs) -> None:
    await desktop.lock(node.vms, node.vms.find(args.vm_id))


@verb("VM.desktopLogin")
async def vm_desktop_login(node: Node, args: VMDesktopLoginArgs) -> None:
    vm = node.vms.find(args.vm_id)
    await desktop.log_in(node.vms, vm, user=args.username, domain=args.domain, password=args.password)


@verb("VM.desktopLogoff")
async def vm_desktop_logoff(node: Node, args: VMDesktopLogoffArgs) -> None:
    await desktop.log_off(node.vms, node.vms.find(args.vm_id), force=args.force)


@verb("VM.desktopSendHcCommand")
async def vm_desktop_send_hc_command(node: Node, args: VMDesktopSendHcCommandArgs) -> None:
    await desktop.send(node.vms, node.vms.find(args.vm_id), args.message)
