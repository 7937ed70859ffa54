"""Host.setHaMaintenanceMode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.verbs import HostSetHaMaintenanceModeArgs
from ovis.node.host.hosted_engine import NoHostedEngine
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.setHaMaintenanceMode")
async def set_ha_maintenance_mode(node: Node, args: HostSetHaMaintenanceModeArgs) -> None:
    if node.hosted_engine is None:
        raise NoHostedEngine("it was not set up for one")
    await node.hosted_engine.set_maintenance(args.mode, enabled=args.enabled)
