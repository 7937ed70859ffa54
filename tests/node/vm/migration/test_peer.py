import pytest

from ovis.node.errors import BadParameter
from ovis.node.vm.migration.peer import in_uri, split


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("host", ("host", None)),
        ("host.example.org:1234", ("host.example.org", 1234)),
        ("10.0.0.1:54321", ("10.0.0.1", 54321)),
        ("[fe80::1]:99", ("fe80::1", 99)),
        ("[::1]", ("::1", None)),
        ("2001:db8::7", ("2001:db8::7", None)),
    ],
)
def test_addresses(address: str, parts: tuple[str, int | None]) -> None:
    assert split(address) == parts


@pytest.mark.parametrize("address", ["host:", "host:0", "host:70000", "ho st", "[::1", "", "host/path", "a:b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadParameter):
        split(address)


def test_an_ipv6_address_stands_in_brackets_in_a_uri() -> None:
    assert (in_uri("::1"), in_uri("host")) == ("[::1]", "host")
