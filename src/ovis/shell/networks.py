"""`ovis node network list`: the networks of a host, a line each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from ovis.shell.options import node_options

if TYPE_CHECKING:
    from ovis.client.types import NetInfoNetwork, VdsmNetworkCapabilities

HEADER = ("NETWORK", "FOR", "ON", "VLAN", "MTU", "ADDRESS", "GATEWAY", "GUESTS")


@dataclass(frozen=True)
class Row:
    """`on`: the card or bond below. `guests`: how many interfaces of VMs are in its bridge."""

    name: str
    vms: bool
    on: str
    vlan: int | None
    mtu: int | None
    addresses: tuple[str, ...]
    gateway: str
    default_route: bool
    guests: int


def network_group() -> click.Group:
    group = click.Group("network", params=node_options(output_only=True), help="The networks of a host.")
    group.add_command(
        click.Command(
            "list",
            params=node_options(output_only=True),
            callback=_list,
            help="List the networks that were set up on this host, with what they stand on. A * marks the default "
            "route; the last line says when a reboot would lose something.",
        )
    )
    return group


def _list() -> None:
    from ovis.shell.output import as_json, as_yaml, chosen_format, write
    from ovis.shell.storage.commands import table
    from ovis.shell.storage.node import typed
    from ovis.shell.talk import Options

    options = click.get_current_context().ensure_object(Options)
    with typed(options) as node:
        found = node.host.get_network_capabilities()
    rows = [row_of(name, network, found) for name, network in sorted(found.networks.items())]
    text = table([HEADER, *map(_cells, rows)]) if rows else "No networks were set up on this host\n"
    if found.net_config_dirty:
        text += "Not saved: the next boot makes something else. See: ovis node Host setSafeNetworkConfig\n"
    told = {"networks": [asdict(row) for row in rows], "unsaved": found.net_config_dirty}
    output = chosen_format(options.output)
    write(text if output == "table" else as_yaml(told) if output == "yaml" else as_json(told))


def row_of(name: str, network: NetInfoNetwork, found: VdsmNetworkCapabilities) -> Row:
    from ovis.client.types import NetInfoBridgedNetwork

    bridged = isinstance(network, NetInfoBridgedNetwork)
    ports = network.ports if isinstance(network, NetInfoBridgedNetwork) else [getattr(network, "interface", "")]
    below = [port for port in ports if port in found.nics or port in found.bondings or port in found.vlans]
    device = below[0] if below else ("" if bridged else ports[0])
    vlan = found.vlans.get(device)
    return Row(
        name=name,
        vms=bridged,
        on=vlan.iface if vlan else device,
        vlan=vlan.vlanid if vlan else None,
        mtu=getattr(network, "mtu", None),
        addresses=(*(getattr(network, "ipv4addrs", None) or ()), *(getattr(network, "ipv6addrs", None) or ())),
        gateway=getattr(network, "gateway", None) or "",
        default_route=bool(getattr(network, "ipv4defaultroute", False)),
        guests=len([port for port in ports if port not in below]) if bridged else 0,
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        "VMs" if row.vms else "host",
        row.on or "-",
        "-" if row.vlan is None else str(row.vlan),
        str(row.mtu or "-"),
        ", ".join(row.addresses) or "-",
        (row.gateway or "-") + ("*" if row.default_route else ""),
        str(row.guests) if row.vms else "-",
    )
