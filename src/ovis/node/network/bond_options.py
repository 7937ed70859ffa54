"""Options of the bonding driver: names, words, numbers, defaults.

Source: Documentation/networking/bonding.rst, include/uapi/linux/if_link.h (IFLA_BOND_*), drivers/net/bonding/
bond_options.c (which options the driver takes only from a bond that is down, or without ports).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

_MODES = (
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
)
_ARP_VALIDATE = ("none", "active", "backup", "all", "filter", "filter_active", "filter_backup")
_HASHES = ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac")
_NEEDS_MONITOR = ("updelay", "downdelay", "peer_notif_delay")
_MONITORED_MODES = ("802.3ad", "balance-tlb", "balance-alb")
_FORCED_MONITOR = "100"
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")


@dataclass(frozen=True)
class Option:
    """`attribute`: its number for the kernel. `size`: bytes of a number; 0 is a form of its own. `words` by number."""

    attribute: int
    size: int
    default: str
    words: tuple[str, ...] = ()
    largest: int = 0xFFFFFFFF
    live: bool = True
    """Whether the driver takes it while the bond is up and has ports."""


OPTIONS: dict[str, Option] = {
    "mode": Option(1, 1, "balance-rr", _MODES, live=False),
    "miimon": Option(3, 4, "0"),
    "updelay": Option(4, 4, "0"),
    "downdelay": Option(5, 4, "0"),
    "use_carrier": Option(6, 1, "1", largest=1),
    "arp_interval": Option(7, 4, "0", live=False),
    "arp_ip_target": Option(8, 0, "", live=False),
    "arp_validate": Option(9, 4, "none", _ARP_VALIDATE, live=False),
    "arp_all_targets": Option(10, 4, "any", ("any", "all")),
    "primary": Option(11, 0, ""),
    "primary_reselect": Option(12, 1, "always", ("always", "better", "failure")),
    "fail_over_mac": Option(13, 1, "none", ("none", "active", "follow"), live=False),
    "xmit_hash_policy": Option(14, 1, "layer2", _HASHES),
    "resend_igmp": Option(15, 4, "1", largest=255),
    "num_grat_arp": Option(16, 1, "1", largest=255),
    "all_slaves_active": Option(17, 1, "0", largest=1),
    "min_links": Option(18, 4, "0"),
    "lp_interval": Option(19, 4, "1"),
    "packets_per_slave": Option(20, 4, "1", largest=65535, live=False),
    "lacp_rate": Option(21, 1, "slow", ("slow", "fast"), live=False),
    "ad_select": Option(22, 1, "stable", ("stable", "bandwidth", "count"), live=False),
    "ad_actor_sys_prio": Option(24, 2, "65535", largest=65535, live=False),
    "ad_user_port_key": Option(25, 2, "0", largest=1023, live=False),
    "ad_actor_system": Option(26, 0, "00:00:00:00:00:00", live=False),
    "tlb_dynamic_lb": Option(27, 1, "1", largest=1, live=False),
    "peer_notif_delay": Option(28, 4, "0"),
    "lacp_active": Option(29, 1, "on", ("off", "on"), live=False),
    "missed_max": Option(30, 1, "2", largest=255),
}
OF_SOME_MODES = frozenset(
    {
        "ad_actor_sys_prio",
        "ad_actor_system",
        "ad_select",
        "ad_user_port_key",
        "arp_interval",
        "arp_ip_target",
        "arp_validate",
        "lacp_active",
        "lacp_rate",
        "packets_per_slave",
        "primary",
        "tlb_dynamic_lb",
    }
)
_OTHER_NAMES = {"num_unsol_na": "num_grat_arp", "arp_missed_max": "missed_max", "slow": "lacp_rate"}


def parse(text: str) -> dict[str, str]:
    """`mode=4 miimon=100` → by the driver's names and words, defaults left out. Raises ValueError, naming it."""
    found: dict[str, str] = {}
    for word in text.split():
        given, _, value = word.partition("=")
        name = _OTHER_NAMES.get(given, given)
        if name not in OPTIONS or not value:
            raise ValueError(f"{word!r} is no option of a bond (name=value)")
        found[name] = canonical_value(name, value)
    return normal(found)


def text(options: Mapping[str, str]) -> str:
    """As `parse` reads it. The mode comes first, always."""
    mode = options.get("mode", OPTIONS["mode"].default)
    rest = sorted((name, value) for name, value in options.items() if name != "mode")
    return " ".join([f"mode={_MODES.index(mode)}", *(f"{name}={value}" for name, value in rest)])


def canonical_value(name: str, value: str) -> str:
    """Raises ValueError."""
    option = OPTIONS[name]
    if option.words:
        if value.isdigit() and int(value) < len(option.words):
            return option.words[int(value)]
        if value in option.words:
            return value
        raise ValueError(f"{name}={value}: it is one of {', '.join(option.words)}")
    if name == "arp_ip_target":
        try:
            return ",".join(str(IPv4Address(address)) for address in value.split(",") if address)
        except AddressValueError as error:
            raise ValueError(f"{name}={value}: {error}") from error
    if name == "ad_actor_system":
        if not _MAC.fullmatch(value.lower()):
            raise ValueError(f"{name}={value}: this is no MAC address")
        return value.lower()
    if name == "primary":
        return value
    if not re.fullmatch(r"\d{1,10}", value) or int(value) > option.largest:
        raise ValueError(f"{name}={value}: it is a number up to {option.largest}")
    return str(int(value))


def normal(options: Mapping[str, str]) -> dict[str, str]:
    """Without what the driver does by itself, so that two descriptions of the same bond are equal."""
    mode = options.get("mode", OPTIONS["mode"].default)
    monitor = options.get("miimon", "0")
    if mode in _MONITORED_MODES and monitor == "0" and "arp_interval" not in options:
        monitor = _FORCED_MONITOR
    found = {"mode": mode}
    for name, value in sorted(options.items()):
        if name == "mode" or value == OPTIONS[name].default:
            continue
        if name in _NEEDS_MONITOR:
            if monitor == "0":
                continue
            value = str(int(value) // int(monitor) * int(monitor))
            if value == "0":
                continue
        if name == "miimon" and mode in _MONITORED_MODES and value == _FORCED_MONITOR:
            continue
        found[name] = value
    return found


def problem(options: Mapping[str, str], ports: tuple[str, ...]) -> str:
    """What is wrong between them; empty when nothing is. Each value is canonical already."""
    mode = options.get("mode", OPTIONS["mode"].default)
    if options.get("miimon", "0") != "0" and options.get("arp_interval", "0") != "0":
        return "miimon and arp_interval exclude each other"
    if options.get("arp_interval", "0") != "0" and not options.get("arp_ip_target"):
        return "arp_interval needs arp_ip_target"
    if options.get("arp_interval", "0") != "0" and mode in _MONITORED_MODES:
        return f"arp_interval does not work in mode {mode}"
    if len([target for target in options.get("arp_ip_target", "").split(",") if target]) > 16:
        return "arp_ip_target takes 16 addresses"
    primary = options.get("primary", "")
    if primary and primary not in ports:
        return f"primary={primary} is none of its ports"
    if primary and mode not in ("active-backup", "balance-tlb", "balance-alb"):
        return f"primary has no meaning in mode {mode}"
    if mode != "802.3ad" and (only := sorted({"lacp_rate", "ad_actor_system", "ad_user_port_key"} & options.keys())):
        return f"{only[0]} needs mode 802.3ad"
    if mode == "802.3ad" and "ad_actor_system" in options and int(options["ad_actor_system"][:2], 16) & 1:
        return "ad_actor_system is a multicast address"
    return ""
