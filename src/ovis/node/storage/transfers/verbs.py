"""The verbs of image tickets. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import ImageTicketInfo
from ovis.client.verbs import (
    HostAddImageTicketArgs,
    HostExtendImageTicketArgs,
    HostGetImageTicketArgs,
    HostRemoveImageTicketArgs,
)
from ovis.node.registry import verb
from ovis.node.storage.transfers.image_daemon import ImageDaemon
from ovis.node.storage.transfers.tickets import Places, Tickets

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.add_image_ticket")
async def host_add_image_ticket(node: Node, args: HostAddImageTicketArgs) -> None:
    await _tickets(node).add(args.ticket)


@verb("Host.extend_image_ticket")
async def host_extend_image_ticket(node: Node, args: HostExtendImageTicketArgs) -> None:
    await _tickets(node).extend(str(args.uuid), args.timeout)


@verb("Host.get_image_ticket")
async def host_get_image_ticket(node: Node, args: HostGetImageTicketArgs) -> ImageTicketInfo:
    return await _tickets(node).read(str(args.uuid))


@verb("Host.remove_image_ticket")
async def host_remove_image_ticket(node: Node, args: HostRemoveImageTicketArgs) -> None:
    await _tickets(node).remove(str(args.uuid))


def _tickets(node: Node) -> Tickets:
    config = node.config
    places = Places(
        files=(config.storage.root, config.storage.run_folder, *config.vms.allowed_paths),
        sockets=(config.run_folder, config.storage.run_folder.parent),
    )
    return Tickets(ImageDaemon(config.storage.image_daemon_socket), places)
