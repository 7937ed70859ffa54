"""What dhclient runs when something changes: the lease's address and routes go to the kernel, and into a file.

Everything is in the environment. A step that fails is said on standard error and does not stop the others: dhclient
runs it again with the next renewal. Source: dhclient-script(8).
"""

from __future__ import annotations

import ipaddress
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ovis.node.network.layout import RULE_PRIORITY
from ovis.node.network.state import DHCP, MAIN_TABLE, Address, Dhcp, Route, Rule
from ovis.node.network.steps import (
    AddAddress,
    AddRoute,
    AddRule,
    RemoveAddress,
    RemoveRoute,
    RemoveRule,
    SetNameservers,
    SetUp,
    Step,
)

_BEGINS = frozenset({"PREINIT", "PREINIT6"})
_HAS = frozenset({"BOUND", "RENEW", "REBIND", "REBOOT", "BOUND6", "RENEW6", "REBIND6"})
_LOST = frozenset({"EXPIRE", "FAIL", "RELEASE", "STOP", "TIMEOUT", "EXPIRE6", "RELEASE6", "STOP6", "DEPREF6"})
_FOR_EVER = 0xFFFFFFFF
_TENTATIVE, _LINK_LOCAL_SECONDS = 0x40, 6.0
"""Source: linux/if_addr.h; net/ipv6/addrconf.c (if6_seq_show): address, index, prefix, scope, flags, device."""


def main() -> int:
    environment = dict(os.environ)
    device, reason = environment.get("interface", ""), environment.get("reason", "")
    folder = Path(environment.get("OVIS_FOLDER", "/nowhere"))
    family = 6 if reason.endswith("6") else 4
    try:
        client = Dhcp(**json.loads((folder / f"{device}.{family}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return 0  # the network has gone in this moment
    steps = steps_of(reason, device, environment, client)
    _run(steps)
    if reason == "PREINIT6":
        _await_link_local(device)
    _note(folder / f"{device}.{family}.lease.json", reason, environment)
    return 0


def steps_of(reason: str, device: str, environment: Mapping[str, str], client: Dhcp) -> list[Step]:
    if reason in _BEGINS:
        return [SetUp(device, True)]
    before = lease(environment, "old_", client)
    now = lease(environment, "new_", client) if reason in _HAS else None
    steps: list[Step] = []
    if before is not None and (now is None or before.address != now.address):
        steps += before.removal(device, client)
    if now is not None:
        steps += now.setting(device, client)
    return steps


class Lease:
    def __init__(self, address: Address, routers: list[str], servers: tuple[str, ...]) -> None:
        self.address, self.routers, self.servers = address, routers, servers

    def setting(self, device: str, client: Dhcp) -> list[Step]:
        steps: list[Step] = [AddAddress(device, self.address)]
        steps += [AddRoute(device, route) for route in self._routes(client)]
        steps += [AddRule(rule) for rule in self._rules(client)]
        if client.nameservers and self.servers:
            steps.append(SetNameservers(self.servers))
        return steps

    def removal(self, device: str, client: Dhcp) -> list[Step]:
        steps: list[Step] = [RemoveRule(rule) for rule in self._rules(client)]
        steps += [RemoveRoute(device, route) for route in reversed(self._routes(client))]
        return [*steps, RemoveAddress(device, self.address)]

    @property
    def _subnet(self) -> str:
        return str(ipaddress.ip_interface(f"{self.address.ip}/{self.address.prefix}").network)

    def _routes(self, client: Dhcp) -> list[Route]:
        if client.family == 6 or not self.routers:
            return []  # routers announce themselves in IPv6
        gateway = self.routers[0]
        found = [Route(self._subnet, table=client.table, protocol=DHCP)]
        found.append(Route("0.0.0.0/0", gateway, table=client.table, protocol=DHCP))
        if client.default_route:
            found.append(Route("0.0.0.0/0", gateway, table=MAIN_TABLE, protocol=DHCP))
        return found

    def _rules(self, client: Dhcp) -> list[Rule]:
        if client.family == 6 or not self.routers:
            return []
        return [Rule(self._subnet, client.table, RULE_PRIORITY, protocol=DHCP)]


def lease(environment: Mapping[str, str], prefix: str, client: Dhcp) -> Lease | None:
    """None when there is none of that prefix, or it makes no sense: what a server says is not trusted."""
    try:
        if client.family == 6:
            ip, length = environment[f"{prefix}ip6_address"], int(environment.get(f"{prefix}ip6_prefixlen", "128"))
            seconds = environment.get(f"{prefix}max_life", "0")
            servers = environment.get(f"{prefix}dhcp6_name_servers", "")
            routers: list[str] = []
        else:
            ip = environment[f"{prefix}ip_address"]
            mask = environment.get(f"{prefix}subnet_mask", "255.255.255.255")
            length = ipaddress.IPv4Network(f"0.0.0.0/{mask}").prefixlen
            seconds = environment.get(f"{prefix}dhcp_lease_time", "0")
            servers = environment.get(f"{prefix}domain_name_servers", "")
            routers = [str(ipaddress.IPv4Address(word)) for word in environment.get(f"{prefix}routers", "").split()]
        interface = ipaddress.ip_interface(f"{ip}/{length}")
        if interface.version != client.family or interface.ip.is_loopback or interface.ip.is_multicast:
            return None
        valid = min(max(int(seconds), 60), _FOR_EVER - 1)
        names = tuple(str(ipaddress.ip_address(word)) for word in servers.split())[:3]
    except (KeyError, ValueError):
        return None
    return Lease(Address(str(interface.ip), length, valid), routers, names)


def _run(steps: list[Step]) -> None:
    from ovis.node.privileged import netlink
    from ovis.node.privileged.network_dhcp import DhcpClients
    from ovis.node.privileged.network_kernel import RealKernel
    from ovis.node.privileged.resolver import Resolver

    with netlink.channel() as channel:
        kernel = RealKernel(channel, DhcpClients(Path("/nowhere")), Resolver())
        for step in steps:
            try:
                kernel.do(step)
            except OSError as error:
                print(f"ovis-dhcp: {step}: {error}", file=sys.stderr)


def _await_link_local(device: str) -> None:
    """dhclient ends when the device has no address yet that it could ask from; the kernel first looks for doubles."""
    until = time.monotonic() + _LINK_LOCAL_SECONDS
    while time.monotonic() < until:
        lines = (line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines())
        if any(words[5] == device and words[3] == "20" and not int(words[4], 16) & _TENTATIVE for words in lines):
            return
        time.sleep(0.1)


def _note(file: Path, reason: str, environment: Mapping[str, str]) -> None:
    """For agents: what was leased last. A whole file, or the one before."""
    facts = {key: value for key, value in environment.items() if key.startswith("new_")}
    fresh = file.with_name(f"{file.name}.new")
    try:
        fresh.write_text(json.dumps({"reason": reason, **facts}, sort_keys=True))
        fresh.chmod(0o644)
        fresh.replace(file)
    except OSError as error:
        print(f"ovis-dhcp: {file}: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
