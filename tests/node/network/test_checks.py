"""What cannot be made is refused with the field that is wrong, before anything is touched."""

import pytest

from ovis.node.network import errors
from ovis.node.network.checks import check
from ovis.node.network.errors import Wrong
from ovis.node.network.model import Bond, Change, Configuration, Ipv4, Ipv6, Network
from ovis.node.network.state import Address, Kind, Link
from tests.node.network.fake_kernel import card, cards

HOST = cards("eth0", "eth1", "eth2", "eth3").with_links(
    card("eth3", 4, master="virbr0", addresses=frozenset({Address("203.0.113.3", 24)})),
    Link("virbr0", Kind.BRIDGE, 1500, addresses=frozenset({Address("192.168.122.1", 24)})),
    Link("eth2.7", Kind.VLAN, 1500, base="eth2", tag=7),
    Link("lo", Kind.OTHER, 65536),
    Link("vnet0", Kind.OTHER, 1500),
)
NOW = Configuration(
    {
        "red": Network("red", nic="eth0", ipv4=Ipv4("192.0.2.5", 24, "192.0.2.1"), default_route=True),
        "tagged": Network("tagged", bond="bond1", vlan=5),
    },
    {"bond1": Bond("bond1", ("eth1",))},
)


def wrong(now: Configuration = NOW, *, networks: object = None, bonds: object = None) -> tuple[str, str]:
    """Error and field."""
    change = Change(networks or {}, bonds or {})  # type: ignore[arg-type]
    with pytest.raises(Wrong) as caught:
        check(now, change, HOST)
    return caught.value.wire_name, caught.value.field


@pytest.mark.parametrize(
    ("network", "error", "field"),
    [
        (Network("new", nic="eth9"), errors.NIC, "nic"),
        (Network("new", nic="lo"), errors.NIC, "nic"),
        (Network("new", nic="virbr0"), errors.NIC, "nic"),
        (Network("new", nic="bond1"), errors.NIC, "nic"),
        (Network("new", nic="../etc"), errors.NIC, "nic"),
        (Network("new", nic="eth3"), errors.USED_NIC, "nic"),
        (Network("new", nic="eth0"), errors.USED_NIC, "nic"),
        (Network("new", nic="eth1"), errors.USED_NIC, "nic"),
        (Network("new", nic="eth2", bond="bond1"), errors.PARAMS, "nic"),
        (Network("new", bond="bond9"), errors.BONDING, "bonding"),
        (Network("new", nic="eth2", vlan=4095), errors.VLAN, "vlan"),
        (Network("new", vlan=5), errors.VLAN, "vlan"),
        (Network("new", bond="bond1", vlan=5), errors.VLAN, "vlan"),
        (Network("new", bridged=False), errors.PARAMS, "bridged"),
        (Network("new", nic="eth2", bridged=False, stp=True), errors.BRIDGE, "STP"),
        (Network("new", mtu=60), errors.PARAMS, "mtu"),
        (Network("new", mtu=1000, ipv6=Ipv6(autoconf=True)), errors.PARAMS, "mtu"),
        (Network("new", ipv4=Ipv4("192.0.2.77", 24)), errors.ADDRESS, "ipaddr"),
        (Network("new", ipv4=Ipv4("192.0.0.7", 8)), errors.ADDRESS, "ipaddr"),
        (Network("new", ipv4=Ipv4("192.0.2.5", 24)), errors.ADDRESS, "ipaddr"),
        (Network("new", ipv4=Ipv4("192.168.122.1", 24)), errors.ADDRESS, "ipaddr"),
        (Network("new", ipv4=Ipv4("10.0.0.0", 24)), errors.ADDRESS, "ipaddr"),
        (Network("new", ipv4=Ipv4("10.0.0.300", 24)), errors.ADDRESS, "ipaddr"),
        (Network("new", ipv4=Ipv4("224.0.0.1", 24)), errors.ADDRESS, "ipaddr"),
        (Network("new", ipv4=Ipv4("10.0.0.5", 24, "10.0.1.1")), errors.ADDRESS, "gateway"),
        (Network("new", ipv4=Ipv4("10.0.0.5", 24, "10.0.0.5")), errors.ADDRESS, "gateway"),
        (Network("new", ipv4=Ipv4(gateway="10.0.0.1")), errors.PARAMS, "ipaddr"),
        (Network("new", ipv4=Ipv4("10.0.0.5", 24, dhcp=True)), errors.PARAMS, "bootproto"),
        (Network("new", ipv6=Ipv6("fe80::1", 64)), errors.ADDRESS, "ipv6addr"),
        (Network("new", ipv6=Ipv6("fd00::1", 64, "fd01::1")), errors.ADDRESS, "ipv6gateway"),
        (Network("new", ipv6=Ipv6("fd00::1", 64, autoconf=True)), errors.PARAMS, "ipv6addr"),
        (Network("new", default_route=True), errors.PARAMS, "defaultRoute"),
        (Network("new", ipv4=Ipv4(dhcp=True), default_route=True), errors.PARAMS, "defaultRoute"),
        (Network("new", nameservers=("10.0.0.1",)), errors.PARAMS, "nameservers"),
        (Network("new", custom={"bridge_opts": "stp_state=1"}), errors.BRIDGE, "custom.bridge_opts"),
    ],
)
def test_a_network_that_cannot_be(network: Network, error: str, field: str) -> None:
    assert wrong(networks={"new": network}) == (error, f"networks.new.{field}")


