"""Hooks about cards of VMs and networks of the host."""

from typing import Any

import pytest
from hook_bench import Bench

from ovis.node.hooks.errors import HookFailed

CARD = "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='blue'/></interface>"


def test_isolatedprivatevlan_isolates_ports(bench: Bench) -> None:
    ports = bench.domain("isolatedprivatevlan", isolatedprivatevlan="00:11:22:33:44:55").findall(
        "devices/interface/port"
    )
    assert [found.get("isolated") for found in ports] == ["yes", "yes"]


def test_qos_limits_one_card_or_all(bench: Bench) -> None:
    root = bench.domain("qos", qos="52:54:00:00:00:01/inbound/1024,2048,256;outbound/512")
    first, second = root.findall("devices/interface/bandwidth")
    assert dict(first.find("inbound").attrib) == {"average": "1024", "peak": "2048", "burst": "256"}
    assert second.find("inbound") is None
    assert [one.find("outbound").get("average") for one in (first, second)] == ["512", "512"]
    assert (
        bench.device("qos", "before_nic_hotplug", CARD, qos="inbound/7").find("bandwidth/inbound").get("average") == "7"
    )
    for value in ("fast", "inbound/x", "52:54:00:00:00:99/inbound/1", "sideways/1"):
        with pytest.raises(HookFailed):
            bench.domain("qos", qos=value)


def test_sriov_adds_functions(bench: Bench) -> None:
    card = bench.domain("sriov", sriov="0000:3b:02.1@52:54:00:00:00:07").find("devices/interface[@type='hostdev']")
    assert (card.get("managed"), card.find("mac").get("address")) == ("yes", "52:54:00:00:00:07")
    assert card.find("source/address").get("bus") == "0x3b"
    for value in ("lo", "../../x", "eth0@nonsense"):
        with pytest.raises(HookFailed, match="sriov="):
            bench.domain("sriov", sriov=value)


def test_vmfex_sets_profiles(bench: Bench) -> None:
    card = bench.domain("vmfex", vmfex='{"52:54:00:00:00:01": "Production"}').find("devices/interface")
    assert card.find("source").get("network") == "direct-pool"
    assert card.find("virtualport/parameters").get("profileid") == "Production"
    assert bench.device("vmfex", "before_device_create", CARD, vmfex="P").get("type") == "network"
    with pytest.raises(HookFailed, match="no card"):
        bench.domain("vmfex", vmfex='{"52:54:00:00:00:99": "Production"}')


def test_extnet_uses_a_network_of_libvirt(bench: Bench) -> None:
    for point in ("before_device_create", "before_nic_hotplug"):
        card = bench.device("extnet", point, CARD, extnet="default")
        assert (card.get("type"), dict(card.find("source").attrib)) == ("network", {"network": "default"})


def test_allocate_net_refuses_where_there_is_none(bench: Bench) -> None:
    with pytest.raises(HookFailed, match="none of these networks"):
        bench.device("allocate_net", "before_device_create", CARD, equivnets="no-such-1,no-such-2")


def test_allocate_net_takes_the_least_used(bench: Bench) -> None:
    for name, ports in (("red", 2), ("green", 1), ("black", 3)):
        for number in range(ports):
            (bench.folder / "net" / name / "brif" / f"vnet{number}").mkdir(parents=True)
    bench.enable("allocate_net")
    script = bench.folder / "hooks/before_device_create/50_allocate_net"
    script.write_text(script.read_text().replace("/sys/class/net", f"{bench.folder}/net"))
    import asyncio

    left = asyncio.run(
        bench.hooks.run("before_device_create", CARD, variables={"equivnets": "red,green,missing,black"})
    )
    assert 'bridge="green"' in left


def test_macbind_binds_by_macvtap(bench: Bench) -> None:
    card = bench.domain("macbind", macbind="52:54:00:00:00:01=eth3/passthrough").find("devices/interface")
    assert (card.get("type"), dict(card.find("source").attrib)) == ("direct", {"dev": "eth3", "mode": "passthrough"})
    for value in ("52:54:00:00:00:99=eth3", "52:54:00:00:00:01=eth3/x", "52:54:00:00:00:01"):
        with pytest.raises(HookFailed, match="macbind="):
            bench.domain("macbind", macbind=value)


def test_promisc_mirrors_and_forgets(bench: Bench) -> None:
    bench.program("tc")
    bench.domain("promisc", "after_vm_start", promisc="ovirtmgmt:in,blue:out")
    started = [call for call in bench.calls if call.startswith("tc ")]
    assert started[0] == "tc qdisc add dev ovirtmgmt ingress"
    assert started[1].startswith("tc filter add dev ovirtmgmt parent ffff: prio ")
    assert started[1].endswith("matchall action mirred egress mirror dev vnet0")
    assert started[2] == "tc qdisc add dev blue root handle 1: prio"
    (bench.folder / "calls").unlink()
    bench.domain("promisc", "before_vm_destroy", promisc="ovirtmgmt:in,blue:out")
    ended = [call for call in bench.calls if call.startswith("tc ")]
    assert [call.split()[1:3] for call in ended] == [["filter", "del"]] * 2
    assert started[1].split()[7:9] == ended[0].split()[7:9]


