"""Host.fenceNode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import FenceNodeResult
from ovis.client.verbs import HostFenceNodeArgs
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.fenceNode")
async def fence_node(node: Node, args: HostFenceNodeArgs) -> FenceNodeResult:
    return await node.fencing.fence(args)
