"""From one state of the kernel to another: the steps, in an order in which each of them can work.

    take down:  DHCP clients, rules, routes, addresses │ ports leave │ bridges, VLANs, bonds go
    build up:   bonds, VLANs, bridges come │ options │ ports │ MTU │ bridge ports │ up │ addresses, routes, rules, DHCP

The kernel does more than it is told (a bond that goes down takes the routes of its VLANs along), so whoever runs a plan
reads again and plans again: nothing left to do is the proof that it worked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ovis.node.network import bond_options
from ovis.node.network.model import DEFAULT_MTU
from ovis.node.network.state import DHCP, Address, Dhcp, Ipv6Mode, Kind, Link, Route, Rule, State
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

_BOTTOM_UP = (Kind.NIC, Kind.BOND, Kind.VLAN, Kind.BRIDGE)
_VIRTUAL = frozenset({Kind.BOND, Kind.VLAN, Kind.BRIDGE})


def plan(actual: State, target: State) -> list[Step]:
    """Only devices that `target` names are changed; a card that is not there is passed over."""
    return list(_Plan(actual, target).steps())


@dataclass
class _Plan:
    actual: State
    target: State
    made: set[str] = field(default_factory=set)
    masters: dict[str, str] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)

    def steps(self) -> Iterator[Step]:
        yield from self._take_down()
        yield from self._remove_devices()
        yield from self._make_devices()
        yield from self._bond_ports()
        yield from self._settings()
        yield from self._bridge_ports()
        yield from self._up()
        yield from self._addressing()

    # --- what there is

    def _wanted(self, *, top_down: bool = False) -> Iterator[Link]:
        order = reversed(_BOTTOM_UP) if top_down else iter(_BOTTOM_UP)
        links = [link for link in self.target.links.values() if link is not None]
        for kind in order:
            yield from (link for link in links if link.kind is kind)

    def _stays(self, name: str) -> tuple[Link, Link] | None:
        """Before and after, for a device that is neither made nor deleted."""
        before, after = self.actual.link(name), self.target.link(name)
        if before is None or after is None or name in self.made:
            return None
        return before, after

    def _staying(self, *, top_down: bool = False) -> Iterator[tuple[Link, Link]]:
        for link in self._wanted(top_down=top_down):
            if (both := self._stays(link.name)) is not None:
                yield both

    # --- taking down

    def _take_down(self) -> Iterator[Step]:
        doomed = set(self._doomed())
        for name, after in self.target.links.items():
            before = self.actual.link(name)
            for client in sorted((before.dhcp if before else frozenset()) - (after.dhcp if after else frozenset())):
                yield StopDhcp(name, client)
        for rule in sorted(self.actual.rules):
            if rule not in self.target.rules and not self._is_of_dhcp(rule):
                yield RemoveRule(rule)
        for before, after in self._staying():
            if before.name in doomed:
                continue
            for route in sorted(surplus_routes(before, after), key=lambda route: not route.gateway):
                yield RemoveRoute(before.name, route)
            for address in sorted(surplus_addresses(before, after)):
                yield RemoveAddress(before.name, address)
        self.masters = {name: link.master for name, link in sorted(self.actual.present().items())}

    def _is_of_dhcp(self, rule: Rule) -> bool:
        clients = (client for link in self.target.present().values() for client in link.dhcp)
        return rule.protocol == DHCP and any(c.table == rule.table and c.family == rule.family for c in clients)

    def _doomed(self) -> Iterator[str]:
        """Devices that go, or come back as another: all that stands on one that goes as well."""
        gone: set[str] = set()
        for kind in (Kind.BOND, Kind.VLAN, Kind.BRIDGE):
            for name, after in self.target.links.items():
                before = self.actual.link(name)
                if before is None or before.kind is not kind:
                    continue
                other = after is None or after.kind is not before.kind
                moved = after is not None and (before.base, before.tag) != (after.base, after.tag)
                if other or moved or before.base in gone:
                    gone.add(name)
                    yield name

    def _remove_devices(self) -> Iterator[Step]:
        doomed = list(self._doomed())
        for before, after in self._staying():
            if before.name in doomed:
                continue
            if before.master and before.master != after.master:
                yield SetMaster(before.name, "")
                self.masters[before.name] = ""
        for name in reversed(doomed):
            yield Delete(name)
            self.made.add(name)
        for name, master in self.masters.items():
            if master in doomed:
                self.masters[name] = ""
        for name, wanted in self.target.links.items():
            if wanted is not None and wanted.kind in _VIRTUAL and self.actual.link(name) is None:
                self.made.add(name)

    # --- building up

    def _make_devices(self) -> Iterator[Step]:
        for link in self._wanted():
            if link.name in self.made:
                yield Make(link.name, link.kind, link.base, link.tag, link.options, link.mac)
                self.masters[link.name] = ""
                self.down.add(link.name)

    def _bond_ports(self) -> Iterator[Step]:
        for before, after in self._staying():
            if before.kind is not Kind.BOND:
                continue
            changed = changed_options(before, after)
            if any(name in bond_options.OPTIONS and not bond_options.OPTIONS[name].live for name in changed):
                for name in [name for name, master in sorted(self.masters.items()) if master == before.name]:
                    yield SetMaster(name, "")
                    self.masters[name] = ""
                yield SetUp(before.name, False)
                self.down.add(before.name)
                # the driver takes an option's default only in a mode that has the option
                leaving = {k: v for k, v in changed.items() if k in bond_options.OF_SOME_MODES and k in before.options}
                gone = {k: v for k, v in leaving.items() if k not in bond_options.normal(after.options)}
                if gone:
                    yield SetOptions(before.name, Kind.BOND, gone)
                rest = {k: v for k, v in changed.items() if k not in gone and k != "primary"}
                yield SetOptions(before.name, Kind.BOND, rest)
        for link in self._wanted():
            if link.kind is Kind.NIC and self._is_bond(link.master) and self.masters.get(link.name) != link.master:
                if self.actual.link(link.name) is None:
                    continue
                if (mode := self._changed_ipv6(link)) is not None:
                    yield SetIpv6(link.name, mode)
                yield SetUp(link.name, False)
                yield SetMaster(link.name, link.master)
                self.down.add(link.name)
        for before, after in self._staying():
            changed = changed_options(before, after)
            live = {k: v for k, v in changed.items() if k in bond_options.OPTIONS and bond_options.OPTIONS[k].live}
            if before.name in self.down:  # done but for the port that it could not have had then
                live = {k: v for k, v in live.items() if k == "primary" and v}
            if before.kind is Kind.BOND and live:
                yield SetOptions(before.name, Kind.BOND, live)

    def _is_bond(self, name: str) -> bool:
        master = self.target.link(name) if name else None
        return master is not None and master.kind is Kind.BOND

    def _settings(self) -> Iterator[Step]:
        for before, after in self._staying():
            if before.kind is Kind.BRIDGE and (changed := changed_options(before, after)):
                yield SetOptions(before.name, Kind.BRIDGE, changed)
            if after.mac and after.mac != before.mac and not self._is_bond(after.master):
                yield SetMac(before.name, after.mac)
        for link in self._wanted():
            in_bond = self._is_bond(link.master) and link.name in self.down
            if not in_bond and self._is_there(link.name) and (mode := self._changed_ipv6(link)) is not None:
                yield SetIpv6(link.name, mode)
        for before, after in self._staying(top_down=True):
            if after.mtu < before.mtu:
                yield SetMtu(before.name, after.mtu)
        for link in self._wanted():
            there = self.actual.link(link.name)
            if link.name in self.made:
                if not self._comes_with_mtu(link):
                    yield SetMtu(link.name, link.mtu)
            elif there is not None and link.mtu > there.mtu:
                yield SetMtu(link.name, link.mtu)

    def _comes_with_mtu(self, link: Link) -> bool:
        """Whether the kernel makes it so by itself: a VLAN like what it is on, others with the default."""
        if link.kind is not Kind.VLAN:
            return link.mtu == DEFAULT_MTU
        both = self._stays(link.base)
        return both is not None and both[0].mtu == both[1].mtu == link.mtu

    def _is_there(self, name: str) -> bool:
        return name in self.made or self.actual.link(name) is not None

    def _changed_ipv6(self, link: Link) -> Ipv6Mode | None:
        if link.ipv6 is None:
            return None
        both = self._stays(link.name)
        return None if both is not None and both[0].ipv6 in (link.ipv6, None) else link.ipv6

    def _bridge_ports(self) -> Iterator[Step]:
        for link in self._wanted():
            if not link.master or self._is_bond(link.master) or not self._is_there(link.name):
                continue
            if self.masters.get(link.name) != link.master:
                yield SetMaster(link.name, link.master)
                self.masters[link.name] = link.master

    def _up(self) -> Iterator[Step]:
        for before, after in self._staying(top_down=True):
            if before.is_up and not after.is_up:
                yield SetUp(before.name, False)
        for link in self._wanted():
            there = self.actual.link(link.name)
            was_up = there is not None and there.is_up and link.name not in self.down
            if link.is_up and not was_up and self._is_there(link.name):
                yield SetUp(link.name, True)

    def _addressing(self) -> Iterator[Step]:
        links = [link for link in self._wanted() if self._is_there(link.name)]
        for link in links:
            for address in sorted(link.addresses - self._before(link).addresses):
                yield AddAddress(link.name, address)
        for link in links:
            for route in sorted(link.routes - self._before(link).routes, key=lambda route: bool(route.gateway)):
                yield AddRoute(link.name, route)
        for rule in sorted(self.target.rules - self.actual.rules):
            yield AddRule(rule)
        for link in links:
            for client in sorted(link.dhcp - self._before(link).dhcp):
                yield StartDhcp(link.name, client)
        if self.target.nameservers not in (None, self.actual.nameservers):
            yield SetNameservers(self.target.nameservers or ())

    def _before(self, link: Link) -> Link:
        both = self._stays(link.name)
        return both[0] if both is not None else Link(link.name, link.kind, 0)


def surplus_addresses(before: Link, after: Link) -> set[Address]:
    """Those to be removed: what a DHCP client or a router gave stays while it is wanted from them."""
    given = families(after.dhcp)
    if after.ipv6 is not None and after.ipv6.autoconf:
        given.add(6)
    return {
        address for address in before.addresses - after.addresses if not (address.is_leased and address.family in given)
    }


def surplus_routes(before: Link, after: Link) -> set[Route]:
    given = families(after.dhcp)
    return {route for route in before.routes - after.routes if not (route.protocol == DHCP and route.family in given)}


def families(clients: Iterable[Dhcp]) -> set[int]:
    return {client.family for client in clients}


def changed_options(before: Link, after: Link) -> dict[str, str]:
    """Of a bond all options count, of a bridge those that are wanted."""
    if after.kind is Kind.BOND:
        was, wanted = bond_options.normal(before.options), bond_options.normal(after.options)
        names = was.keys() | wanted.keys()
        return {
            name: wanted.get(name, bond_options.OPTIONS[name].default)
            for name in sorted(names)
            if was.get(name) != wanted.get(name)
        }
    return {name: value for name, value in after.options.items() if before.options.get(name) != value}
