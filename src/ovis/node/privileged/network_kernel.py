"""The steps of a plan, done: by netlink, and through /proc/sys for what netlink has no words for (IPv6 of a device).

Each step may be repeated: what is there already, or gone already, is no error.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ovis.node.network import kernel_state
from ovis.node.network.bond_options import OPTIONS
from ovis.node.network.bridge_options import SETTINGS
from ovis.node.network.state import Address, Ipv6Mode, Kind, Route, Rule, State
from ovis.node.network.steps import (
    AddAddress,
    AddRoute,
    AddRule,
    Delete,
    Make,
    RemoveAddress,
    RemoveRoute,
    RemoveRule,
    SetIpv6,
    SetMac,
    SetMaster,
    SetMtu,
    SetNameservers,
    SetOptions,
    SetUp,
    StartDhcp,
    Step,
    StopDhcp,
)
from ovis.node.privileged import netlink
from ovis.node.privileged.netlink import Channel, attribute, index_of, nested, number, string
from ovis.node.privileged.network_dhcp import DhcpClients
from ovis.node.privileged.resolver import Resolver

_NEW_LINK, _DELETE_LINK, _NEW_ADDRESS, _DELETE_ADDRESS = 16, 17, 20, 21
_NEW_ROUTE, _DELETE_ROUTE, _NEW_RULE, _DELETE_RULE = 24, 25, 32, 33
_MAC, _NAME, _MTU, _BASE, _MASTER, _INFO = 1, 3, 4, 5, 10, 18
_INFO_KIND, _INFO_DATA, _VLAN_ID = 1, 2, 1
_UP = 1
_LINK = struct.Struct("=BxHiII")
_UNIVERSE, _ON_LINK = 0, 253
_ONLINK_FLAG = 4
_TO_TABLE = 1
_ALREADY, _GONE = (errno.EEXIST,), (errno.ENODEV, errno.ESRCH, errno.ENOENT, errno.EADDRNOTAVAIL)


class Kernel(Protocol):
    """What a change is made on; tests have one of their own."""

    def read(self) -> State: ...

    def do(self, step: Step) -> None:
        """Raises OSError."""
        ...


class RealKernel:
    """In the network namespace of the thread that opens it."""

    def __init__(self, channel: Channel, clients: DhcpClients, resolver: Resolver) -> None:
        self._channel = channel
        self._clients = clients
        self._resolver = resolver

    def read(self) -> State:
        """With DHCP clients and name servers. Raises OSError."""
        state = kernel_state.read()
        running = self._clients.running()
        links = {
            name: replace(link, dhcp=running[name]) if link is not None and name in running else link
            for name, link in state.links.items()
        }
        return State(links, state.rules, self._resolver.read())

    def do(self, step: Step) -> None:  # one line for each step
        match step:
            case Make():
                self._make(step)
            case Delete(name):
                self._channel.do(_DELETE_LINK, _LINK.pack(0, 0, 0, 0, 0) + string(_NAME, name), what=name, ignore=_GONE)
            case SetMaster(name, master):
                self._set(name, number(_MASTER, index_of(master) if master else 0))
            case SetUp(name, is_up):
                self._set(name, b"", _UP if is_up else 0, _UP)
            case SetMtu(name, mtu):
                self._set(name, number(_MTU, mtu))
            case SetMac(name, mac):
                self._set(name, attribute(_MAC, bytes.fromhex(mac.replace(":", ""))))
            case SetOptions(name, kind, options):
                self._set_options(name, kind, options)
            case SetIpv6(name, mode):
                _set_ipv6(name, mode)
            case AddAddress(name, address):
                self._add_address(name, address)
            case RemoveAddress(name, address):
                self._channel.do(_DELETE_ADDRESS, _address(name, address), what=f"{address.ip} of {name}", ignore=_GONE)
            case AddRoute(name, route):
                what = f"{route.destination} by {name}"
                self._channel.do(_NEW_ROUTE, _route(name, route), netlink.CREATE, what=what, ignore=_ALREADY)
            case RemoveRoute(name, route):
                self._channel.do(
                    _DELETE_ROUTE, _route(name, route), what=f"{route.destination} by {name}", ignore=_GONE
                )
            case AddRule(rule):
                flags = netlink.CREATE | netlink.EXCLUSIVE
                self._channel.do(_NEW_RULE, _rule(rule), flags, what=f"rule from {rule.source}", ignore=_ALREADY)
            case RemoveRule(rule):
                self._channel.do(_DELETE_RULE, _rule(rule), what=f"rule from {rule.source}", ignore=_GONE)
            case StartDhcp(name, dhcp):
                self._clients.start(name, dhcp)
            case StopDhcp(name, dhcp):
                self._clients.stop(name, dhcp)
            case SetNameservers(servers):
                self._resolver.write(servers)

    def _set(self, name: str, values: bytes, flags: int = 0, mask: int = 0) -> None:
        self._channel.do(_NEW_LINK, _LINK.pack(0, 0, index_of(name), flags, mask) + values, what=name)

    def _make(self, step: Make) -> None:
        if step.kind is Kind.BOND:
            _load_bonding()
        data = b""
        if step.kind is Kind.VLAN:
            data = number(_VLAN_ID, step.tag, 2)
        elif step.options:
            data = _option_data(step.kind, {k: v for k, v in step.options.items() if k != "primary"})
        values = string(_NAME, step.name)
        if step.base:
            values += number(_BASE, index_of(step.base))
        if step.mac:
            values += attribute(_MAC, bytes.fromhex(step.mac.replace(":", "")))
        values += nested(_INFO, string(_INFO_KIND, step.kind.value), nested(_INFO_DATA, data))
        flags = netlink.CREATE | netlink.EXCLUSIVE
        self._channel.do(_NEW_LINK, _LINK.pack(0, 0, 0, 0, 0) + values, flags, what=step.name, ignore=_ALREADY)

    def _set_options(self, name: str, kind: Kind, options: Mapping[str, str]) -> None:
        if options:
            data = _option_data(kind, options)
            self._set(name, nested(_INFO, string(_INFO_KIND, kind.value), nested(_INFO_DATA, data)))

    def _add_address(self, name: str, address: Address) -> None:
        body = _address(name, address)
        if address.seconds is not None:
            body += attribute(6, struct.pack("=4I", address.seconds, address.seconds, 0, 0))  # IFA_CACHEINFO
        if address.family == 4 and address.prefix < 31:
            network = ipaddress.IPv4Interface(f"{address.ip}/{address.prefix}").network
            body += attribute(4, network.broadcast_address.packed)
        flags = netlink.CREATE | netlink.REPLACE
        self._channel.do(_NEW_ADDRESS, body, flags, what=f"{address.ip} on {name}")


@contextmanager
def real_kernel(clients: DhcpClients, resolver: Resolver) -> Iterator[RealKernel]:
    with netlink.channel() as channel:
        yield RealKernel(channel, clients, resolver)


def _load_bonding() -> None:
    """Loaded by the first bond, the driver makes a bond0 that nobody asked for, unless told not to."""
    if not os.path.isdir("/proc/net/bonding") and (modprobe := shutil.which("modprobe")):
        subprocess.run([modprobe, "--quiet", "bonding", "max_bonds=0"], timeout=20, check=False)


def _option_data(kind: Kind, options: Mapping[str, str]) -> bytes:
    if kind is Kind.BRIDGE:
        known = (SETTINGS[name] for name in options)
        return b"".join(number(s.attribute, int(v), s.size) for s, v in zip(known, options.values(), strict=True))
    return b"".join(_bond_option(name, value) for name, value in options.items())


def _bond_option(name: str, value: str) -> bytes:
    option = OPTIONS[name]
    if name == "arp_ip_target":
        targets = [ipaddress.IPv4Address(target) for target in value.split(",") if target]
        return nested(option.attribute, *(attribute(n, target.packed) for n, target in enumerate(targets)))
    if name == "ad_actor_system":
        return attribute(option.attribute, bytes.fromhex(value.replace(":", "")))
    if name == "primary":
        return number(option.attribute, index_of(value) if value else 0)
    return number(option.attribute, option.words.index(value) if option.words else int(value), option.size)


def _family(number: int) -> int:
    return socket.AF_INET6 if number == 6 else socket.AF_INET


def _address(name: str, address: Address) -> bytes:
    raw = ipaddress.ip_address(address.ip).packed
    header = struct.pack("=BBBBI", _family(address.family), address.prefix, 0, 0, index_of(name))
    return header + attribute(2, raw) + attribute(1, raw)  # IFA_LOCAL, IFA_ADDRESS


def _route(name: str, route: Route) -> bytes:
    network = ipaddress.ip_network(route.destination)
    scope = _UNIVERSE if route.gateway or route.family == 6 else _ON_LINK
    flags = _ONLINK_FLAG if route.onlink else 0
    family, table = _family(route.family), route.table if route.table < 256 else 0
    body = struct.pack("=BBBBBBBBI", family, network.prefixlen, 0, 0, table, route.protocol, scope, 1, flags)
    body += number(15, route.table) + number(4, index_of(name))  # RTA_TABLE, RTA_OIF
    if network.prefixlen:
        body += attribute(1, network.network_address.packed)
    if route.gateway:
        body += attribute(5, ipaddress.ip_address(route.gateway).packed)
    if route.metric:
        body += number(6, route.metric)
    if route.source:
        body += attribute(7, ipaddress.ip_address(route.source).packed)
    return body


def _rule(rule: Rule) -> bytes:
    network = ipaddress.ip_network(rule.source)
    table = rule.table if rule.table < 256 else 0
    body = struct.pack("=BBBBBBBBI", _family(rule.family), 0, network.prefixlen, 0, table, 0, 0, _TO_TABLE, 0)
    body += attribute(2, network.network_address.packed) + number(6, rule.priority)
    return body + number(15, rule.table) + number(21, rule.protocol, 1)


def _set_ipv6(name: str, mode: Ipv6Mode) -> None:
    """`accept_ra` 2: also on a host that forwards. Without IPv6 in the kernel it is off already."""
    folder = Path("/proc/sys/net/ipv6/conf") / name
    values = {"disable_ipv6": str(int(not mode.is_on))}
    if mode.is_on:  # else the two mean nothing
        values = {"accept_ra": "2" if mode.accepts else "0", "autoconf": str(int(mode.autoconf)), **values}
    for file, value in values.items():
        try:
            (folder / file).write_text(value)
        except FileNotFoundError:
            if mode.is_on:
                raise
