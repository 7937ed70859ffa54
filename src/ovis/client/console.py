"""Consoles of VMs through their node: the serial console, or the screen as its RFB bytes.

console = open_console(UnixTarget("/run/ovis/ovisd.sock"), vm_id)
console.send(b"\\r")
"""

from __future__ import annotations

from ovis.wire.blocking_tunnel import BlockingTunnel, Refused
from ovis.wire.target import TcpTarget, UnixTarget

__all__ = ["BlockingTunnel", "Refused", "open_console"]


def open_console(
    target: UnixTarget | TcpTarget, vm_id: str, *, kind: str = "serial", force: bool = False, timeout: float = 10.0
) -> BlockingTunnel:
    """`kind`: serial or vnc. `force` takes the serial console from whoever has it.

    Raises ConnectionLost; Refused with the HTTP status and the agent's words.
    """
    tunnel = BlockingTunnel.connect(target, timeout=timeout)
    try:
        ticket = tunnel.post("/console/tickets", {"vmID": vm_id, "kind": kind, "force": force})
        tunnel.open(str(ticket["path"]))
    except BaseException:
        tunnel.close()
        raise
    return tunnel
