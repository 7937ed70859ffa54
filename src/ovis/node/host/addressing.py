"""IP addresses, gateways and name servers of each interface, in the words of the API."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Sequence
from typing import TypedDict

from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.rtnetlink import Address

log = logging.getLogger(__name__)
_GATEWAY_FLAG = 0x2


class IpFields(TypedDict):
    """The members that nics, bonds, VLANs and bridges have in common."""

    addr: str
    netmask: str
    ipv4addrs: list[str]
    ipv4defaultroute: bool
    ipv6addrs: list[str]
    ipv6gateway: str
    dhcpv4: bool
    dhcpv6: bool


class Addressing:
    """The IP side of one look at the host's network."""

    def __init__(self, files: KernelFiles, addresses: Callable[[], Sequence[Address]]) -> None:
        self._gateways4 = _ipv4_gateways(files.text("proc/net/route") or "")
        self._gateways6 = _ipv6_gateways(files.text("proc/net/ipv6_route") or "")
        try:
            self._addresses = addresses()
        except OSError as error:
            log.warning("IP addresses of this host stay unknown: %s", error)
            self._addresses = []

    def of(self, interface: str) -> IpFields:
        """An interface without addresses has empty ones; `::` says that there is no IPv6 gateway, as clients expect."""
        mine = [a for a in self._addresses if a.interface == interface]
        v4 = [a for a in mine if a.ip.version == 4]
        v6 = [a for a in mine if a.ip.version == 6 and not a.ip.is_link_local]
        return IpFields(
            addr=str(v4[0].ip) if v4 else "",
            netmask=_netmask(v4[0].prefix) if v4 else "",
            ipv4addrs=[f"{a.ip}/{a.prefix}" for a in v4],
            ipv4defaultroute=interface in self._gateways4,
            ipv6addrs=[f"{a.ip}/{a.prefix}" for a in v6],
            ipv6gateway=self._gateways6.get(interface, "::"),
            dhcpv4=any(a.leased for a in v4),
            # Clients of DHCPv6 set what they get as single addresses (/128); a router advertises prefixes.
            dhcpv6=any(a.leased and not a.advertised and a.prefix == 128 for a in v6),
        )

    def gateway(self, interface: str) -> str:
        """IPv4; empty when there is none."""
        return self._gateways4.get(interface, "")


def name_servers(files: KernelFiles) -> list[str]:
    """In the order of preference. Source: resolv.conf(5)."""
    lines = (line.split() for line in (files.text("etc/resolv.conf") or "").splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]


def supports_ipv6(files: KernelFiles) -> bool:
    return files.exists("proc/net/if_inet6") and files.number("proc/sys/net/ipv6/conf/all/disable_ipv6") == 0


def _netmask(prefix: int) -> str:
    return str(ipaddress.ip_network(f"0.0.0.0/{prefix}").netmask)


def _ipv4_gateways(route: str) -> dict[str, str]:
    """Interface to gateway of its default route with the lowest metric. Numbers are in the host's byte order."""
    best: dict[str, tuple[int, str]] = {}
    for line in route.splitlines()[1:]:
        interface, destination, gateway, flags, _, _, metric, mask, *_ = line.split()
        if destination == mask == "00000000" and int(flags, 16) & _GATEWAY_FLAG:
            address = str(ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(gateway), "little")))
            best[interface] = min(best.get(interface, (1 << 32, "")), (int(metric), address))
    return {interface: gateway for interface, (_, gateway) in best.items()}


def _ipv6_gateways(route: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in route.splitlines():
        destination, length, _, _, gateway, _, _, _, flags, interface = line.split()
        if length == "00" and int(destination, 16) == 0 and int(flags, 16) & _GATEWAY_FLAG:
            found.setdefault(interface, str(ipaddress.IPv6Address(bytes.fromhex(gateway))))
    return found
