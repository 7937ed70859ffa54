"""Reading the kernel's networks over a routing socket: four dumps, without special rights.

Source: rtnetlink(7), linux/if_link.h, linux/rtnetlink.h, linux/fib_rules.h, linux/ipv6.h (DEVCONF_*).
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ovis.node.host.rtnetlink import ADDRESS, LINK, attributes, dump, text
from ovis.node.network import bond_options
from ovis.node.network.bridge_options import SETTINGS
from ovis.node.network.layout import RULE_PRIORITY
from ovis.node.network.state import DHCP, OURS, Address, Ipv6Mode, Kind, Link, Route, Rule, State

_NEW_LINK, _GET_LINK, _NEW_ADDRESS, _GET_ADDRESS = 16, 18, 20, 22
_NEW_ROUTE, _GET_ROUTE, _NEW_RULE, _GET_RULE = 24, 26, 32, 34
_ETHERNET, _UP = 1, 1
_NAME, _MTU, _MAC, _BASE, _MASTER, _INFO, _FAMILIES, _EXTENDED = 3, 4, 1, 5, 10, 18, 26, 29
_SKIP_STATISTICS = struct.pack("=HHI", 8, _EXTENDED, 8)
_INFO_KIND, _INFO_DATA, _VLAN_ID = 1, 2, 1
_INET6_CONF = 2
_ACCEPT_RA, _AUTOCONF, _DISABLE_IPV6 = 3, 5, 26
_ROUTE = struct.Struct("=BBBBBBBBI")
_RULE = struct.Struct("=BBBBBBBBI")
_UNICAST, _CLONED, _ONLINK, _LOCAL_TABLE = 1, 0x200, 4, 255
_MADE_BY_KERNEL = frozenset({1, 2, 9})
"""Redirects, the kernel itself, router advertisements (rtm_protocol)."""
_FOR_EVER = 0xFFFFFFFF

_KINDS = {"bond": Kind.BOND, "vlan": Kind.VLAN, "bridge": Kind.BRIDGE}
_LIKE_NICS = frozenset({"", "veth", "dummy", "macvlan", "netdevsim"})

Attributes = Mapping[int, bytes]


def read() -> State:
    """All devices, and the rules that are ours. DHCP clients and name servers are not the kernel's. Raises OSError."""
    raw = list(_links())
    names = {index: text(values[_NAME]) for index, _, values in raw if _NAME in values}
    addresses: dict[str, set[Address]] = defaultdict(set)
    for name, address in _addresses(names):
        addresses[name].add(address)
    routes: dict[str, set[Route]] = defaultdict(set)
    for name, route in _routes(names):
        routes[name].add(route)
    links = {}
    for index, header, values in raw:
        name = names.get(index, "")
        link = _link(name, header, values, names)
        links[name] = replace(link, addresses=frozenset(addresses[name]), routes=frozenset(routes[name]))
    return State(links, frozenset(_rules()))


def _links() -> Iterator[tuple[int, tuple[int, int], Attributes]]:
    """Index, (type, flags), attributes."""
    for body in dump(_GET_LINK, _NEW_LINK, LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + _SKIP_STATISTICS):
        _, kind, index, flags, _ = LINK.unpack_from(body)
        yield index, (kind, flags), dict(attributes(body[LINK.size :]))


def _link(name: str, header: tuple[int, int], values: Attributes, names: Mapping[int, str]) -> Link:
    info = dict(attributes(values.get(_INFO, b"")))
    kind_name = text(info.get(_INFO_KIND, b""))
    kind = _KINDS.get(kind_name, Kind.OTHER)
    if header[0] == _ETHERNET and kind_name in _LIKE_NICS:
        kind = Kind.NIC
    data = dict(attributes(info.get(_INFO_DATA, b"")))
    return Link(
        name=name,
        kind=kind,
        mtu=number(values.get(_MTU, b"")),
        is_up=bool(header[1] & _UP),
        mac=values.get(_MAC, b"").hex(":"),
        master=names.get(number(values.get(_MASTER, b"")), ""),
        base=names.get(number(values.get(_BASE, b"")), "") if kind is Kind.VLAN else "",
        tag=number(data.get(_VLAN_ID, b"")) if kind is Kind.VLAN else 0,
        options=_options(kind, data, names),
        ipv6=_ipv6(values),
    )


