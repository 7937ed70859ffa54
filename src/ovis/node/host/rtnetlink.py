"""Addresses and VLAN tags as the kernel tells them over a routing socket: what /proc and /sys do not hold.

Read-only and without special rights. A dump is a request (struct nlmsghdr, then a header of the object) and messages in
answer, each with attributes (length, type, value; padded to 4 bytes), up to one of type DONE.
Source: rtnetlink(7), linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_GETLINK = 16, 18
RTM_NEWADDR, RTM_GETADDR = 20, 22
_NLM_F_REQUEST, _NLM_F_DUMP = 0x001, 0x300
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS, _IFA_PROTO = 1, 2, 8, 11
_IFA_F_PERMANENT = 0x80
_IFAPROT_KERNEL_RA = 2
_IFLA_IFNAME, _IFLA_LINKINFO = 3, 18
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFLA_VLAN_ID = 1
_ANSWER_SECONDS = 2.0  # the kernel answers within microseconds; this bounds what must never happen

_HEADER = struct.Struct("=LHHLL")
LINK = struct.Struct("=BxHiII")
ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")


@dataclass(frozen=True)
class Address:
    """`leased`: for a time, as DHCP and router advertisements give them; `advertised`: by a router (SLAAC)."""

    interface: str
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    prefix: int
    leased: bool = False
    advertised: bool = False


def addresses() -> list[Address]:
    """Of all interfaces in this network namespace. Raises OSError."""
    names = {index: text(link[_IFLA_IFNAME]) for index, link in _links() if _IFLA_IFNAME in link}
    found = []
    for body in dump(RTM_GETADDR, RTM_NEWADDR, ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
        family, prefix, flags, _, index = ADDRESS.unpack_from(body)
        values = dict(attributes(body[ADDRESS.size :]))
        # On a point-to-point link ADDRESS is the other end.
        raw = values.get(_IFA_LOCAL) or values.get(_IFA_ADDRESS)
        if family in (socket.AF_INET, socket.AF_INET6) and raw and index in names:
            found.append(_address(names[index], raw, prefix, flags, values))
    return found


def vlan_tags() -> dict[str, int]:
    """Tag of each VLAN interface. Raises OSError."""
    return _tags(link for _, link in _links())


def _tags(links: Iterable[dict[int, bytes]]) -> dict[str, int]:
    found = {}
    for link in links:
        info = dict(attributes(link.get(_IFLA_LINKINFO, b"")))
        if text(info.get(_IFLA_INFO_KIND, b"")) == "vlan":
            tag = dict(attributes(info.get(_IFLA_INFO_DATA, b""))).get(_IFLA_VLAN_ID)
            if tag is not None and _IFLA_IFNAME in link:
                found[text(link[_IFLA_IFNAME])] = struct.unpack("=H", tag)[0]
    return found


def _address(name: str, raw: bytes, prefix: int, flags: int, values: dict[int, bytes]) -> Address:
    if _IFA_FLAGS in values:
        flags = struct.unpack("=I", values[_IFA_FLAGS])[0]
    return Address(
        interface=name,
        ip=ipaddress.ip_address(raw),
        prefix=prefix,
        leased=not flags & _IFA_F_PERMANENT,
        advertised=values.get(_IFA_PROTO, b"\0")[0] == _IFAPROT_KERNEL_RA,
    )


def _links() -> Iterator[tuple[int, dict[int, bytes]]]:
    for body in dump(RTM_GETLINK, RTM_NEWLINK, LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
        yield LINK.unpack_from(body)[2], dict(attributes(body[LINK.size :]))


def dump(request: int, answer: int, header: bytes) -> Iterator[bytes]:
    """Bodies of the messages of type `answer`."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as channel:
        channel.settimeout(_ANSWER_SECONDS)
        length = _HEADER.size + len(header)
        channel.send(_HEADER.pack(length, request, _NLM_F_REQUEST | _NLM_F_DUMP, 1, 0) + header)
        while True:
            data = channel.recv(1 << 16)  # the kernel never makes a piece of a dump larger than 32 KiB
            for kind, body in messages(data):
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", body)[0], f"routing socket refused request {request}")
                if kind == answer:
                    yield body


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            return
        yield kind, data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3


def text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", "replace")
