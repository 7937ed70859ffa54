"""Bonds and VLANs as networks of the host: made, changed under traffic, taken back, restored after a boot."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ovis.node.network import bond_options, kernel_state
from ovis.node.network.errors import NotConfirmed, NotUp
from ovis.node.network.model import Bond, Change, Configuration, Curve, HostQos, Ipv4, Network
from ovis.node.network.store import Store
from ovis.node.privileged import network_calls
from ovis.node.privileged.network_change import Waiting
from tests.bed.parts.programs import run, until

CARDS = ("card0", "card1")
PEER = "10.100.0.2"
BOND = Bond("bond7", CARDS, {"mode": "active-backup", "miimon": "50"})
TAGGED = Network("tagged", bond="bond7", vlan=100, mtu=1400, ipv4=Ipv4("10.100.0.1", 24))


@pytest.fixture(scope="module", autouse=True)
def cards() -> Iterator[None]:
    """Two cards wired to a bridge in another namespace, which answers on VLAN 100 and without a tag."""
    run("modprobe", "-a", "8021q", "bridge", "veth")
    run("ip", "netns", "add", "peer")
    for number, name in enumerate(CARDS):
        run("ip", "link", "add", name, "type", "veth", "peer", "name", f"p{number}", "netns", "peer")
    ip = ("ip", "-n", "peer")
    run(*ip, "link", "add", "bridge0", "type", "bridge", "forward_delay", "0")
    for number in (0, 1):
        run(*ip, "link", "set", f"p{number}", "master", "bridge0", "up")
    run(*ip, "link", "set", "bridge0", "up")
    run(*ip, "link", "add", "link", "bridge0", "name", "vlan100", "type", "vlan", "id", "100")
    run(*ip, "address", "add", f"{PEER}/24", "dev", "vlan100")
    run(*ip, "link", "set", "vlan100", "up")
    yield
    run("ip", "netns", "delete", "peer")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "resolv.conf").write_text("")
    yield tmp_path
    running = Store(tmp_path).running()
    set_up(tmp_path, Change(dict.fromkeys(running.networks), dict.fromkeys(running.bonds)))
    assert not {"bond7", "bond7.100", "tagged"} & kernel_state.read().links.keys()


def set_up(state: Path, change: Change, *, confirm_within: float | None = None, save: bool = False) -> None:
    with network_calls.changer(state, state / "resolv.conf") as changer:
        changer.change(change, Waiting(), confirm_within=confirm_within, save=save)


def answers() -> bool:
    run("ping", "-c", "2", "-i", "0.2", "-w", "20", PEER)
    return True


def test_a_network_on_a_vlan_on_a_bond_survives_the_loss_of_a_card_and_changes_of_the_bond(state: Path) -> None:
    set_up(state, Change({"tagged": TAGGED}, {"bond7": BOND}))
    assert not Path("/sys/class/net/bond0").exists()
    assert answers()
    run("ip", "-n", "peer", "link", "set", "p0", "down")
    until("the other card carries", lambda: "Active Slave: card1" in Path("/proc/net/bonding/bond7").read_text())
    assert answers()
    run("ip", "-n", "peer", "link", "set", "p0", "up")
    set_up(state, Change({}, {"bond7": replace(BOND, options={**BOND.options, "miimon": "70", "primary": "card1"})}))
    assert answers()
    set_up(state, Change({}, {"bond7": replace(BOND, ports=("card1",), options={"mode": "balance-xor"})}))
    assert answers()
    assert kernel_state.read().present()["card0"].master == ""


def test_a_change_of_a_bond_that_nobody_confirms_is_taken_back(state: Path) -> None:
    set_up(state, Change({"tagged": TAGGED}, {"bond7": BOND}))
    before = kernel_state.read()
    wrong = {"tagged": replace(TAGGED, vlan=200), "new": Network("new", nic="card0")}
    other = Bond("bond7", ("card1",), {"mode": "802.3ad", "lacp_rate": "fast"})
    with pytest.raises(NotConfirmed):
        set_up(state, Change(wrong, {"bond7": other}), confirm_within=0)
    assert kernel_state.read() == before
    assert answers()


@pytest.mark.parametrize(
    "options",
    [
        "mode=0 packets_per_slave=2 miimon=100 resend_igmp=3",
        "mode=1 miimon=100 updelay=200 downdelay=100 primary=card1 primary_reselect=2 fail_over_mac=1 num_grat_arp=3",
        "mode=1 arp_interval=500 arp_ip_target=10.100.0.2,10.100.0.3 arp_validate=3 arp_all_targets=1",
        "mode=2 xmit_hash_policy=2 miimon=100",
        "mode=3 miimon=100",
        "mode=4 lacp_rate=1 ad_select=2 xmit_hash_policy=layer3+4 min_links=1 ad_actor_sys_prio=77 ad_user_port_key=5",
        "mode=5 miimon=100 tlb_dynamic_lb=0",
        "mode=6 miimon=200 all_slaves_active=1 lp_interval=5",
    ],
)
def test_modes_and_options_are_those_of_the_driver(state: Path, options: str) -> None:
    wanted = bond_options.parse(options)
    set_up(state, Change({}, {"bond7": BOND}))
    set_up(state, Change({}, {"bond7": replace(BOND, options=wanted)}))
    found = dict(kernel_state.read().present()["bond7"].options)
    assert {name: found.get(name) for name in wanted} == wanted
    set_up(state, Change({}, {"bond7": BOND}))
    assert kernel_state.read().present()["bond7"].options == BOND.options


def test_saved_networks_come_back_after_a_boot(state: Path) -> None:
    set_up(state, Change({"tagged": TAGGED}, {"bond7": BOND}), save=True)
    for name in ("tagged", "bond7"):
        run("ip", "link", "delete", name)
    (state / "staging/ovis/boot").write_text("another")
    with network_calls.changer(state, state / "resolv.conf") as changer:
        assert not changer.restore()
    assert Store(state).running() == Configuration({"tagged": TAGGED}, {"bond7": BOND})
    assert answers()


def test_a_bond_has_the_mac_that_is_wanted(state: Path) -> None:
    mac = "02:00:00:00:77:01"
    set_up(state, Change({}, {"bond7": replace(BOND, mac=mac)}))
    assert kernel_state.read().present()["bond7"].mac == mac
    set_up(state, Change({}, {"bond7": replace(BOND, mac="02:00:00:00:77:02")}))
    assert {kernel_state.read().present()[name].mac for name in ("bond7", *CARDS)} == {"02:00:00:00:77:02"}


def test_a_spanning_tree_and_settings_of_a_bridge(state: Path) -> None:
    custom = {"bridge_opts": "priority=4096 multicast_snooping=0 hello_time=300"}
    set_up(state, Change({"tagged": replace(TAGGED, stp=True, custom=custom)}, {"bond7": BOND}))
    found = kernel_state.read().present()["tagged"].options
    assert {name: found[name] for name in ("stp_state", "priority", "multicast_snooping", "hello_time")} == {
        "stp_state": "1",
        "priority": "4096",
        "multicast_snooping": "0",
        "hello_time": "300",
    }


def classes(device: str) -> dict[str, str]:
    """What tc says of each class, by its number."""
    told = run("tc", "-s", "class", "show", "dev", device).split("class hfsc ")[1:]
    return {one.split(maxsplit=1)[0]: " ".join(one.split()[1:]) for one in told}


def sent(device: str, number: str) -> int:
    return int(classes(device)[number].split("Sent ")[1].split()[0])


def test_limits_come_change_and_go_with_their_networks(state: Path) -> None:
    limits = HostQos(Curve(10_000_000), ceiling=Curve(80_000_000), guarantee=Curve(2_000_000, 4_000_000, 20_000))
    red = replace(TAGGED, qos=limits)
    blue = Network("blue", bond="bond7", vlan=101, bridged=False)
    set_up(state, Change({"tagged": red, "blue": blue}, {"bond7": BOND}))
    assert (
        "rt m1 4Mbit d 20ms m2 2Mbit ls m1 0bit d 0us m2 10Mbit ul m1 0bit d 0us m2 80Mbit" in classes("bond7")["71:65"]
    )
    assert "ls m1 0bit d 0us m2 10Mbit" in classes("bond7")["71:1001"]
    assert answers()
    before = sent("bond7", "71:65")
    assert before > 0
    run("ping", "-c", "1", "-s", "1000", "-w", "20", PEER)
    assert sent("bond7", "71:65") >= before + 1000
    plain = replace(limits, ceiling=None, share=Curve(20_000_000))
    set_up(state, Change({"tagged": replace(red, qos=plain), "blue": replace(blue, qos=limits)}))
    assert "ls m1 0bit d 0us m2 20Mbit" in classes("bond7")["71:65"]
    assert "ul" not in classes("bond7")["71:65"]
    assert {"71:65", "71:66"} <= classes("bond7").keys()
    assert answers()
    set_up(state, Change({"tagged": TAGGED, "blue": None}))
    assert not classes("bond7")
    assert "clsact" not in run("tc", "qdisc", "show")
    assert answers()


def test_limits_of_somebody_else_stay_and_refuse_ours(state: Path) -> None:
    run("tc", "qdisc", "add", "dev", "card0", "root", "handle", "5:", "pfifo", "limit", "77")
    try:
        with pytest.raises(NotUp, match="somebody else"):
            set_up(state, Change({"red": Network("red", nic="card0", qos=HostQos(Curve(1_000_000)))}))
        assert "limit 77p" in run("tc", "qdisc", "show", "dev", "card0")
        assert "red" not in kernel_state.read().links
    finally:
        run("tc", "qdisc", "delete", "dev", "card0", "root")
