"""What is wanted: networks and bonds. Plain values, no I/O; `checks` says whether they can be made.

The helper takes these as they are, so nothing in them is trusted before `checks` has seen it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

DEFAULT_MTU = 1500
T = TypeVar("T")


class Switch(Enum):
    LEGACY = "legacy"
    """Bridges of the kernel."""
    OVS = "ovs"
    """Open vSwitch."""


@dataclass(frozen=True)
class Ipv4:
    """`address` without prefix, `prefix` in bits; a gateway lies within. `dhcp` excludes all three."""

    address: str = ""
    prefix: int = 0
    gateway: str = ""
    dhcp: bool = False


@dataclass(frozen=True)
class Ipv6:
    address: str = ""
    prefix: int = 0
    gateway: str = ""
    dhcp: bool = False
    autoconf: bool = False

    @property
    def is_used(self) -> bool:
        return bool(self.address or self.dhcp or self.autoconf)


@dataclass(frozen=True)
class Curve:
    """Bits per second: `first` for the first `microseconds` of a backlog, `rate` afterwards."""

    rate: int
    first: int = 0
    microseconds: int = 0


@dataclass(frozen=True)
class HostQos:
    """Limits on what leaves the host (HFSC): share of what is spare, ceiling, guarantee."""

    share: Curve
    ceiling: Curve | None = None
    guarantee: Curve | None = None


@dataclass(frozen=True)
class Network:
    """One network. Carried by a nic, by a bond or (a bridge only) by nothing; `vlan`: None is untagged.

    `default_route`: the host's. `nameservers`: None leaves them as they are. `custom`: for hooks and special settings.
    """

    name: str
    nic: str = ""
    bond: str = ""
    vlan: int | None = None
    bridged: bool = True
    mtu: int = DEFAULT_MTU
    stp: bool = False
    ipv4: Ipv4 = Ipv4()
    ipv6: Ipv6 = Ipv6()
    default_route: bool = False
    nameservers: tuple[str, ...] | None = None
    switch: Switch = Switch.LEGACY
    qos: HostQos | None = None
    custom: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The nic or bond below; empty for a network within the host."""
        return self.nic or self.bond


@dataclass(frozen=True)
class Bond:
    """`options`: by the driver's names and words (`mode`: `active-backup`), only those that are not its defaults.

    `mac`: empty is that of a port.
    """

    name: str
    ports: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    mac: str = ""
    switch: Switch = Switch.LEGACY


@dataclass(frozen=True)
class Configuration:
    """All networks and bonds of a host, by name. `virtual_functions`: how many, by PCI address of the card."""

    networks: Mapping[str, Network] = field(default_factory=dict)
    bonds: Mapping[str, Bond] = field(default_factory=dict)
    virtual_functions: Mapping[str, int] = field(default_factory=dict)

    def changed(self, change: Change) -> Configuration:
        networks, bonds = _changed(self.networks, change.networks), _changed(self.bonds, change.bonds)
        return replace(self, networks=networks, bonds=bonds)

    def nics(self) -> set[str]:
        """Devices of the machine that it uses."""
        return {n.nic for n in self.networks.values() if n.nic} | {p for b in self.bonds.values() for p in b.ports}

    def on(self, base: str) -> Iterator[Network]:
        return (network for network in self.networks.values() if network.base == base)


@dataclass(frozen=True)
class Change:
    """By name; None takes it away. What is not named stays."""

    networks: Mapping[str, Network | None] = field(default_factory=dict)
    bonds: Mapping[str, Bond | None] = field(default_factory=dict)


def _changed(now: Mapping[str, T], change: Mapping[str, T | None]) -> dict[str, T]:
    merged: dict[str, T | None] = {**now, **change}
    return {name: value for name, value in sorted(merged.items()) if value is not None}
