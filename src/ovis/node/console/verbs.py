"""Verbs of consoles. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.verbs import VMSetTicketArgs
from ovis.node.console import passwords
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("VM.setTicket")
async def vm_set_ticket(node: Node, args: VMSetTicketArgs) -> None:
    details = args.params or {}
    wish = passwords.Wish(
        password=args.password,
        seconds=args.ttl,
        action=args.existing_conn_action,
        user=details.get("userName", ""),
        disconnect_action=details.get("disconnectAction"),
        details=details,
    )
    await passwords.set_password(node.vms, node.vms.find(args.vm_id), wish)