@pytest.mark.parametrize("name", ["", "sixteen-letters!", "a b", "a/b", "eth%d", "..", "-x", "a:1", "\u00e9t\u00e9"])
def test_names_that_no_network_has(name: str) -> None:
    assert wrong(networks={name: Network(name)}) == (errors.BRIDGE, f"networks.{name}")


@pytest.mark.parametrize("name", ["eth2", "virbr0", "vnet0"])
def test_a_bridge_does_not_take_the_place_of_a_device(name: str) -> None:
    assert wrong(networks={name: Network(name)})[0] == errors.BRIDGE


@pytest.mark.parametrize(
    ("bond", "error", "field"),
    [
        (Bond("bond2", ()), errors.BONDING, "nics"),
        (Bond("bond2", ("bond1",)), errors.BONDING, "nics"),
        (Bond("bond2", ("eth0",)), errors.USED_NIC, "nics"),
        (Bond("bond2", ("eth1",)), errors.USED_NIC, "nics"),
        (Bond("bond2", ("eth2",)), errors.USED_NIC, "nics"),
        (Bond("bond2", ("eth3",)), errors.USED_NIC, "nics"),
        (Bond("bond2", ("eth9",)), errors.NIC, "nics"),
        (Bond("bond2", ("eth1", "eth1")), errors.BONDING, "nics"),
        (Bond("bond2", ("virbr0",)), errors.BONDING, "nics"),
        (Bond("bond2", ("eth4",), {"mode": "9"}), errors.NIC, "nics"),
    ],
)
def test_a_bond_that_cannot_be(bond: Bond, error: str, field: str) -> None:
    now = Configuration(NOW.networks, {**NOW.bonds})
    assert wrong(now, bonds={"bond2": bond}) == (error, f"bondings.bond2.{field}")


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "sideways"},
        {"colour": "red"},
        {"mode": "802.3ad", "arp_interval": "100", "arp_ip_target": "10.0.0.1"},
        {"miimon": "100", "arp_interval": "100", "arp_ip_target": "10.0.0.1"},
        {"mode": "active-backup", "primary": "eth7"},
        {"mode": "active-backup", "lacp_rate": "fast"},
    ],
)
def test_options_that_no_bond_has(options: dict[str, str]) -> None:
    assert wrong(bonds={"bond1": Bond("bond1", ("eth1",), options)}) == (errors.BONDING, "bondings.bond1.options")


@pytest.mark.parametrize("name", ["team0", "bond", "bond0.5", "bond-with-a-long-name"])
def test_names_that_no_bond_has(name: str) -> None:
    assert wrong(bonds={name: Bond(name, ("eth1",))})[0] == errors.BONDING


def test_what_is_in_use_is_not_taken_away() -> None:
    assert wrong(bonds={"bond1": None}) == (errors.USED_BOND, "bondings.bond1.remove")
    assert wrong(networks={"blue": None}) == (errors.BRIDGE, "networks.blue")
    assert wrong(bonds={"bond7": None}) == (errors.BONDING, "bondings.bond7")


def test_what_moves_in_one_call_is_no_conflict() -> None:
    moved = Network("red", nic="eth1", ipv4=Ipv4("192.0.2.5", 24, "192.0.2.1"), default_route=True)
    other = Network("other", nic="eth0", ipv4=Ipv4("198.51.100.5", 24))
    check(NOW, Change({"red": moved, "other": other, "tagged": None}, {"bond1": None}), HOST)


def test_a_card_may_carry_tagged_networks_and_one_without_a_tag() -> None:
    check(NOW, Change({f"v{tag}": Network(f"v{tag}", nic="eth0", vlan=tag) for tag in range(100, 110)}), HOST)
