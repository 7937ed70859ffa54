"""Bonds: network cards used as one. Source: Documentation/networking/bonding.rst, sysfs folder `bonding`."""

from __future__ import annotations

from ovis.node.host.kernel_files import KernelFiles

# What the driver sets by itself; only what differs is worth telling. `mode` is always told.
_DEFAULTS = {
    "ad_select": "stable",
    "all_slaves_active": "0",
    "arp_all_targets": "any",
    "arp_interval": "0",
    "arp_ip_target": "",
    "arp_validate": "none",
    "downdelay": "0",
    "fail_over_mac": "none",
    "lacp_rate": "slow",
    "lp_interval": "1",
    "miimon": "0",
    "min_links": "0",
    "num_grat_arp": "1",
    "packets_per_slave": "1",
    "primary": "",
    "primary_reselect": "always",
    "resend_igmp": "1",
    "tlb_dynamic_lb": "1",
    "updelay": "0",
    "use_carrier": "1",
    "xmit_hash_policy": "layer2",
}


def names(files: KernelFiles) -> list[str]:
    return (files.text("sys/class/net/bonding_masters") or "").split()


def ports(files: KernelFiles, bond: str) -> list[str]:
    return (files.text(f"sys/class/net/{bond}/bonding/slaves") or "").split()


def active_port(files: KernelFiles, bond: str) -> str:
    """Empty in modes that use all ports at once, and when all are down."""
    return files.text(f"sys/class/net/{bond}/bonding/active_slave") or ""


def options(files: KernelFiles, bond: str) -> dict[str, str]:
    """Mode as its number, and options that are not at the driver's default by name (`fast`, not 1)."""
    mode = (files.text(f"sys/class/net/{bond}/bonding/mode") or "").split()
    found = {"mode": mode[-1]} if mode else {}
    for option, default in _DEFAULTS.items():
        words = (files.text(f"sys/class/net/{bond}/bonding/{option}") or "").split()
        # Choices read `layer2+3 2`: name and number; address lists are one word with commas.
        value = words[0] if words else ""
        if value and value != default:
            found[option] = value
    return found