# Networks of the host


def _request(**attributes: Any) -> dict[str, Any]:
    return {
        "request": {"networks": {"blue": attributes}, "bondings": {"bond0": {"nics": ["eth1", "eth2"]}}, "options": {}}
    }


def test_ethtool_options_are_checked_before_and_set_after(bench: Bench) -> None:
    bench.program("ethtool")
    wish = _request(bonding="bond0", custom={"ethtool_opts": "-K eth1 gro off; --coalesce eth2 rx-usecs 3"})
    assert bench.json("ethtool_options", "before_network_setup", wish) == wish
    assert bench.calls == []
    bench.json("ethtool_options", "after_network_setup", wish)
    assert [call for call in bench.calls if call.startswith("eth")] == [
        "ethtool -K eth1 gro off",
        "ethtool --coalesce eth2 rx-usecs 3",
    ]
    for bad in ("-K eth9 gro off", "--reset eth1", "-p"):
        with pytest.raises(HookFailed, match="ethtool_opts of blue"):
            bench.json("ethtool_options", "before_network_setup", _request(nic="eth1", custom={"ethtool_opts": bad}))


@pytest.mark.parametrize(
    ("attributes", "device"),
    [
        ({}, "blue"),
        ({"bridged": False, "nic": "eth1", "vlan": 7}, "eth1.7"),
        ({"bridged": False, "bonding": "bond0"}, "bond0"),
    ],
)
def test_extra_ipv4_addrs_are_put_on_the_device(bench: Bench, attributes: dict[str, Any], device: str) -> None:
    bench.program("ip")
    wish = _request(**attributes, custom={"ipv4_addrs": "192.0.2.7/24, 192.0.2.8/32"})
    bench.json("extra_ipv4_addrs", "before_network_setup", wish)
    bench.json("extra_ipv4_addrs", "after_network_setup", wish)
    assert [call for call in bench.calls if call.startswith("ip ")] == [
        f"ip address replace 192.0.2.7/24 dev {device}",
        f"ip address replace 192.0.2.8/32 dev {device}",
    ]
    with pytest.raises(HookFailed, match="ipv4_addrs of blue"):
        bench.json("extra_ipv4_addrs", "before_network_setup", _request(custom={"ipv4_addrs": "192.0.2.256"}))


def test_fcoe_is_written_and_removed(bench: Bench) -> None:
    bench.program("systemctl")
    place = bench.folder / "fcoe"
    place.mkdir()
    bench.enable("fcoe")
    for script in (bench.folder / "hooks").glob("*/50_fcoe"):
        script.write_text(script.read_text().replace("/etc/fcoe", str(place)))

    def run(point: str, wish: dict[str, Any]) -> None:
        import asyncio

        asyncio.run(bench.hooks.run_json(point, wish))

    wish = _request(nic="eth1", custom={"fcoe": "enable=yes,dcb=yes"})
    run("before_network_setup", wish)
    assert list(place.iterdir()) == []
    run("after_network_setup", wish)
    assert 'DCB_REQUIRED="yes"\nAUTO_VLAN="yes"' in (place / "cfg-eth1").read_text()
    assert "systemctl restart fcoe" in bench.calls
    run("after_network_setup", _request(nic="eth1", remove=True))
    assert list(place.iterdir()) == []
    with pytest.raises(HookFailed, match="fcoe of blue"):
        run("before_network_setup", _request(nic="eth1", custom={"fcoe": "yes"}))


def test_checkips_tell_a_network_down_that_does_not_answer(bench: Bench) -> None:
    bench.program("ping", '[ "$6" != 192.0.2.1 ]')
    wish = _request(custom={"checkipv4": "192.0.2.1"})
    wish["request"]["networks"]["red"] = {"custom": {"checkipv4": "192.0.2.2"}}
    (bench.folder / "launch").mkdir()
    bench.json("checkips", "after_network_setup", wish)
    stats = {"network": {"blue": {"state": "up"}, "red": {"state": "up"}}}
    told = bench.json("checkips", "after_get_stats", stats)
    assert {name: found["state"] for name, found in told["network"].items()} == {"blue": "down", "red": "up"}
    bench.json("checkips", "after_network_setup", _request(remove=True))
    assert bench.json("checkips", "after_get_stats", stats) == stats
