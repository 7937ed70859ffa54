import ipaddress
import struct
from pathlib import Path

from ovis.node.host import rtnetlink


def test_the_loopback_addresses_of_this_machine_are_found() -> None:
    found = {a.ip: a for a in rtnetlink.addresses() if a.interface == "lo"}
    assert found[ipaddress.ip_address("127.0.0.1")].prefix == 8
    assert not found[ipaddress.ip_address("127.0.0.1")].leased


def test_ipv6_agrees_with_the_kernels_own_list() -> None:
    lines = (line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines())
    wanted = {(words[5], ipaddress.ip_address(bytes.fromhex(words[0])), int(words[2], 16)) for words in lines}
    assert {(a.interface, a.ip, a.prefix) for a in rtnetlink.addresses() if a.ip.version == 6} == wanted


def test_tags_are_those_of_vlan_interfaces_alone() -> None:
    kinds = {p.parent.name for p in Path("/sys/class/net").glob("*/uevent") if "DEVTYPE=vlan" in p.read_text()}
    assert rtnetlink.vlan_tags().keys() == kinds


def test_attributes_end_at_a_broken_length() -> None:
    good = struct.pack("=HH", 5, 3) + b"x\0\0\0"
    assert list(rtnetlink._attributes(good + struct.pack("=HH", 0, 1))) == [(3, b"x")]
