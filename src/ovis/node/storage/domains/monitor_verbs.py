"""The verbs about watching storage domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import StorageDomainVitals
from ovis.client.verbs import HostGetStorageRepoStatsArgs, HostStartMonitoringDomainArgs, HostStopMonitoringDomainArgs
from ovis.node.registry import verb
from ovis.node.storage.formats.identifiers import DomainId

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.getStorageRepoStats")
def get_storage_repo_stats(node: Node, args: HostGetStorageRepoStatsArgs) -> dict[str, StorageDomainVitals]:
    if not node.uses_storage:
        return {}
    return node.storage.monitors.report([DomainId(domain) for domain in args.domains])


@verb("Host.startMonitoringDomain")
async def start_monitoring_domain(node: Node, args: HostStartMonitoringDomainArgs) -> None:
    await node.storage.monitors.start(DomainId(args.sd_uuid), args.host_id)


@verb("Host.stopMonitoringDomain")
async def stop_monitoring_domain(node: Node, args: HostStopMonitoringDomainArgs) -> None:
    if node.uses_storage:
        await node.storage.monitors.stop(DomainId(args.sd_uuid))
