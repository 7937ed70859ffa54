"""Whether a configuration can be made on this host. Pure; run by the helper before it touches anything.

The first thing that is wrong is raised as Wrong, with the field as the caller wrote it. What a caller did not name can
still be the cause (an address that another network has): then the field is one that was named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address

from ovis.node.network import bond_options, names
from ovis.node.network.bridge_options import of_network as bridge_options
from ovis.node.network.errors import ADDRESS, BONDING, BRIDGE, NIC, PARAMS, USED_BOND, USED_NIC, VLAN, Wrong
from ovis.node.network.model import Bond, Change, Configuration, Ipv4, Ipv6, Network, Switch
from ovis.node.network.state import Kind, Link, State

SMALLEST_MTU, SMALLEST_IPV6_MTU, LARGEST_MTU = 68, 1280, 65535
NAMESERVERS = 3
"""As many as resolvers read (resolv.conf(5), MAXNS)."""
CUSTOM_LIMIT = 64
_MAC = re.compile(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")


def check(now: Configuration, change: Change, state: State, switches: Iterable[Switch] = (Switch.LEGACY,)) -> None:
    """`state`: all devices. `switches`: the kinds that this host has. Raises Wrong; nothing was changed."""
    wanted = now.changed(change)
    _check_removals(now, change, wanted, state)
    for name, bond in change.bonds.items():
        if bond is not None:
            _check_bond(name, bond, now, wanted, state)
    for name, network in change.networks.items():
        if network is not None:
            _check_network(name, network, now, wanted, state)
    _check_switches(wanted, change, frozenset(switches))
    _check_ports(wanted, change)
    _check_layers(wanted, change)
    _check_addresses(wanted, change, state, now)
    _check_default_route(wanted, change)


def _check_removals(now: Configuration, change: Change, wanted: Configuration, state: State) -> None:
    for name, network in change.networks.items():
        if network is None and name not in now.networks:
            raise Wrong(BRIDGE, f"networks.{name}", "there is no such network to remove")
    for name, bond in change.bonds.items():
        if bond is not None:
            continue
        if name not in now.bonds:
            raise Wrong(BONDING, f"bondings.{name}", "there is no such bond to remove")
        for network in wanted.on(name):
            raise Wrong(USED_BOND, f"bondings.{name}.remove", f"network {network.name} still uses it")
        if foreign := _foreign_vlans(name, now, state):
            raise Wrong(USED_BOND, f"bondings.{name}.remove", f"{foreign} of somebody else stands on it")


# --- bonds


def _check_bond(name: str, bond: Bond, now: Configuration, wanted: Configuration, state: State) -> None:
    at = f"bondings.{name}"
    if bond.name != name or (problem := names.bond_problem(name)):
        raise Wrong(BONDING, at, problem if bond.name == name else "it is named in two ways")
    if not bond.ports:
        raise Wrong(BONDING, f"{at}.nics", "a bond needs at least one port")
    if len(set(bond.ports)) != len(bond.ports):
        raise Wrong(BONDING, f"{at}.nics", "a port is named twice")
    for port in bond.ports:
        _check_port(f"{at}.nics", port, name, now, wanted, state)
    there = state.link(name)
    if there is not None and (there.kind is not Kind.BOND or _is_foreign(there, name in now.bonds)):
        raise Wrong(BONDING, at, f"a device {name} exists that was not made as a bond here")
    for option, value in bond.options.items():
        if option not in bond_options.OPTIONS:
            raise Wrong(BONDING, f"{at}.options", f"{option} is no option of a bond")
        try:
            bond_options.canonical_value(option, value)
        except ValueError as error:
            raise Wrong(BONDING, f"{at}.options", str(error)) from error
    if problem := bond_options.problem(bond.options, bond.ports):
        raise Wrong(BONDING, f"{at}.options", problem)
    if bond.mac and (not _MAC.fullmatch(bond.mac) or int(bond.mac[:2], 16) & 1):
        raise Wrong(BONDING, f"{at}.hwaddr", f"{bond.mac!r} is no MAC address of a device")


def _is_foreign(link: Link, is_ours: bool) -> bool:
    """A bond or bridge that somebody else made and uses."""
    return not is_ours and bool(link.addresses or link.master)


def _check_port(at: str, port: str, bond: str, now: Configuration, wanted: Configuration, state: State) -> None:
    link = _check_device(at, port, state, wanted)
    if link.kind is not Kind.NIC:
        raise Wrong(BONDING, at, f"{port} is a {link.kind.value}: only cards can be ports of a bond")
    if link.master and link.master != bond and link.master not in _ours(now):
        raise Wrong(USED_NIC, at, f"{port} belongs to {link.master}, which is not a network or bond of this node")
    if foreign := _foreign_vlans(port, now, state):
        raise Wrong(USED_NIC, at, f"{foreign} of somebody else stands on {port}, and would stop working")


def _foreign_vlans(base: str, now: Configuration, state: State) -> str:
    """Names of VLANs that are not ours."""
    ours = _devices(now)
    return ", ".join(link.name for link in state.present().values() if link.base == base and link.name not in ours)


def _check_device(at: str, name: str, state: State, wanted: Configuration) -> Link:
    """A device that is there already."""
    if problem := names.device_problem(name):
        raise Wrong(NIC, at, problem)
    link = state.link(name)
    if link is None:
        if name in wanted.bonds:
            raise Wrong(BONDING if "nics" in at else NIC, at, f"{name} is a bond")
        raise Wrong(NIC, at, f"there is no device {name} on this host")
    if link.kind is Kind.OTHER:
        raise Wrong(NIC, at, f"{name} is no network card")
    return link


def _ours(now: Configuration) -> set[str]:
    return {*now.bonds, *(name for name, network in now.networks.items() if network.bridged)}


# --- networks


def _check_network(name: str, network: Network, now: Configuration, wanted: Configuration, state: State) -> None:
    at = f"networks.{name}"
    if network.name != name:
        raise Wrong(PARAMS, at, "it is named in two ways")
    if problem := names.network_problem(name):
        raise Wrong(BRIDGE, at, problem)
    _check_base(at, network, now, wanted, state)
    _check_bridge(at, network, now, wanted, state)
    _check_mtu(at, network)
    _check_ipv4(at, network.ipv4)
    _check_ipv6(at, network.ipv6)
    _check_route_and_names(at, network)
    if len(network.custom) > CUSTOM_LIMIT:
        raise Wrong(PARAMS, f"{at}.custom", f"more than {CUSTOM_LIMIT} properties")


def _check_base(at: str, network: Network, now: Configuration, wanted: Configuration, state: State) -> None:
    if network.nic and network.bond:
        raise Wrong(PARAMS, f"{at}.nic", "a network is carried by a nic or by a bond, not by both")
    if network.vlan is not None and not 0 <= network.vlan <= 4094:
        raise Wrong(VLAN, f"{at}.vlan", f"{network.vlan} is not between 0 and 4094")
    if not network.base:
        if network.vlan is not None:
            raise Wrong(VLAN, f"{at}.vlan", "a VLAN needs a nic or a bond")
        if not network.bridged:
            raise Wrong(PARAMS, f"{at}.bridged", "a network without a bridge needs a nic or a bond")
    if network.bond and network.bond not in wanted.bonds:
        there = state.link(network.bond)
        what = "is no bond of this node" if there else "does not exist"
        raise Wrong(BONDING, f"{at}.bonding", f"{network.bond} {what}")
    if network.nic:
        link = _check_device(f"{at}.nic", network.nic, state, wanted)
        if network.nic in wanted.bonds or network.nic in now.bonds:
            raise Wrong(NIC, f"{at}.nic", f"{network.nic} is a bond: name it as bonding")
        if link.kind is not Kind.NIC:
            raise Wrong(NIC, f"{at}.nic", f"{network.nic} is a {link.kind.value}, no network card")
        if link.master and link.master not in _ours(now):
            raise Wrong(USED_NIC, f"{at}.nic", f"{network.nic} belongs to {link.master}, which is none of this node")


def _check_bridge(at: str, network: Network, now: Configuration, wanted: Configuration, state: State) -> None:
    try:
        bridge_options(network)
    except ValueError as error:
        raise Wrong(BRIDGE, f"{at}.custom.bridge_opts", str(error)) from error
    if not network.bridged:
        if network.stp:
            raise Wrong(BRIDGE, f"{at}.STP", "a network without a bridge has no spanning tree")
        return
    before = now.networks.get(network.name)
    there = state.link(network.name)
    if network.name == network.base or network.name in wanted.bonds:
        raise Wrong(BRIDGE, at, "a bridge cannot have the name of what carries it")
    if there is not None and (there.kind is not Kind.BRIDGE or _is_foreign(there, bool(before and before.bridged))):
        raise Wrong(BRIDGE, at, f"a device {network.name} exists that was not made as a network here")


def _check_mtu(at: str, network: Network) -> None:
    least = SMALLEST_IPV6_MTU if network.ipv6.is_used else SMALLEST_MTU
    if not least <= network.mtu <= LARGEST_MTU:
        raise Wrong(PARAMS, f"{at}.mtu", f"{network.mtu} is not between {least} and {LARGEST_MTU}")


def _check_ipv4(at: str, ip: Ipv4) -> None:
    if ip.dhcp and (ip.address or ip.gateway):
        raise Wrong(PARAMS, f"{at}.bootproto", "dhcp excludes ipaddr, netmask, prefix and gateway")
    if not ip.address:
        if ip.prefix or ip.gateway:
            raise Wrong(PARAMS, f"{at}.ipaddr", "netmask, prefix and gateway need an address")
        return
    try:
        mine = IPv4Interface(f"{IPv4Address(ip.address)}/{ip.prefix}")
    except ValueError as error:
        raise Wrong(ADDRESS, f"{at}.ipaddr", f"{ip.address}/{ip.prefix}: {error}") from error
    if not 1 <= ip.prefix <= 32:
        raise Wrong(ADDRESS, f"{at}.netmask", f"a prefix of {ip.prefix} bits makes no subnet")
    if (
        mine.ip.is_multicast
        or mine.ip.is_loopback
        or mine.ip.is_unspecified
        or mine.ip == IPv4Address("255.255.255.255")
    ):
        raise Wrong(ADDRESS, f"{at}.ipaddr", f"{ip.address} cannot be the address of a host")
    if ip.prefix < 31 and mine.ip in (mine.network.network_address, mine.network.broadcast_address):
        raise Wrong(ADDRESS, f"{at}.ipaddr", f"{ip.address} is not a host's address in {mine.network}")
    if ip.gateway:
        _check_gateway(f"{at}.gateway", ip.gateway, mine)


def _check_ipv6(at: str, ip: Ipv6) -> None:
    if not ip.address:
        if ip.prefix or ip.gateway:
            raise Wrong(PARAMS, f"{at}.ipv6addr", "a prefix and a gateway need an address")
        return
    if ip.dhcp or ip.autoconf:
        raise Wrong(PARAMS, f"{at}.ipv6addr", "a static address excludes dhcpv6 and ipv6autoconf")
    try:
        mine = IPv6Interface(f"{IPv6Address(ip.address)}/{ip.prefix}")
    except ValueError as error:
        raise Wrong(ADDRESS, f"{at}.ipv6addr", f"{ip.address}/{ip.prefix}: {error}") from error
    if not 1 <= ip.prefix <= 128 or mine.ip.scope_id:
        raise Wrong(ADDRESS, f"{at}.ipv6addr", f"{mine} is no address with the prefix of a subnet")
    if mine.ip.is_multicast or mine.ip.is_loopback or mine.ip.is_unspecified or mine.ip.is_link_local:
        raise Wrong(ADDRESS, f"{at}.ipv6addr", f"{ip.address} cannot be the address of a network")
    if ip.gateway:
        _check_gateway(f"{at}.ipv6gateway", ip.gateway, mine)


def _check_gateway(at: str, gateway: str, mine: IPv4Interface | IPv6Interface) -> None:
    try:
        address = ip_address(gateway)
    except ValueError as error:
        raise Wrong(ADDRESS, at, str(error)) from error
    if address.version != mine.version:
        raise Wrong(ADDRESS, at, f"{gateway} is not of the family of {mine.ip}")
    if address == mine.ip:
        raise Wrong(ADDRESS, at, f"{gateway} is the host's own address")
    if address not in mine.network and not (address.version == 6 and address.is_link_local):
        raise Wrong(ADDRESS, at, f"{gateway} lies outside {mine.network}")


def _check_route_and_names(at: str, network: Network) -> None:
    ipv4, ipv6 = network.ipv4, network.ipv6
    if network.default_route and not (ipv4.gateway or ipv4.dhcp or ipv6.gateway or ipv6.dhcp or ipv6.autoconf):
        raise Wrong(PARAMS, f"{at}.defaultRoute", "there is no gateway that it could go by")
    for server in network.nameservers or ():
        try:
            ip_address(server)
        except ValueError as error:
            raise Wrong(ADDRESS, f"{at}.nameservers", str(error)) from error
    if len(network.nameservers or ()) > NAMESERVERS:
        raise Wrong(PARAMS, f"{at}.nameservers", f"resolvers read {NAMESERVERS} of them")
    if network.nameservers and not network.default_route:
        raise Wrong(PARAMS, f"{at}.nameservers", "they belong to the network with the default route")


# --- between them


def _check_switches(wanted: Configuration, change: Change, there: frozenset[Switch]) -> None:
    for name, network in change.networks.items():
        if network is None:
            continue
        if network.switch not in there:
            raise Wrong(PARAMS, f"networks.{name}.switch", f"this host has no switch of kind {network.switch.value}")
        bond = wanted.bonds.get(network.bond)
        if bond is not None and bond.switch is not network.switch:
            raise Wrong(PARAMS, f"networks.{name}.switch", f"bond {bond.name} is of the kind {bond.switch.value}")
    for name, wish in change.bonds.items():
        if wish is not None and wish.switch not in there:
            raise Wrong(PARAMS, f"bondings.{name}.switch", f"this host has no switch of kind {wish.switch.value}")


def _check_ports(wanted: Configuration, change: Change) -> None:
    """A card serves one bond, or networks."""
    user = {port: name for name, bond in wanted.bonds.items() for port in bond.ports}
    for name, bond in wanted.bonds.items():
        for port in bond.ports:
            if user[port] != name:
                named = name if change.bonds.get(name) is not None else user[port]
                raise Wrong(USED_NIC, f"bondings.{named}.nics", f"{port} is a port of {name} and of {user[port]}")
    for network in wanted.networks.values():
        if network.nic in user:
            at = f"networks.{network.name}.nic"
            if change.networks.get(network.name) is None:
                at = f"bondings.{user[network.nic]}.nics"
            what = f"{network.nic} is a port of {user[network.nic]} and carries network {network.name}"
            raise Wrong(USED_NIC, at, what)


def _check_layers(wanted: Configuration, change: Change) -> None:
    """One network for each tag of a device, and one without."""
    taken: dict[tuple[str, int | None], str] = {}
    for network in wanted.networks.values():
        if not network.base:
            continue
        other = taken.setdefault((network.base, network.vlan), network.name)
        if other != network.name:
            named = network.name if change.networks.get(network.name) is not None else other
            if network.vlan is not None:
                what = f"{network.base} carries {other} and {network.name} with the same tag {network.vlan}"
                raise Wrong(VLAN, f"networks.{named}.vlan", what)
            key = "nic" if network.nic else "bonding"
            error = USED_NIC if network.nic else USED_BOND
            what = f"{network.base} carries {other} and {network.name}, both without a VLAN"
            raise Wrong(error, f"networks.{named}.{key}", what)
    devices: dict[str, str] = {}
    for network in wanted.networks.values():
        if network.base and network.vlan is not None:
            device = names.vlan_device(network.base, network.vlan)
            other = devices.setdefault(device, network.name)
            if other != network.name or device in wanted.networks:
                raise Wrong(VLAN, f"networks.{network.name}.vlan", f"its device {device} would serve {other} as well")


def _check_addresses(wanted: Configuration, change: Change, state: State, now: Configuration) -> None:
    subnets: list[tuple[Network, IPv4Interface | IPv6Interface, str]] = []
    for network in wanted.networks.values():
        for mine, field in _addresses(network):
            for other, theirs, _ in subnets:
                if theirs.version == mine.version and mine.network.overlaps(theirs.network):
                    named = network if change.networks.get(network.name) is not None else other
                    same = mine.ip == theirs.ip
                    what = (
                        f"{mine.ip} is the address of both" if same else f"{mine.network} and {theirs.network} overlap"
                    )
                    text = f"{what}: {other.name} and {network.name}"
                    raise Wrong(ADDRESS, f"networks.{named.name}.{field}", text)
            subnets.append((network, mine, field))
    foreign = _foreign_addresses(state, _devices(wanted) | _devices(now))
    for network, mine, field in subnets:
        if str(mine.ip) in foreign and change.networks.get(network.name) is not None:
            what = f"{mine.ip} is the address of {foreign[str(mine.ip)]} already"
            raise Wrong(ADDRESS, f"networks.{network.name}.{field}", what)


def _addresses(network: Network) -> list[tuple[IPv4Interface | IPv6Interface, str]]:
    found: list[tuple[IPv4Interface | IPv6Interface, str]] = []
    if network.ipv4.address:
        found.append((IPv4Interface(f"{network.ipv4.address}/{network.ipv4.prefix}"), "ipaddr"))
    if network.ipv6.address:
        found.append((IPv6Interface(f"{network.ipv6.address}/{network.ipv6.prefix}"), "ipv6addr"))
    return found


def _foreign_addresses(state: State, ours: set[str]) -> Mapping[str, str]:
    return {
        address.ip: link.name
        for link in state.present().values()
        if link.name not in ours
        for address in link.addresses
    }


def _devices(configuration: Configuration) -> set[str]:
    """All that a configuration consists of, cards as well: their own addresses go away."""
    vlans = {
        names.vlan_device(network.base, network.vlan)
        for network in configuration.networks.values()
        if network.base and network.vlan is not None
    }
    return {*configuration.networks, *configuration.bonds, *configuration.nics(), *vlans}


def _check_default_route(wanted: Configuration, change: Change) -> None:
    having = [network.name for network in wanted.networks.values() if network.default_route]
    if len(having) > 1:
        named = next((name for name in having if change.networks.get(name) is not None), having[0])
        what = f"the host has one default route, which {' and '.join(having)} want"
        raise Wrong(PARAMS, f"networks.{named}.defaultRoute", what)
