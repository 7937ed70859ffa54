"""The answers of lldpd in `lldp` were recorded between two namespaces; VLANs, aggregation, CDP added by hand."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ovis.node.host.neighbour_verbs import heard
from ovis.node.host.neighbours import NotLldp, neighbours
from ovis.node.privileged.lldp import ReadLldp
from ovis.node.privileged.protocol import CommandResult

FOLDER = Path(__file__).parent / "lldp"
INTERFACES, NEIGHBORS = ((FOLDER / f"{name}.json").read_bytes() for name in ("interfaces", "neighbors"))


def test_announcements_are_told_by_the_numbers_of_the_standard() -> None:
    items = neighbours(INTERFACES, NEIGHBORS)["eth0"].tlvs
    assert [(item.type, item.oui, item.subtype) for item in items] == [
        *((number, None, None) for number in (1, 2, 3, 4, 5, 6, 7, 8, 8)),
        *((127, 0x0080C2, number) for number in (1, 3, 3)),
        *((127, 0x00120F, number) for number in (3, 4)),
    ]
    told = {item.name: item.properties for item in items}
    assert told["Port ID"] == {"port ID": "ge-0/0/7", "port subtype": "ifname"}
    assert told["System Capabilities"] == {"system capabilities": "Bridge, Router", "enabled capabilities": "Bridge"}
    assert told["Port VLAN Id"] == {"port vlan id": "7"}
    assert told["MTU"] == {"mtu": "9216"}


def test_only_cards_that_listen_are_enabled() -> None:
    found = neighbours(INTERFACES, NEIGHBORS, ["eth9"])
    assert {name: one.enabled for name, one in found.items()} == {"eth0": True, "eth2": True, "eth9": False}
    assert found["eth2"].tlvs == []


@pytest.mark.parametrize("said", [b"", b"[]", b"unable to connect", b"\xff"])
def test_what_is_no_answer_is_refused(said: bytes) -> None:
    with pytest.raises(NotLldp):
        neighbours(said, NEIGHBORS)


@pytest.mark.parametrize("said", [b"{}", b'{"lldp": 7}', b'{"lldp": [{"interface": [7, {"chassis": "x"}]}]}'])
def test_an_answer_without_neighbours_is_none(said: bytes) -> None:
    assert all(not one.tlvs for one in neighbours(INTERFACES, said).values())


class Lldpd:
    def __init__(self, problem: Exception | CommandResult | None = None) -> None:
        self.problem = problem

    async def call(self, request: Any, **_: Any) -> Any:
        if isinstance(self.problem, Exception):
            raise self.problem
        assert isinstance(request, ReadLldp)
        return self.problem or CommandResult(0, INTERFACES if request.what == "interfaces" else NEIGHBORS)


def test_the_filter_names_the_cards() -> None:
    found = asyncio.run(heard(Lldpd(), ["eth0", "eth1"], ["eth0", "eth1"]))
    assert {name: one.enabled for name, one in found.items()} == {"eth0": True, "eth1": False}


@pytest.mark.parametrize("problem", [FileNotFoundError(2, "no lldpcli"), CommandResult(1, b"", b"no socket")])
def test_without_lldpd_every_card_is_told_as_not_enabled(problem: Exception | CommandResult) -> None:
    found = asyncio.run(heard(Lldpd(problem), [], ["eth0"]))
    assert {name: (one.enabled, one.tlvs) for name, one in found.items()} == {"eth0": (False, [])}
