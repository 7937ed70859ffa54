"""Verbs about connections to storage servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client import types
from ovis.client.verbs import (
    ISCSIConnectionDiscoverSendTargetsArgs,
    StoragePoolConnectStorageServerArgs,
    StoragePoolDisconnectStorageServerArgs,
)
from ovis.node.privileged.iscsi import Credentials
from ovis.node.privileged.protocol import Secret
from ovis.node.registry import verb
from ovis.node.storage.connections import iscsi
from ovis.node.storage.connections.connections import Outcome
from ovis.node.wire_errors import code_of

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("StoragePool.connectStorageServer")
async def connect_storage_server(
    node: Node, args: StoragePoolConnectStorageServerArgs
) -> list[types.ConnectStorageServerStatus]:
    outcomes = await node.storage.connections.connect(args.domain_type, args.connection_params)
    return [_status(outcome) for outcome in outcomes]


@verb("StoragePool.disconnectStorageServer")
async def disconnect_storage_server(
    node: Node, args: StoragePoolDisconnectStorageServerArgs
) -> list[types.ConnectStorageServerStatus]:
    outcomes = await node.storage.connections.disconnect(args.domain_type, args.connection_params)
    return [_status(outcome) for outcome in outcomes]


@verb("ISCSIConnection.discoverSendTargets")
async def discover_send_targets(node: Node, args: ISCSIConnectionDiscoverSendTargetsArgs) -> list[str]:
    credentials = Credentials(args.user, Secret(args.password)) if args.user else None
    return await iscsi.discover(
        node.storage.connections.tools, args.host, args.port, credentials, with_ipv6=args.ipv6_enabled
    )


def _status(outcome: Outcome) -> types.ConnectStorageServerStatus:
    problem = outcome.problem
    return types.ConnectStorageServerStatus(
        id=outcome.caller, status=0 if problem is None else code_of(problem.wire_name)
    )
