"""Any configuration becomes any other; from wherever that stops, what was comes back."""

import random
from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from ovis.node.network.checks import check
from ovis.node.network.errors import Wrong
from ovis.node.network.layout import Original, layout
from ovis.node.network.model import Bond, Change, Configuration, Ipv4, Ipv6, Network
from ovis.node.network.plan import plan
from ovis.node.network.state import Address, Ipv6Mode, Kind, Link, Route, State
from ovis.node.network.steps import AddRoute, Make, SetMaster, SetUp, StartDhcp, StopDhcp
from tests.node.network.fake_kernel import FakeKernel, card, cards

NICS = ("eth0", "eth1", "eth2", "eth3")
HOST = cards(*NICS).with_links(
    card(
        "eth0",
        1,
        addresses=frozenset(
            {Address("198.51.100.7", 24), Address("198.51.100.8", 24, 600), Address("2001:db8::7", 64)}
        ),
        routes=frozenset({Route("0.0.0.0/0", "198.51.100.1", protocol=3)}),
    ),
    Link(
        "eth3.9",
        Kind.VLAN,
        1500,
        base="eth3",
        tag=9,
        addresses=frozenset({Address("203.0.113.9", 24)}),
        routes=frozenset({Route("0.0.0.0/0", "203.0.113.1", table=9)}),
    ),
    Link("lo", Kind.OTHER, 65536),
)


def made(kernel: FakeKernel, target: State, limit: int | None = None) -> int:
    """Make it so, as the helper does; stop after `limit` steps. How many there were."""
    count = 0
    for _ in range(5):
        steps = plan(kernel.read(), target)
        for step in steps:
            if limit is not None and count == limit:
                return count
            kernel.do(step)
            count += 1
        if not steps:
            return count
    raise AssertionError(f"never done: {plan(kernel.read(), target)}")


def some_network(index: int, chance: random.Random) -> Network:
    subnet = IPv4Network(f"10.{index}.0.0/24")
    static = Ipv4(str(subnet[5]), 24, str(subnet[1]))
    return Network(
        name=f"net{index}",
        nic=chance.choice(["", *NICS]),
        bond=chance.choice(["", "", "bond1", "bond2"]),
        vlan=chance.choice([None, index, 7]),
        bridged=chance.random() < 0.5,
        mtu=chance.choice([1400, 1500, 9000]),
        stp=chance.random() < 0.5,
        ipv4=chance.choice([Ipv4(), static, replace(static, gateway=""), Ipv4(dhcp=True)]),
        ipv6=chance.choice([Ipv6(), Ipv6(autoconf=True), Ipv6(f"fd00:{index}::5", 64, f"fd00:{index}::1")]),
        default_route=index == 1 and chance.random() < 0.5,
    )


def some_bond(name: str, ports: tuple[str, ...], chance: random.Random) -> Bond:
    options = chance.choice([{"mode": "active-backup", "miimon": "100"}, {"mode": "802.3ad"}, {"mode": "balance-rr"}])
    return Bond(name, tuple(sorted(chance.sample(ports, chance.randint(1, len(ports))))), options)


def some_configuration(chance: random.Random) -> Configuration:
    """A valid one: what does not go with the rest is left out."""
    wanted = Configuration()
    changes = [
        *(Change(bonds={name: some_bond(name, NICS[n:], chance)}) for n, name in ((1, "bond1"), (2, "bond2"))),
        *(Change(networks={f"net{index}": some_network(index, chance)}) for index in (1, 2, 3)),
    ]
    chance.shuffle(changes)
    for change in changes:
        try:
            check(wanted, change, HOST)
        except Wrong:
            continue
        wanted = wanted.changed(change)
    return wanted


@pytest.mark.parametrize("seed", range(0, 400, 50))
def test_a_change_is_made_and_from_any_step_taken_back(seed: int) -> None:
    for number in range(seed, seed + 50):
        chance = random.Random(number)
        first, second = some_configuration(chance), some_configuration(chance)
        kernel = FakeKernel(HOST)
        made(kernel, layout(first, Configuration(), kernel.read()))
        target = layout(second, first, kernel.read())
        earlier = kernel.read()
        made(kernel, target, limit=chance.randint(0, 60))
        made(kernel, earlier.only(set(target.links)))
        assert by_name(kernel.read()) == by_name(earlier), number
        made(kernel, target)
        assert kernel.links["eth3.9"] == HOST.link("eth3.9"), number


