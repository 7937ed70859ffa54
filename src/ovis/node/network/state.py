"""What the kernel has, or shall have: devices with their addresses, routes and rules. Plain values, no I/O.

A `State` holds only the devices that are looked at. Kept out: link-local addresses, routes that the kernel makes by
itself, multi-path routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

MAIN_TABLE = 254
BOOT, STATIC, DHCP, OURS = 3, 4, 16, 113
"""Who made a route or rule (rtm_protocol). 113 is free for us in rtnetlink's list; `ip route` shows it as a number."""


class Kind(Enum):
    NIC = "nic"
    """Of the machine, or what stands for one (veth, dummy, a virtual function)."""
    BOND = "bond"
    VLAN = "vlan"
    BRIDGE = "bridge"
    OTHER = "other"
    """Loopback, taps, tunnels: never ours."""


@dataclass(frozen=True, order=True)
class Address:
    """`seconds`: how long it is still valid; None for ever. Not part of what makes two addresses the same."""

    ip: str
    prefix: int
    seconds: int | None = field(default=None, compare=False)

    @property
    def family(self) -> int:
        return 6 if ":" in self.ip else 4

    @property
    def is_leased(self) -> bool:
        return self.seconds is not None


@dataclass(frozen=True, order=True)
class Route:
    """`destination` with prefix. `gateway` empty: on the link. `metric` 0: the kernel's default."""

    destination: str
    gateway: str = ""
    table: int = MAIN_TABLE
    metric: int = 0
    protocol: int = OURS
    source: str = ""
    onlink: bool = False

    @property
    def family(self) -> int:
        return 6 if ":" in self.destination else 4


@dataclass(frozen=True, order=True)
class Rule:
    """Packets from `source` (with prefix) go by `table`."""

    source: str
    table: int
    priority: int
    protocol: int = OURS

    @property
    def family(self) -> int:
        return 6 if ":" in self.source else 4


@dataclass(frozen=True)
class Ipv6Mode:
    """`accepts`: routes from router advertisements; `autoconf`: addresses from them."""

    is_on: bool = False
    accepts: bool = False
    autoconf: bool = False

    def normal(self) -> Ipv6Mode:
        """What is off is all the same."""
        return self if self.is_on else Ipv6Mode()


@dataclass(frozen=True, order=True)
class Dhcp:
    """A DHCP client that runs on a device. `default_route`: into the main table; always into `table`."""

    family: int
    table: int = 0
    default_route: bool = False
    nameservers: bool = False


@dataclass(frozen=True)
class Link:
    """A device. `base`, `tag`: of a VLAN. `options`: of a bond or bridge, by the kernel's names.

    `mac` empty: whatever the kernel chose. `ipv6` None: not looked at.
    """

    name: str
    kind: Kind
    mtu: int
    is_up: bool = True
    mac: str = ""
    master: str = ""
    base: str = ""
    tag: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    ipv6: Ipv6Mode | None = None
    addresses: frozenset[Address] = frozenset()
    routes: frozenset[Route] = frozenset()
    dhcp: frozenset[Dhcp] = frozenset()


@dataclass(frozen=True)
class State:
    """`links` by name; None: there is, or shall be, no such device. `rules`: ours. `nameservers` None: any."""

    links: Mapping[str, Link | None] = field(default_factory=dict)
    rules: frozenset[Rule] = frozenset()
    nameservers: tuple[str, ...] | None = None

    def link(self, name: str) -> Link | None:
        return self.links.get(name)

    def present(self) -> dict[str, Link]:
        return {name: link for name, link in self.links.items() if link is not None}

    def with_links(self, *links: Link) -> State:
        return replace(self, links={**self.links, **{link.name: link for link in links}})

    def without(self, name: str) -> State:
        return replace(self, links={**self.links, name: None})

    def only(self, names: set[str]) -> State:
        """With what is known of these devices; absent ones are said to be absent."""
        return replace(self, links={name: self.links.get(name) for name in sorted(names)})