def _ipv6(values: Attributes) -> Ipv6Mode | None:
    families = dict(attributes(values.get(_FAMILIES, b"")))
    raw = dict(attributes(families.get(socket.AF_INET6, b""))).get(_INET6_CONF, b"")
    if len(raw) < 4 * (_DISABLE_IPV6 + 1):
        return None
    conf = struct.unpack_from(f"={_DISABLE_IPV6 + 1}i", raw)
    return Ipv6Mode(
        is_on=not conf[_DISABLE_IPV6], accepts=bool(conf[_ACCEPT_RA]), autoconf=bool(conf[_AUTOCONF])
    ).normal()


def _options(kind: Kind, data: Attributes, names: Mapping[int, str]) -> dict[str, str]:
    if kind is Kind.BOND:
        found = {
            name: _bond_value(name, option, data[option.attribute], names)
            for name, option in bond_options.OPTIONS.items()
            if option.attribute in data
        }
        return bond_options.normal(found)
    if kind is Kind.BRIDGE:
        return {name: str(number(data[s.attribute])) for name, s in SETTINGS.items() if s.attribute in data}
    return {}


def _bond_value(name: str, option: bond_options.Option, raw: bytes, names: Mapping[int, str]) -> str:
    if name == "arp_ip_target":
        return ",".join(str(ipaddress.IPv4Address(address)) for _, address in attributes(raw))
    if name == "ad_actor_system":
        return raw.hex(":")
    if name == "primary":
        return names.get(number(raw), "")
    value = number(raw)
    return option.words[value] if value < len(option.words) else str(value)


def _addresses(names: Mapping[int, str]) -> Iterator[tuple[str, Address]]:
    for body in dump(_GET_ADDRESS, _NEW_ADDRESS, ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
        family, prefix, _, _, index = ADDRESS.unpack_from(body)
        values = dict(attributes(body[ADDRESS.size :]))
        raw = values.get(2) or values.get(1)  # IFA_LOCAL, else IFA_ADDRESS: on a point-to-point link that is the other
        if family not in (socket.AF_INET, socket.AF_INET6) or raw is None or index not in names:
            continue
        ip = ipaddress.ip_address(raw)
        if ip.version == 6 and ip.is_link_local:
            continue
        valid = struct.unpack_from("=II", values[6])[1] if 6 in values else _FOR_EVER  # IFA_CACHEINFO
        yield names[index], Address(str(ip), prefix, None if valid == _FOR_EVER else valid)


def _routes(names: Mapping[int, str]) -> Iterator[tuple[str, Route]]:
    for body in dump(_GET_ROUTE, _NEW_ROUTE, _ROUTE.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0, 0)):
        family, length, _, _, table, protocol, _, kind, flags = _ROUTE.unpack_from(body)
        values = dict(attributes(body[_ROUTE.size :]))
        table = number(values[15]) if 15 in values else table  # RTA_TABLE
        name = names.get(number(values.get(4, b"")))  # RTA_OIF; multi-path routes have none
        if kind != _UNICAST or flags & _CLONED or protocol in _MADE_BY_KERNEL or table == _LOCAL_TABLE or not name:
            continue
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        yield (
            name,
            Route(
                destination=f"{_ip(family, values.get(1))}/{length}",
                gateway=_ip(family, values[5]) if 5 in values else "",
                table=table,
                metric=number(values.get(6, b"")),
                protocol=protocol,
                source=_ip(family, values[7]) if 7 in values else "",
                onlink=bool(flags & _ONLINK),
            ),
        )


def _rules() -> Iterator[Rule]:
    for body in dump(_GET_RULE, _NEW_RULE, _RULE.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0, 0)):
        family, _, length, _, table, *_ = _RULE.unpack_from(body)
        values = dict(attributes(body[_RULE.size :]))
        protocol, priority = number(values.get(21, b"")), number(values.get(6, b""))
        if protocol in (OURS, DHCP) and priority == RULE_PRIORITY and 2 in values:
            table = number(values[15]) if 15 in values else table
            yield Rule(f"{_ip(family, values[2])}/{length}", table, priority, protocol)


def _ip(family: int, raw: bytes | None) -> str:
    if raw is None:
        return "0.0.0.0" if family == socket.AF_INET else "::"  # noqa: S104  (a destination, not a door)
    return str(ipaddress.ip_address(raw))


def number(raw: bytes) -> int:
    """In the host's byte order, of any size; 0 for nothing."""
    return int.from_bytes(raw, sys.byteorder)
