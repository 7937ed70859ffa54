"""The verbs of exports. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.verbs import OVAAbortArgs, OVAExportArgs
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("OVA.export")
async def export(node: Node, args: OVAExportArgs) -> None:
    await node.exports.export(args.path, args.vm, args.job_id, compressed=args.compressed, with_manifest=args.manifest)


@verb("OVA.abort")
def abort(node: Node, args: OVAAbortArgs) -> None:
    node.exports.abort(args.job_id)
