import pytest

from ovis.node.network import bond_options


@pytest.mark.parametrize("number", range(7))
def test_modes_by_number_and_by_word(number: int) -> None:
    by_number = bond_options.parse(f"mode={number}")
    assert by_number == bond_options.parse(f"mode={by_number['mode']}")
    assert bond_options.parse(bond_options.text(by_number)) == by_number


def test_what_the_driver_does_by_itself_is_left_out() -> None:
    assert bond_options.parse("mode=4 miimon=100 lacp_rate=0 xmit_hash_policy=layer2") == {"mode": "802.3ad"}
    assert bond_options.parse("") == {"mode": "balance-rr"}


def test_delays_are_multiples_of_the_monitor() -> None:
    found = bond_options.parse("mode=1 miimon=100 updelay=250 downdelay=40")
    assert found == {"mode": "active-backup", "miimon": "100", "updelay": "200"}


@pytest.mark.parametrize("text", ["mode", "mode=", "mode=17", "nice=1", "miimon=-1", "arp_ip_target=10.0.0"])
def test_what_is_no_option(text: str) -> None:
    with pytest.raises(ValueError, match=text.partition("=")[0]):
        bond_options.parse(text)
