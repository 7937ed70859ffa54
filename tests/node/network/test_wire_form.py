import pytest

from ovis.node.network import errors
from ovis.node.network.errors import Wrong
from ovis.node.network.model import Bond, Curve, HostQos, Ipv4, Ipv6, Network, Switch
from ovis.node.network.wire_form import bond_of, network_of, table_of_bond, table_of_network

FULL = Network(
    "red",
    bond="bond1",
    vlan=7,
    mtu=9000,
    stp=True,
    ipv4=Ipv4("192.0.2.5", 24, "192.0.2.1"),
    ipv6=Ipv6("2001:db8::5", 64, "2001:db8::1"),
    default_route=True,
    nameservers=("192.0.2.53",),
    switch=Switch.OVS,
    qos=HostQos(Curve(1000), ceiling=Curve(5000, 9000, 20)),
    custom={"bridge_opts": "priority=1"},
)


@pytest.mark.parametrize("network", [FULL, Network("red"), Network("red", nic="eth0", ipv4=Ipv4(dhcp=True))])
def test_what_is_written_is_read_again(network: Network) -> None:
    assert network_of("red", table_of_network(network)) == network


def test_a_bond_is_read_again() -> None:
    bond = Bond("bond1", ("eth0", "eth1"), {"mode": "active-backup", "miimon": "100"}, "02:00:00:00:00:01")
    assert bond_of("bond1", table_of_bond(bond)) == bond
    assert table_of_bond(bond)["options"] == "mode=1 miimon=100"


def test_the_words_of_callers() -> None:
    network = network_of("red", {"nic": "eth0", "vlan": "7", "STP": "on", "bootproto": "dhcp", "bridged": "false"})
    assert (network.vlan, network.stp, network.ipv4.dhcp, network.bridged) == (7, True, True, False)
    assert network_of("red", {"ipaddr": "192.0.2.5", "prefix": "20", "vlan": ""}).ipv4 == Ipv4("192.0.2.5", 20)


@pytest.mark.parametrize(
    ("table", "error", "field"),
    [
        ({"vlan": "seven"}, errors.VLAN, "vlan"),
        ({"vlan": True}, errors.VLAN, "vlan"),
        ({"bootproto": "bootp"}, errors.PARAMS, "bootproto"),
        ({"ipaddr": "192.0.2.5"}, errors.ADDRESS, "netmask"),
        ({"ipaddr": "192.0.2.5", "netmask": "0.0.0.255"}, errors.ADDRESS, "netmask"),
        ({"ipaddr": "192.0.2.5", "netmask": "255.0.255.0"}, errors.ADDRESS, "netmask"),
        ({"ipaddr": "192.0.2.5", "netmask": "255.255.255.0", "prefix": 24}, errors.PARAMS, "netmask"),
        ({"ipv6addr": "2001:db8::5"}, errors.ADDRESS, "ipv6addr"),
        ({"ipv6addr": "2001:db8::5/x"}, errors.ADDRESS, "ipv6addr"),
        ({"STP": "maybe"}, errors.PARAMS, "STP"),
        ({"nic": ["eth0"]}, errors.PARAMS, "nic"),
        ({"switch": "token ring"}, errors.PARAMS, "switch"),
        ({"nameservers": "10.0.0.1"}, errors.PARAMS, "nameservers"),
        ({"hostQos": {"out": {"ul": {"m2": 5}}}}, errors.PARAMS, "hostQos.out.ls"),
    ],
)
def test_what_is_wrong_names_its_field(table: dict[str, object], error: str, field: str) -> None:
    with pytest.raises(Wrong) as caught:
        network_of("red", table)
    assert (caught.value.wire_name, caught.value.field) == (error, f"networks.red.{field}")


def test_options_of_a_bond_that_make_no_sense() -> None:
    with pytest.raises(Wrong, match="miimon=soon"):
        bond_of("bond1", {"nics": ["eth0"], "options": "mode=1 miimon=soon"})
