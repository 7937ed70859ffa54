"""A VLAN on a bond of two cards, in a bridge: what host networks are made of."""

from collections.abc import Iterator

import pytest

from tests.bed.parts.programs import run, until


@pytest.fixture
def bond() -> Iterator[str]:
    """Two cards wired to a bridge in another namespace, which answers at 10.100.0.2 on VLAN 100."""
    run("modprobe", "-a", "bonding", "8021q", "bridge", "veth")
    run("ip", "netns", "add", "peer")
    for number in (0, 1):
        run("ip", "link", "add", f"card{number}", "type", "veth", "peer", "name", f"p{number}", "netns", "peer")
    peer = ("ip", "-n", "peer", "link")
    run(*peer, "add", "bridge0", "type", "bridge", "forward_delay", "0")
    for number in (0, 1):
        run(*peer, "set", f"p{number}", "master", "bridge0", "up")
    run(*peer, "set", "bridge0", "up")
    run(*peer, "add", "link", "bridge0", "name", "vlan100", "type", "vlan", "id", "100")
    run("ip", "-n", "peer", "address", "add", "10.100.0.2/24", "dev", "vlan100")
    run(*peer, "set", "vlan100", "up")
    run("ip", "link", "add", "bond7", "type", "bond", "mode", "active-backup", "miimon", "50")
    for number in (0, 1):
        run("ip", "link", "set", f"card{number}", "down")
        run("ip", "link", "set", f"card{number}", "master", "bond7")
    run("ip", "link", "set", "bond7", "up")
    yield "bond7"
    run("ip", "netns", "delete", "peer")
    run("ip", "link", "delete", "bond7")


def test_a_bridge_on_a_vlan_on_a_bond_survives_the_loss_of_a_card(bond: str) -> None:
    run("ip", "link", "add", "link", bond, "name", f"{bond}.100", "type", "vlan", "id", "100")
    run("ip", "link", "add", "net100", "type", "bridge", "forward_delay", "0")
    run("ip", "link", "set", f"{bond}.100", "master", "net100", "up")
    run("ip", "address", "add", "10.100.0.1/24", "dev", "net100")
    run("ip", "link", "set", "net100", "up")
    ping = ("ping", "-c", "3", "-i", "0.2", "-w", "30", "10.100.0.2")
    run(*ping)
    run("ip", "link", "set", "card0", "down")
    until("the other card carries", lambda: "Currently Active Slave: card1" in state(bond))
    run(*ping)
    run("ip", "link", "delete", "net100")


def state(bond: str) -> str:
    with open(f"/proc/net/bonding/{bond}") as file:
        return file.read()
