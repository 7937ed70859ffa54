from collections.abc import Callable
from ipaddress import ip_address

from ovis.node.host import network
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.network import NetworkSource
from ovis.node.host.rtnetlink import Address

Tree = Callable[[str], KernelFiles]
ADDRESSES = [
    Address("br100", ip_address("192.0.2.10"), 24, leased=True),
    Address("br100", ip_address("192.0.2.11"), 24),
    Address("br100", ip_address("fe80::1"), 64),
    Address("br100", ip_address("2001:db8::10"), 64, leased=True, advertised=True),
    Address("eth2", ip_address("2001:db8:1::5"), 128, leased=True),
]


def read(files: KernelFiles) -> network.Network:
    return network.read(files, NetworkSource(lambda: ADDRESSES, lambda: {"bond0.100": 100, "elsewhere": 7}))


def test_each_device_is_in_its_own_map(tree: Tree) -> None:
    found = read(tree("two-sockets"))
    assert list(found.nics) == ["eth0", "eth1", "eth2"]
    assert list(found.bonds) == ["bond0"]
    assert list(found.vlans) == ["bond0.100"]
    assert list(found.bridges) == ["br100"]


def test_a_bond_tells_ports_and_what_differs_from_the_defaults(tree: Tree) -> None:
    bond = read(tree("two-sockets")).bonds["bond0"]
    assert (bond.slaves, bond.active_slave, bond.mtu) == (["eth0", "eth1"], "eth0", 9000)
    assert bond.opts == {"mode": "1", "miimon": "100", "primary": "eth0", "fail_over_mac": "active"}


def test_a_vlan_tells_tag_and_device_below(tree: Tree) -> None:
    vlan = read(tree("two-sockets")).vlans["bond0.100"]
    assert (vlan.vlanid, vlan.iface) == (100, "bond0")


def test_a_bridge_tells_ports_and_settings(tree: Tree) -> None:
    bridge = read(tree("two-sockets")).bridges["br100"]
    assert (bridge.ports, bridge.stp) == (["bond0.100", "vnet3"], "off")
    assert bridge.opts == {"forward_delay": "1500"}


def test_addresses_and_gateways_of_an_interface(tree: Tree) -> None:
    bridge = read(tree("two-sockets")).bridges["br100"]
    assert (bridge.addr, bridge.netmask) == ("192.0.2.10", "255.255.255.0")
    assert bridge.ipv4addrs == ["192.0.2.10/24", "192.0.2.11/24"]
    assert bridge.ipv6addrs == ["2001:db8::10/64"]
    assert (bridge.gateway, bridge.ipv6gateway) == ("192.0.2.254", "2001:db8::1")  # the route of the lower metric
    assert bridge.ipv4defaultroute


def test_a_lease_comes_from_dhcp_unless_a_router_advertised_it(tree: Tree) -> None:
    found = read(tree("two-sockets"))
    assert (found.bridges["br100"].dhcpv4, found.bridges["br100"].dhcpv6) == (True, False)
    assert (found.nics["eth2"].dhcpv4, found.nics["eth2"].dhcpv6) == (False, True)


def test_an_interface_without_addresses(tree: Tree) -> None:
    nic = read(tree("two-sockets")).nics["eth0"]
    assert (nic.addr, nic.netmask, nic.gateway, nic.ipv6gateway) == ("", "", "", "::")
    assert not nic.ipv4defaultroute


def test_a_port_of_a_bond_keeps_its_own_address(tree: Tree) -> None:
    nics = read(tree("two-sockets")).nics
    assert (nics["eth1"].hwaddr, nics["eth1"].permhwaddr) == ("52:54:00:00:00:0a", "52:54:00:00:00:0b")
    assert nics["eth2"].permhwaddr is None


def test_an_unknown_speed_is_zero(tree: Tree) -> None:
    nics = read(tree("two-sockets")).nics
    assert (nics["eth0"].speed_mbits_per_second, nics["eth2"].speed_mbits_per_second) == (10000, 0)


def test_without_routing_socket_only_addresses_and_vlans_are_missing(tree: Tree) -> None:
    def refused() -> list[Address]:
        raise OSError("no")

    def refused_tags() -> dict[str, int]:
        raise OSError("no")

    found = network.read(tree("two-sockets"), NetworkSource(refused, refused_tags))
    assert found.bridges["br100"].ipv4addrs == []
    assert found.vlans == {}
    assert len(found.nics) == 3


def test_a_kernel_without_network(tree: Tree) -> None:
    found = network.read(tree("bare"), NetworkSource(list, dict))
    assert (found.nics, found.bonds, found.vlans, found.bridges) == ({}, {}, {}, {})
