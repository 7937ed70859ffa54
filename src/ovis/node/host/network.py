"""Nics, bonds, VLANs and bridges as they are on the host now. Nothing is changed here.

Source: Documentation/ABI/testing/sysfs-class-net, net/bridge/br_sysfs_br.c.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ovis.client.types import NetInfoBond, NetInfoBridgedNetwork, NetInfoNic, NetInfoVlan
from ovis.node.host import bonding, rtnetlink
from ovis.node.host.addressing import Addressing
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.rtnetlink import Address

log = logging.getLogger(__name__)
_NET = "sys/class/net"

# Settings of a bridge that an administrator can choose; the rest of the folder are timers and counters.
_BRIDGE_OPTIONS = (
    "ageing_time",
    "forward_delay",
    "group_fwd_mask",
    "hello_time",
    "max_age",
    "multicast_querier",
    "multicast_snooping",
    "priority",
    "vlan_filtering",
)


@dataclass(frozen=True)
class Network:
    nics: dict[str, NetInfoNic]
    bonds: dict[str, NetInfoBond]
    vlans: dict[str, NetInfoVlan]
    bridges: dict[str, NetInfoBridgedNetwork]


@dataclass(frozen=True)
class NetworkSource:
    """What only a system call tells; tests give their own."""

    addresses: Callable[[], Sequence[Address]] = rtnetlink.addresses
    vlan_tags: Callable[[], Mapping[str, int]] = rtnetlink.vlan_tags


def read(files: KernelFiles, source: NetworkSource) -> Network:
    ip = Addressing(files, source.addresses)
    names = [name for name in files.names(_NET) if files.exists(f"{_NET}/{name}/ifindex")]
    bonds = bonding.names(files)
    return Network(
        nics={name: _nic(files, name, ip) for name in names if files.exists(f"{_NET}/{name}/device")},
        bonds={name: _bond(files, name, ip) for name in bonds},
        vlans={n: _vlan(files, n, tag, ip) for n, tag in _vlan_tags(source).items() if n in names},
        bridges={name: _bridge(files, name, ip) for name in names if files.exists(f"{_NET}/{name}/bridge")},
    )


def speed(files: KernelFiles, name: str) -> int:
    """Mbit/s; 0 when unknown or the link is down."""
    value = files.number(f"{_NET}/{name}/speed") or 0
    return value if 0 < value < 0xFFFFFFFF else 0  # drivers say -1 (some as unsigned) for unknown


def _nic(files: KernelFiles, name: str, ip: Addressing) -> NetInfoNic:
    return NetInfoNic(
        **ip.of(name),
        gateway=ip.gateway(name),
        hwaddr=_mac(files, name),
        permhwaddr=files.text(f"{_NET}/{name}/bonding_slave/perm_hwaddr"),
        mtu=_mtu(files, name),
        speed_mbits_per_second=speed(files, name),
    )


def _bond(files: KernelFiles, name: str, ip: Addressing) -> NetInfoBond:
    return NetInfoBond(
        **ip.of(name),
        gateway=ip.gateway(name),
        hwaddr=_mac(files, name),
        mtu=_mtu(files, name),
        slaves=bonding.ports(files, name),
        active_slave=bonding.active_port(files, name),
        opts=bonding.options(files, name),
    )


def _vlan(files: KernelFiles, name: str, tag: int, ip: Addressing) -> NetInfoVlan:
    lower = [n.removeprefix("lower_") for n in files.names(f"{_NET}/{name}") if n.startswith("lower_")]
    return NetInfoVlan(**ip.of(name), iface=lower[0] if lower else "", vlanid=tag, mtu=_mtu(files, name))


def _bridge(files: KernelFiles, name: str, ip: Addressing) -> NetInfoBridgedNetwork:
    folder = f"{_NET}/{name}/bridge"
    options = {option: files.text(f"{folder}/{option}") for option in _BRIDGE_OPTIONS}
    return NetInfoBridgedNetwork(
        **ip.of(name),
        gateway=ip.gateway(name),
        mtu=_mtu(files, name),
        ports=files.names(f"{_NET}/{name}/brif"),
        stp="on" if files.number(f"{folder}/stp_state") else "off",
        opts={option: value for option, value in options.items() if value is not None},
    )


def _vlan_tags(source: NetworkSource) -> Mapping[str, int]:
    try:
        return source.vlan_tags()
    except OSError as error:
        log.warning("VLAN interfaces of this host stay unknown: %s", error)
        return {}


def _mac(files: KernelFiles, name: str) -> str:
    return files.text(f"{_NET}/{name}/address") or ""


def _mtu(files: KernelFiles, name: str) -> int:
    return files.number(f"{_NET}/{name}/mtu") or 0
