"""What dhclient says becomes steps; what a server says is not trusted."""

import pytest

from ovis.node.network.state import Address, Dhcp, Route, Rule
from ovis.node.network.steps import AddAddress, AddRoute, AddRule, RemoveAddress, SetNameservers, SetUp
from ovis.node.privileged.dhcp_script import steps_of

CLIENT = Dhcp(4, table=77)
DEFAULT = Dhcp(4, table=77, default_route=True, nameservers=True)
BOUND = {
    "new_ip_address": "192.0.2.50",
    "new_subnet_mask": "255.255.255.0",
    "new_routers": "192.0.2.1 192.0.2.2",
    "new_dhcp_lease_time": "3600",
    "new_domain_name_servers": "192.0.2.53",
}
OLD = {f"old_{key.removeprefix('new_')}": value for key, value in BOUND.items()}


def test_it_begins_with_a_device_that_is_up() -> None:
    assert steps_of("PREINIT", "red", {}, CLIENT) == [SetUp("red", True)]


def test_a_lease_gives_an_address_for_its_time_and_a_table_of_its_own() -> None:
    steps = steps_of("BOUND", "red", BOUND, CLIENT)
    (added,) = [step for step in steps if isinstance(step, AddAddress)]
    assert (added.address, added.address.seconds) == (Address("192.0.2.50", 24), 3600)
    assert {step.route.table for step in steps if isinstance(step, AddRoute)} == {77}
    assert AddRule(Rule("192.0.2.0/24", 77, 3200, protocol=16)) in steps


def test_only_the_network_with_the_default_route_sets_it_and_the_name_servers() -> None:
    steps = steps_of("BOUND", "red", BOUND, DEFAULT)
    assert AddRoute("red", Route("0.0.0.0/0", "192.0.2.1", protocol=16)) in steps
    assert SetNameservers(("192.0.2.53",)) in steps
    assert not any(isinstance(step, SetNameservers) for step in steps_of("BOUND", "red", BOUND, CLIENT))


def test_a_lost_lease_takes_its_address_along() -> None:
    assert RemoveAddress("red", Address("192.0.2.50", 24)) in steps_of("EXPIRE", "red", OLD, CLIENT)


def test_a_renewal_changes_nothing_else() -> None:
    steps = steps_of("RENEW", "red", {**OLD, **BOUND}, CLIENT)
    assert not any(isinstance(step, RemoveAddress) for step in steps)


def test_another_address_replaces_the_first() -> None:
    steps = steps_of("REBIND", "red", {**OLD, **BOUND, "new_ip_address": "192.0.2.60"}, CLIENT)
    kinds = [type(step) for step in steps]
    assert kinds.index(RemoveAddress) < kinds.index(AddAddress)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"new_ip_address": "192.0.2.50; reboot"},
        {"new_ip_address": "127.0.0.1"},
        {"new_routers": "$(id)"},
        {"new_subnet_mask": "300.0.0.0"},
        {"new_dhcp_lease_time": "soon"},
    ],
)
def test_nonsense_of_a_server_does_nothing(nonsense: dict[str, str]) -> None:
    assert steps_of("BOUND", "red", {**BOUND, **nonsense}, DEFAULT) == []


def test_an_ipv6_lease() -> None:
    given = {"new_ip6_address": "2001:db8::50", "new_ip6_prefixlen": "128", "new_max_life": "7200"}
    (step,) = steps_of("BOUND6", "red", given, Dhcp(6, table=77))
    assert step == AddAddress("red", Address("2001:db8::50", 128))
