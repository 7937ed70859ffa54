from enum import Enum

import pytest

from ovis.node.storage.formats.errors import Broken, Missing
from ovis.node.storage.formats.keys import Keys, is_key


class Colour(Enum):
    RED = "Red"


def test_each_key_is_taken_once_and_the_rest_is_kept_in_order() -> None:
    keys = Keys("test", {"B": "2", "C": "Red", "D": "", "A": "x"})
    assert keys.number("B") == 2
    assert keys.choice("C", Colour) is Colour.RED
    assert keys.number_or("D", 7) == 7
    assert keys.number_or("E", None) is None
    assert keys.rest() == (("A", "x"),)
    with pytest.raises(Missing):
        keys.text("B")


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "1_0", "0x1", "1.0", "\u0661", "9" * 20, "-1"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Broken) as refusal:
        Keys("test", {"A": text}).number("A")
    assert refusal.value.where == "A"


def test_a_number_may_have_bounds() -> None:
    assert Keys("test", {"A": "-1"}).number("A", at_least=-1) == -1
    with pytest.raises(Broken):
        Keys("test", {"A": "11"}).number("A", at_most=10)


def test_the_identifier_of_zeros_is_none() -> None:
    zeros = "00000000-0000-0000-0000-000000000000"
    assert Keys("test", {"A": zeros}).identifier_or_none("A") is None
    assert Keys("test", {"A": zeros}).identifier("A") == zeros


def test_what_is_a_key() -> None:
    assert all(is_key(text) for text in ("A", "PV10", "_SHA_CKSUM", "X" * 64))
    assert not any(is_key(text) for text in ("", "a", "1A", "A B", "A\n", "X" * 65))
