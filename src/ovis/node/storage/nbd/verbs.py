"""The verbs of NBD servers. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.verbs import NBDStartServerArgs, NBDStopServerArgs
from ovis.node.registry import verb
from ovis.node.storage import arguments
from ovis.node.storage.nbd.server import Export
from ovis.node.storage.volumes import asked
from ovis.node.storage.volumes.copying import Place

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("NBD.start_server")
async def start_server(node: Node, args: NBDStartServerArgs) -> str:
    config = args.config
    place = Place(arguments.domain(config.sd_id), arguments.image(config.img_id), arguments.volume(config.vol_id))
    if not config.readonly:
        asked.require_unused(node, place.domain, place.image, [place.volume])
    export = Export(
        place,
        readonly=config.readonly,
        discard=config.discard,
        detect_zeroes=config.detect_zeroes,
        backing_chain=config.backing_chain,
        bitmap=config.bitmap,
    )
    return await node.storage.nbd.start(args.server_id.lower(), export)


@verb("NBD.stop_server")
async def stop_server(node: Node, args: NBDStopServerArgs) -> None:
    await node.storage.nbd.stop(args.server_id.lower())
