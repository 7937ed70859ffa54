"""The verb that tells which pool a host is in; asked of every host, so it loads nothing of storage itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.verbs import HostGetConnectedStoragePoolsArgs
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.getConnectedStoragePools")
def get_connected_storage_pools(node: Node, args: HostGetConnectedStoragePoolsArgs) -> list[str]:
    joined = node.storage.pools.joined if node.uses_storage else None
    return [] if joined is None else [joined.id]
