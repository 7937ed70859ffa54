from ovis.node.network.model import Configuration, Curve, HostQos, Network
from ovis.node.network.shaping import DEFAULT, Shape, shapes
from ovis.node.network.state import Kind, Link, State

ONE, TWO = HostQos(Curve(1_000_000)), HostQos(Curve(2_000_000), ceiling=Curve(9_000_000))
NOW = State({name: Link(name, Kind.VLAN, 1500, base="eth0", tag=tag) for name, tag in (("eth0.7", 7), ("v9", 9))})


def of(*networks: Network) -> dict[str, Shape]:
    return shapes(Configuration({network.name: network for network in networks}), NOW)


def test_tagged_networks_get_classes_and_the_rest_the_largest_share() -> None:
    found = of(
        Network("red", nic="eth0", vlan=7, qos=ONE),
        Network("blue", nic="eth0", vlan=9, qos=TWO),
        Network("plain", nic="eth0"),
    )
    assert found == {
        "eth0": Shape({8: ONE, 10: TWO, DEFAULT: HostQos(Curve(2_000_000))}, {"eth0.7": 8, "v9": 10}),
    }


def test_the_untagged_network_is_the_default() -> None:
    assert of(Network("red", nic="eth0", qos=ONE)) == {"eth0": Shape({DEFAULT: ONE})}


def test_without_limits_nothing_is_shaped() -> None:
    assert of(Network("red", nic="eth0"), Network("within", qos=ONE)) == {}
