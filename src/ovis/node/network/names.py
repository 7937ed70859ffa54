"""Names of devices that are made here, and of networks. Source: net/core/dev.c (dev_valid_name), linux/if.h."""

from __future__ import annotations

import re
import zlib

LONGEST = 15
RESERVED = frozenset({";vdsmdummy;", "lo", "all", "default", "bonding_masters", ".", ".."})
_PLAIN = re.compile(r"[\x21-\x7e]+")
_DEVICE = re.compile(r"[A-Za-z0-9_.@:-]+")
_BOND = re.compile(r"bond[A-Za-z0-9_]{1,11}")


def network_problem(name: str) -> str:
    """Why it cannot be the name of a network; empty when it can. It may become a bridge and a folder's entry."""
    if not 1 <= len(name) <= LONGEST:
        return f"a network's name has 1 to {LONGEST} characters"
    if not _PLAIN.fullmatch(name) or set(name) & set(":./%\"'\\"):
        return "a network's name holds no white space, no control characters and none of : . / % \" ' \\"
    if name.startswith("-") or name in RESERVED:
        return "this name is reserved"
    return ""


def device_problem(name: str) -> str:
    """Why it cannot be a device of the machine."""
    if not 1 <= len(name) <= LONGEST or not _DEVICE.fullmatch(name) or name in RESERVED:
        return f"{name!r} is no name of a network device"
    return ""


def bond_problem(name: str) -> str:
    if not _BOND.fullmatch(name):
        return "a bond is called bond followed by letters, digits and _, at most 15 in all"
    return "this name is reserved" if name in RESERVED else ""


def vlan_device(base: str, tag: int) -> str:
    """`eth0.100`; for long names, where the kernel has no room for that, one that is made from both."""
    name = f"{base}.{tag}"
    return name if len(name) <= LONGEST else f"v{tag}.{zlib.crc32(base.encode()):08x}"
