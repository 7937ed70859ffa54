"""Host.getLldp."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from ovis.client.types import Lldp
from ovis.client.verbs import HostGetLldpArgs
from ovis.node.host.neighbours import NotLldp, neighbours
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.privileged.lldp import ReadLldp
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.privileged.client import Root

log = logging.getLogger(__name__)


@verb("Host.getLldp")
async def get_lldp(node: Node, args: HostGetLldpArgs) -> dict[str, Lldp]:
    wanted = (args.filter or {}).get("devices") or ()
    cards = wanted or (await node.host.network_capabilities()).nics
    return await heard(node.privileged, wanted, cards)


async def heard(root: Root, wanted: Collection[str], cards: Collection[str]) -> dict[str, Lldp]:
    """Of `wanted` (empty: all), which like `cards` are listed also when nobody listens on them."""
    try:
        listening = (await root.call(ReadLldp(what="interfaces"))).check("to ask lldpd")
        told = (await root.call(ReadLldp(what="neighbors"))).check("to ask lldpd")
        found = neighbours(listening.output, told.output, cards)
    except (PrivilegedError, OSError, NotLldp) as error:
        log.info("no LLDP: %s", error)
        found = {name: Lldp(enabled=False, tlvs=[]) for name in cards}
    return {name: one for name, one in found.items() if not wanted or name in wanted}
