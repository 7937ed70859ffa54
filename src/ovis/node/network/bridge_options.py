"""Settings of a bridge that a network may name in `custom.bridge_opts`: `forward_delay=1500 multicast_snooping=0`.

Units are those of the kernel's files (hundredths of a second). Source: include/uapi/linux/if_link.h (IFLA_BR_*),
net/bridge/br_stp.c and br_netlink.c for the ranges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ovis.node.network.model import Network

KEY = "bridge_opts"


@dataclass(frozen=True)
class Setting:
    """`attribute`: its number for the kernel; `size` in bytes."""

    attribute: int
    size: int
    least: int = 0
    largest: int = 1


SETTINGS: dict[str, Setting] = {
    "forward_delay": Setting(1, 4, 0, 3000),
    "hello_time": Setting(2, 4, 100, 1000),
    "max_age": Setting(3, 4, 600, 4000),
    "ageing_time": Setting(4, 4, 0, 100_000_000),
    "stp_state": Setting(5, 4, 0, 1),
    "priority": Setting(6, 2, 0, 65535),
    "vlan_filtering": Setting(7, 1),
    "group_fwd_mask": Setting(9, 2, 0, 65535),
    "multicast_snooping": Setting(23, 1),
    "multicast_querier": Setting(25, 1),
}


def of_network(network: Network) -> dict[str, str]:
    """Raises ValueError. Without a spanning tree a bridge forwards at once: there is nothing to listen for."""
    found = {"stp_state": str(int(network.stp)), "forward_delay": "1500" if network.stp else "0"}
    for word in network.custom.get(KEY, "").split():
        name, _, value = word.partition("=")
        setting = SETTINGS.get(name)
        if setting is None or name == "stp_state":
            raise ValueError(f"{name!r} is no setting of a bridge")
        if not re.fullmatch(r"\d{1,9}|0x[0-9a-fA-F]{1,4}", value):
            raise ValueError(f"{word!r}: this is no number")
        number = int(value, 16 if value.startswith("0x") else 10)
        if not setting.least <= number <= setting.largest:
            raise ValueError(f"{word!r} is not between {setting.least} and {setting.largest}")
        found[name] = str(number)
    if network.stp and not 200 <= int(found["forward_delay"]) <= 3000:
        raise ValueError("with a spanning tree forward_delay is between 200 and 3000")
    return found
