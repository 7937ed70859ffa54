"""A kernel that behaves like Linux where a plan could go wrong: what must be down, what goes along with what."""

import errno
from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_interface

from ovis.node.network import bond_options
from ovis.node.network.state import Address, Ipv6Mode, Kind, Link, Route, State
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

FRESH = Ipv6Mode(is_on=True, accepts=True, autoconf=True)


def card(name: str, number: int = 1, **more: object) -> Link:
    return replace(Link(name, Kind.NIC, 1500, mac=f"02:00:00:00:00:{number:02x}", ipv6=FRESH), **more)  # type: ignore[arg-type]


def cards(*names: str) -> State:
    return State({name: card(name, number) for number, name in enumerate(names, 1)})


class FakeKernel:
    """`interrupt` is called before each step and may raise: the step is not done then."""

    def __init__(self, state: State) -> None:
        self.links = state.present()
        self.rules = set(state.rules)
        self.nameservers = state.nameservers or ()
        self.done: list[Step] = []
        self.interrupt: Callable[[Step], None] = lambda step: None

    def read(self) -> State:
        return State(dict(self.links), frozenset(self.rules), self.nameservers)

    def do(self, step: Step) -> None:
        self.interrupt(step)
        self.done.append(step)
        match step:
            case Make():
                self._make(step)
            case Delete(name):
                self._delete(name)
            case SetMaster(name, master):
                self._set_master(name, master)
            case SetUp(name, is_up):
                if is_up is not self._link(name).is_up:
                    self._raise(name) if is_up else self._lower(name)
            case SetMtu(name, mtu):
                self._set_mtu(name, mtu)
            case SetMac(name, mac):
                self._change(name, mac=mac)
            case SetOptions(name, _, options):
                self._set_options(name, dict(options))
            case SetIpv6(name, mode):
                self._set_ipv6(name, mode)
            case AddAddress(name, address):
                self._add_address(name, address)
            case RemoveAddress(name, address):
                self._keep(name, addresses=self._link(name).addresses - {address})
            case AddRoute(name, route):
                self._add_route(name, route)
            case RemoveRoute(name, route):
                self._change(name, routes=self._link(name).routes - {route})
            case AddRule(rule):
                self.rules.add(rule)
            case RemoveRule(rule):
                self.rules.discard(rule)
            case StartDhcp(name, client):
                self._change(name, dhcp=self._link(name).dhcp | {client})
            case StopDhcp(name, client):
                if name in self.links:
                    self._change(name, dhcp=self._link(name).dhcp - {client})
            case SetNameservers(servers):
                self.nameservers = servers

    def _link(self, name: str) -> Link:
        if name not in self.links:
            raise OSError(errno.ENODEV, "no such device", name)
        return self.links[name]

    def _change(self, name: str, **more: object) -> None:
        self.links[name] = replace(self._link(name), **more)  # type: ignore[arg-type]

    def _make(self, step: Make) -> None:
        if step.name in self.links:
            return
        mtu = self._link(step.base).mtu if step.base else 1500
        made = Link(step.name, step.kind, mtu, False, step.mac or "0e:00:00:00:00:01", base=step.base, tag=step.tag)
        self.links[step.name] = replace(made, ipv6=FRESH, options=dict(step.options))

    def _delete(self, name: str) -> None:
        if self.links.pop(name, None) is None:
            return
        for other in list(self.links.values()):
            if other.master == name:
                self._change(other.name, master="")
            if other.base == name:
                self._delete(other.name)

    def _set_master(self, name: str, master: str) -> None:
        link = self._link(name)
        if master and self._link(master).kind is Kind.BOND:
            if link.is_up:
                raise OSError(errno.EBUSY, "a port must be down", name)
            self._change(name, master=master, is_up=True, mtu=self._link(master).mtu)
        else:
            self._change(name, master=master)

    def _raise(self, name: str) -> None:
        link = self._link(name)
        if link.base and not self._link(link.base).is_up:
            raise OSError(errno.ENETDOWN, "what is below is down", name)
        self._change(name, is_up=True)
        for other in list(self.links.values()):
            if other.base == name:
                self._raise(other.name)

    def _lower(self, name: str) -> None:
        addresses = frozenset(a for a in self._link(name).addresses if a.family == 4)
        self._change(name, is_up=False, routes=frozenset(), addresses=addresses)
        for other in list(self.links.values()):
            if other.base == name:
                self._lower(other.name)

    def _set_mtu(self, name: str, mtu: int) -> None:
        link = self._link(name)
        if link.base and mtu > self._link(link.base).mtu:
            raise OSError(errno.ERANGE, "more than what is below", name)
        self._change(name, mtu=mtu)
        for other in list(self.links.values()):
            if other.base == name and other.mtu > mtu:
                self._set_mtu(other.name, mtu)
            if link.kind is Kind.BOND and other.master == name:
                self._change(other.name, mtu=mtu)

    def _set_options(self, name: str, options: dict[str, str]) -> None:
        link = self._link(name)
        if link.kind is Kind.BOND:
            ports = [other for other in self.links.values() if other.master == name]
            if any(not bond_options.OPTIONS[o].live for o in options) and (ports or link.is_up):
                raise OSError(errno.EBUSY, "a bond in use", name)
            self._change(name, options=bond_options.normal({**link.options, **options}))
        else:
            self._change(name, options={**link.options, **options})

    def _set_ipv6(self, name: str, mode: Ipv6Mode) -> None:
        link = self._link(name)
        if not mode.is_on:
            link = replace(
                link,
                addresses=frozenset(a for a in link.addresses if a.family == 4),
                routes=frozenset(r for r in link.routes if r.family == 4),
            )
        self.links[name] = replace(link, ipv6=mode.normal())

    def _add_address(self, name: str, address: Address) -> None:
        link = self._link(name)
        if address.family == 6 and (link.ipv6 is None or not link.ipv6.is_on):
            raise OSError(errno.EACCES, "IPv6 is off", name)
        self._change(name, addresses=(link.addresses - {address}) | {address})

    def _keep(self, name: str, addresses: frozenset[Address]) -> None:
        """With the last address of a family its routes go."""
        left = {address.family for address in addresses}
        routes = frozenset(route for route in self._link(name).routes if route.family in left)
        self._change(name, addresses=addresses, routes=routes)

    def _add_route(self, name: str, route: Route) -> None:
        link = self._link(name)
        if not link.is_up:
            raise OSError(errno.ENETDOWN, "the device is down", name)
        if route.gateway and not _reaches(link.addresses, route.gateway):
            raise OSError(errno.ENETUNREACH, "the gateway is out of reach", name)
        self._change(name, routes=link.routes | {route})


def _reaches(addresses: Iterable[Address], gateway: str) -> bool:
    networks = [ip_interface(f"{address.ip}/{address.prefix}").network for address in addresses]
    return any(ip_address(gateway) in network for network in networks)