def by_name(state: State) -> State:
    return replace(state, links=dict(sorted(state.links.items())))


def test_cards_keep_their_addresses_below_tagged_networks() -> None:
    kernel = FakeKernel(HOST)
    tagged = Configuration({"red": Network("red", nic="eth0", vlan=5)})
    made(kernel, layout(tagged, Configuration(), kernel.read()))
    assert kernel.links["eth0"] == HOST.link("eth0")
    assert (kernel.links["eth0.5"].master, kernel.links["red"].kind) == ("red", Kind.BRIDGE)


def test_an_untagged_network_takes_over_the_card() -> None:
    kernel = FakeKernel(HOST)
    wanted = Configuration({"red": Network("red", nic="eth0", ipv4=Ipv4("192.0.2.5", 24, "192.0.2.1"))})
    made(kernel, layout(wanted, Configuration(), kernel.read()))
    assert not kernel.links["eth0"].addresses
    assert kernel.links["eth0"].ipv6 == Ipv6Mode()
    assert kernel.links["red"].addresses == {Address("192.0.2.5", 24)}
    assert kernel.links["red"].mac == kernel.links["eth0"].mac
    assert [rule.source for rule in kernel.rules] == ["192.0.2.0/24"]


def test_a_released_card_is_as_it_was_found() -> None:
    kernel = FakeKernel(cards("eth0").with_links(card("eth0", mtu=1400, is_up=False)))
    original = {"eth0": Original(1400, False, None)}
    wanted = Configuration({"red": Network("red", nic="eth0", mtu=9000)})
    made(kernel, layout(wanted, Configuration(), kernel.read()))
    assert kernel.links["eth0"].mtu == 9000
    made(kernel, layout(Configuration(), wanted, kernel.read(), original))
    assert (kernel.links["eth0"].mtu, kernel.links["eth0"].is_up, "red" in kernel.links) == (1400, False, False)


def test_a_bond_comes_before_its_ports_and_they_are_down() -> None:
    bond = Configuration({}, {"bond1": Bond("bond1", ("eth1", "eth2"))})
    steps = plan(HOST, layout(bond, Configuration(), HOST))
    down, port = steps.index(SetUp("eth1", False)), steps.index(SetMaster("eth1", "bond1"))
    assert steps.index(next(step for step in steps if isinstance(step, Make))) < down < port


def test_dhcp_stops_first_and_starts_last() -> None:
    kernel = FakeKernel(HOST)
    asks = Configuration({"red": Network("red", nic="eth1", ipv4=Ipv4(dhcp=True))})
    target = layout(asks, Configuration(), kernel.read())
    assert isinstance(plan(kernel.read(), target)[-1], StartDhcp)
    made(kernel, target)
    away = plan(kernel.read(), layout(Configuration(), asks, kernel.read()))
    assert isinstance(away[0], StopDhcp)


def test_a_leased_address_stays_while_dhcp_is_wanted() -> None:
    kernel = FakeKernel(HOST)
    asks = Configuration({"red": Network("red", nic="eth1", ipv4=Ipv4(dhcp=True))})
    target = layout(asks, Configuration(), kernel.read())
    made(kernel, target)
    leased = Address("192.0.2.77", 24, 3600)
    kernel.links["red"] = replace(kernel.links["red"], addresses=frozenset({leased}))
    assert plan(kernel.read(), target) == []
    static = Configuration({"red": Network("red", nic="eth1")})
    made(kernel, layout(static, asks, kernel.read()))
    assert not kernel.links["red"].addresses


def test_the_default_route_goes_by_the_network_that_wants_it() -> None:
    network = Network("red", nic="eth1", ipv4=Ipv4("192.0.2.5", 24, "192.0.2.1"), default_route=True)
    steps = plan(HOST, layout(Configuration({"red": network}), Configuration(), HOST))
    routes = [step.route for step in steps if isinstance(step, AddRoute)]
    assert [route.gateway for route in routes if route.table == 254] == ["192.0.2.1"]
    assert len({route.table for route in routes}) == 2


@pytest.mark.parametrize("name", ["eth0", "enp65s0f1np1xy"])
def test_devices_of_vlans_fit_into_a_name(name: str) -> None:
    state = cards(name)
    target = layout(Configuration({"red": Network("red", nic=name, vlan=4094)}), Configuration(), state)
    assert all(len(device) <= 15 for device in target.links)
