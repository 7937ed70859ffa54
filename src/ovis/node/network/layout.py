"""Which devices a configuration consists of.

    network "red" on eth0, VLAN 7, bridged       eth0 ── eth0.7 ── red       address on red
    network "san" on bond1, not bridged          eth1, eth2 ── bond1         address on bond1
    network "lab" on nothing                     lab                         a bridge within the host

A card that carries only tagged networks keeps its own addresses: they are not ours. One that carries an untagged
network, or is a port, gives them up to it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_interface

from ovis.node.network import bond_options
from ovis.node.network.bridge_options import of_network as bridge_options
from ovis.node.network.model import DEFAULT_MTU, Bond, Configuration, Network
from ovis.node.network.names import vlan_device
from ovis.node.network.state import Address, Dhcp, Ipv6Mode, Kind, Link, Route, Rule, State

RULE_PRIORITY = 3200
_IPV6_METRIC = 512
"""Below what routers announce (1024)."""
_TABLES, _FIRST_TABLE = 1 << 28, 1 << 30
_OFF = Ipv6Mode()


@dataclass(frozen=True)
class Original:
    """How a card was before a network of ours took it; so it is again when the last one leaves."""

    mtu: int = DEFAULT_MTU
    is_up: bool = False
    ipv6: Ipv6Mode | None = None


def layout(
    wanted: Configuration, now: Configuration, state: State, originals: Mapping[str, Original] | None = None
) -> State:
    """The devices of `wanted`, and those of `now` as they shall be afterwards. `state`: all that the kernel has.

    What needs a card that is not there is left out.
    """
    wanted = _possible(wanted, state)
    tables = _tables(wanted)
    links: dict[str, Link | None] = dict.fromkeys(devices(now) - now.nics())
    for nic in now.nics() - wanted.nics():
        links[nic] = _released(nic, now, state, (originals or {}).get(nic, Original()))
    for name, bond in wanted.bonds.items():
        links[name] = _bond(bond, wanted, state)
    for nic in wanted.nics():
        links[nic] = _nic(nic, wanted, now, state)
    for network in wanted.networks.values():
        _add_network(links, network, state, tables.get(network.name, 0))
    for link in state.present().values():
        if link.base in links and link.name not in links:
            links[link.name] = link  # of somebody else; what goes away with a device below has to come back
    used = {name: link for name, link in links.items() if link is None or state.link(name) or link.kind is not Kind.NIC}
    rules = {rule for network in wanted.networks.values() for rule in _rules(network, tables.get(network.name, 0))}
    servers = next((n.nameservers for n in wanted.networks.values() if n.default_route and n.nameservers), None)
    return State(dict(sorted(used.items())), frozenset(rules), servers)


def devices(configuration: Configuration) -> set[str]:
    """All device names that it consists of."""
    networks = configuration.networks.values()
    bridges = {network.name for network in networks if network.bridged}
    return {*bridges, *configuration.bonds, *configuration.nics(), *(carrier(n) for n in networks if n.base)}


def carrier(network: Network) -> str:
    """The device below the bridge: nic, bond or VLAN."""
    return network.base if network.vlan is None else vlan_device(network.base, network.vlan)


def host_device(network: Network) -> str:
    """The device that has the host's address."""
    return network.name if network.bridged else carrier(network)


def _possible(wanted: Configuration, state: State) -> Configuration:
    """At a boot a card may be missing; the other networks come up without it."""
    bonds = {}
    for name, bond in wanted.bonds.items():
        ports = tuple(port for port in bond.ports if state.link(port))
        bonds[name] = replace(bond, ports=ports)
    networks = {name: n for name, n in wanted.networks.items() if not n.nic or state.link(n.nic)}
    return Configuration(networks, bonds)


def _bond(bond: Bond, wanted: Configuration, state: State) -> Link:
    there = state.link(bond.name)
    return Link(
        name=bond.name,
        kind=Kind.BOND,
        mtu=_mtu(bond.name, wanted, there, state),
        mac=bond.mac.lower(),
        options=bond_options.normal(bond.options),
        ipv6=_OFF,
    )


def _nic(nic: str, wanted: Configuration, now: Configuration, state: State) -> Link:
    there = state.link(nic)
    bond = next((bond for bond in wanted.bonds.values() if nic in bond.ports), None)
    if bond is not None:
        mtu = _mtu(bond.name, wanted, state.link(bond.name), state)
        return Link(nic, Kind.NIC, mtu, master=bond.name, ipv6=_OFF)
    mtu = _mtu(nic, wanted, there, state)
    untagged = any(network.vlan is None for network in wanted.on(nic))
    if untagged or _gave_itself_up(nic, now) or there is None:
        return Link(nic, Kind.NIC, mtu, ipv6=_OFF)
    return replace(there, mtu=mtu, is_up=True)


