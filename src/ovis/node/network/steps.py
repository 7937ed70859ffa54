"""The steps by which one state of the kernel becomes another: each is one change, and safe to repeat.

There is no undo of a step: what was is a state as well, and the way back is another plan from whatever is now. So it
works also when nobody knows how far the way there came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovis.node.network.state import Address, Dhcp, Ipv6Mode, Kind, Route, Rule


@dataclass(frozen=True)
class Make:
    """A bond, VLAN or bridge, down. It may exist already: then it is the same one."""

    name: str
    kind: Kind
    base: str = ""
    tag: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    mac: str = ""


@dataclass(frozen=True)
class Delete:
    name: str


@dataclass(frozen=True)
class SetMaster:
    """Into a bond or bridge, or (empty) out of what it is in. A bond takes only ports that are down."""

    name: str
    master: str


@dataclass(frozen=True)
class SetUp:
    name: str
    is_up: bool


@dataclass(frozen=True)
class SetMtu:
    name: str
    mtu: int


@dataclass(frozen=True)
class SetMac:
    name: str
    mac: str


@dataclass(frozen=True)
class SetOptions:
    name: str
    kind: Kind
    options: Mapping[str, str]


@dataclass(frozen=True)
class SetIpv6:
    name: str
    mode: Ipv6Mode


@dataclass(frozen=True)
class AddAddress:
    name: str
    address: Address


@dataclass(frozen=True)
class RemoveAddress:
    name: str
    address: Address


@dataclass(frozen=True)
class AddRoute:
    name: str
    route: Route


@dataclass(frozen=True)
class RemoveRoute:
    name: str
    route: Route


@dataclass(frozen=True)
class AddRule:
    rule: Rule


@dataclass(frozen=True)
class RemoveRule:
    rule: Rule


@dataclass(frozen=True)
class StartDhcp:
    name: str
    dhcp: Dhcp


@dataclass(frozen=True)
class StopDhcp:
    name: str
    dhcp: Dhcp


@dataclass(frozen=True)
class SetNameservers:
    servers: tuple[str, ...]


Step = (
    Make
    | Delete
    | SetMaster
    | SetUp
    | SetMtu
    | SetMac
    | SetOptions
    | SetIpv6
    | AddAddress
    | RemoveAddress
    | AddRoute
    | RemoveRoute
    | AddRule
    | RemoveRule
    | StartDhcp
    | StopDhcp
    | SetNameservers
)
