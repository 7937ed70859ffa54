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


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def test_the_tag_is_inside_the_information_of_the_link() -> None:
    """Laid out by hand after linux/if_link.h, with the flag for nested attributes that newer kernels set."""
    data = attribute(1, struct.pack("=H", 42)) + attribute(5, b"\x81\0")
    info = attribute(1, b"vlan\0") + attribute(2 | 0x8000, data)
    vlan = attribute(3, b"bond0.42\0") + attribute(18 | 0x8000, info)
    bridge = attribute(3, b"br0\0") + attribute(18, attribute(1, b"bridge\0"))
    links = [dict(rtnetlink.attributes(raw)) for raw in (vlan, bridge, attribute(3, b"lo\0"))]
    assert rtnetlink._tags(links) == {"bond0.42": 42}


def test_attributes_end_at_a_broken_length() -> None:
    good = struct.pack("=HH", 5, 3) + b"x\0\0\0"
    assert list(rtnetlink.attributes(good + struct.pack("=HH", 0, 1))) == [(3, b"x")]