def _gave_itself_up(nic: str, now: Configuration) -> bool:
    """Whether its addresses were replaced by those of a network."""
    return any(network.vlan is None for network in now.on(nic)) or any(nic in b.ports for b in now.bonds.values())


def _released(nic: str, now: Configuration, state: State, original: Original) -> Link:
    there = state.link(nic)
    others = _foreign_vlans(nic, now, state)
    mtu = max([original.mtu, *others])
    if there is not None and not _gave_itself_up(nic, now):
        return replace(there, mtu=mtu)
    return Link(nic, Kind.NIC, mtu, is_up=original.is_up or bool(others), ipv6=original.ipv6)


def _mtu(base: str, wanted: Configuration, there: Link | None, state: State) -> int:
    """As much as the networks on it need, and VLANs of others too."""
    needs = [network.mtu for network in wanted.on(base)]
    return max([*needs, *_foreign_vlans(base, wanted, state)], default=DEFAULT_MTU)


def _foreign_vlans(base: str, wanted: Configuration, state: State) -> list[int]:
    ours = {carrier(network) for network in wanted.on(base)}
    return [
        link.mtu
        for link in state.present().values()
        if link.base == base and link.name not in ours and link.kind is Kind.VLAN
    ]


def _add_network(links: dict[str, Link | None], network: Network, state: State, table: int) -> None:
    below = carrier(network) if network.base else ""
    if network.vlan is not None:
        links[below] = Link(below, Kind.VLAN, network.mtu, base=network.base, tag=network.vlan, ipv6=_OFF)
    if network.bridged:
        card = state.link(network.nic) if network.nic else None
        # A bridge takes the lowest MAC of its ports: it could change with a VM, and DHCP servers would not know it
        mac = card.mac if card else ""
        links[network.name] = Link(
            network.name, Kind.BRIDGE, network.mtu, mac=mac, options=bridge_options(network), ipv6=_OFF
        )
        if below:
            port = links[below]
            assert port is not None
            links[below] = replace(port, master=network.name)
    device = links[host_device(network)]
    assert device is not None
    links[device.name] = replace(
        device,
        ipv6=Ipv6Mode(
            is_on=network.ipv6.is_used,
            accepts=network.ipv6.autoconf or network.ipv6.dhcp,
            autoconf=network.ipv6.autoconf,
        ),
        addresses=frozenset(_addresses(network)),
        routes=frozenset(_routes(network, table)),
        dhcp=frozenset(_clients(network, table)),
    )


def _addresses(network: Network) -> list[Address]:
    found = []
    for ip in (network.ipv4, network.ipv6):
        if ip.address:
            interface = ip_interface(f"{ip.address}/{ip.prefix}")
            found.append(Address(str(interface.ip), interface.network.prefixlen))
    return found


def _routes(network: Network, table: int) -> list[Route]:
    """The default route in the main table if it is the host's, and in a table of its own: answers leave by the network
    that the question came by."""
    found = []
    for ip, everywhere, metric in ((network.ipv4, "0.0.0.0/0", 0), (network.ipv6, "::/0", _IPV6_METRIC)):
        if not ip.gateway:
            continue
        gateway = str(ip_interface(ip.gateway).ip)
        if network.default_route:
            found.append(Route(everywhere, gateway, metric=metric))
        found.append(Route(everywhere, gateway, table=table, metric=metric))
        found.append(Route(_subnet(ip.address, ip.prefix), table=table, metric=metric))
    return found


def _rules(network: Network, table: int) -> list[Rule]:
    return [
        Rule(_subnet(ip.address, ip.prefix), table, RULE_PRIORITY) for ip in (network.ipv4, network.ipv6) if ip.gateway
    ]


def _clients(network: Network, table: int) -> list[Dhcp]:
    return [
        Dhcp(
            family,
            table=table,
            default_route=network.default_route,
            nameservers=network.default_route and not network.nameservers,
        )
        for family, ip in ((4, network.ipv4), (6, network.ipv6))
        if ip.dhcp
    ]


def _subnet(address: str, prefix: int) -> str:
    return str(ip_interface(f"{address}/{prefix}").network)


def _tables(wanted: Configuration) -> dict[str, int]:
    """A routing table for each network, by its name; the next free number where two names meet."""
    taken: set[int] = set()
    found = {}
    for name in sorted(wanted.networks):
        number = zlib.crc32(name.encode()) % _TABLES
        while number in taken:
            number = (number + 1) % _TABLES
        taken.add(number)
        found[name] = _FIRST_TABLE + number
    return found
