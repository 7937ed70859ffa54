from __future__ import annotations

import json
from typing import Any

IP = {"ipv4addrs": [], "ipv6addrs": [], "ipv6gateway": "::", "addr": "", "netmask": "", "mtu": "1500"}
ANSWER = {
    "nics": {},
    "bondings": {"bond1": {**IP, "active_slave": "", "hwaddr": "", "opts": {}, "slaves": []}},
    "vlans": {"bond1.7": {**IP, "mtu": 1500, "iface": "bond1", "vlanid": 7}},
    "bridges": {},
    "networks": {
        "red": {
            **IP,
            "bridged": True,
            "ports": ["bond1.7", "vnet0", "vnet1"],
            "stp": "off",
            "ipv4addrs": ["192.0.2.5/24"],
            "gateway": "192.0.2.1",
            "ipv4defaultroute": True,
        },
        "san": {**IP, "bridged": False, "interface": "bond1", "iface": "bond1"},
    },
    "netConfigDirty": "True",
    "nameservers": [],
    "supportsIPv6": True,
}


def test_networks_are_a_line_each(ovis: Any) -> None:
    ovis.agent.answers["Host.getNetworkCapabilities"] = ANSWER
    header, red, san, unsaved = ovis("node", "network", "list", "-o", "table").out.splitlines()
    assert header.startswith("NETWORK")
    assert red.split() == ["red", "VMs", "bond1", "7", "1500", "192.0.2.5/24", "192.0.2.1*", "2"]
    assert san.split() == ["san", "host", "bond1", "-", "1500", "-", "-", "-"]
    assert unsaved.startswith("Not saved")
    told = json.loads(ovis("node", "network", "list", "-o", "json").out)
    assert (told["networks"][0]["vlan"], told["unsaved"]) == (7, True)


def test_a_host_without_networks_says_so(ovis: Any) -> None:
    ovis.agent.answers["Host.getNetworkCapabilities"] = {**ANSWER, "networks": {}, "netConfigDirty": "False"}
    assert ovis("node", "network", "list", "-o", "table").out == "No networks were set up on this host\n"
