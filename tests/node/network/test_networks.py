"""The agent's side: a client's call confirms, and a helper that is lost leaves a known state."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ovis.client.types import SetupNetworkBondAttributes, SetupNetworkNetAttributes
from ovis.client.verbs import HostSetupNetworksArgs
from ovis.node.network.errors import ChangeRuns, NotConfirmed, NotUp, Wrong
from ovis.node.network.model import Bond, Change, Configuration, Network
from ovis.node.network.networks import Networks
from ovis.node.network.store import Store
from ovis.node.network.verbs import change_of
from ovis.node.privileged.errors import HelperLost
from ovis.node.privileged.network import (
    APPLIED,
    ChangeNetworks,
    ConfirmNetworks,
    NetworkOutcome,
    RestoreNetworks,
)

RED = Change({"red": Network("red", nic="eth0")})


class Helper:
    """Answers as the real one; `lost` after it has, or has not, done what it was asked."""

    def __init__(self, store: Store, *, outcome: NetworkOutcome | None = None, lost: str = "") -> None:
        self.store = store
        self.outcome = outcome or NetworkOutcome()
        self.lost = lost
        self.confirmed = asyncio.Event()
        self.applied = asyncio.Event()
        self.calls: list[str] = []

    async def call(self, request: Any, *, seconds: float | None = None, told: Any = None) -> Any:
        self.calls.append(type(request).__name__)
        match request:
            case ChangeNetworks():
                if self.lost != "early":
                    change = Change(request.networks, request.bonds)
                    self.store.link_running(self.store.write_running(Configuration().changed(change)))
                if self.lost:
                    raise HelperLost("ChangeNetworks")
                told(APPLIED, 2)
                self.applied.set()
                if request.confirm_within is not None:
                    await self.confirmed.wait()
                return self.outcome
            case ConfirmNetworks():
                self.confirmed.set()
                return True
            case RestoreNetworks():
                return NetworkOutcome()


def test_a_client_that_comes_after_the_change_confirms_it(tmp_path: Path) -> None:
    async def main() -> None:
        helper = Helper(Store(tmp_path))
        networks = Networks(lambda: helper, helper.store)
        networks.confirm()
        changing = asyncio.create_task(networks.set_up(RED, confirm_within=60))
        networks.confirm()
        await helper.applied.wait()
        assert "ConfirmNetworks" not in helper.calls
        with pytest.raises(ChangeRuns):
            await networks.set_up(RED)
        networks.confirm()
        networks.confirm()
        await changing
        assert helper.calls == ["ChangeNetworks", "ConfirmNetworks"]

    asyncio.run(main())


@pytest.mark.parametrize(("error", "kind"), [("ERR_LOST_CONNECTION", NotConfirmed), ("ERR_BAD_NIC", Wrong)])
def test_what_the_helper_says_is_raised(tmp_path: Path, error: str, kind: type[Exception]) -> None:
    async def main() -> None:
        helper = Helper(Store(tmp_path), outcome=NetworkOutcome(error, "networks.red.nic", "it is so"))
        with pytest.raises(kind, match=r"networks\.red\.nic: it is so"):
            await Networks(lambda: helper, helper.store).set_up(RED)

    asyncio.run(main())


def test_a_lost_helper_is_followed_by_one_that_restores(tmp_path: Path) -> None:
    async def main() -> None:
        helper = Helper(Store(tmp_path), lost="early")
        with pytest.raises(NotUp, match="died in the middle"):
            await Networks(lambda: helper, helper.store).set_up(RED)
        assert helper.calls == ["ChangeNetworks", "RestoreNetworks"]

    asyncio.run(main())


def test_a_helper_lost_after_the_change_was_done_is_no_failure(tmp_path: Path) -> None:
    async def main() -> None:
        helper = Helper(Store(tmp_path), lost="late")
        await Networks(lambda: helper, helper.store).set_up(RED)

    asyncio.run(main())


def test_what_a_caller_says_becomes_a_change() -> None:
    change = change_of(
        HostSetupNetworksArgs(
            networks={
                "red": SetupNetworkNetAttributes(nic="eth0", vlan="7", mtu=9000),
                "blue": SetupNetworkNetAttributes(remove=True),
            },
            bondings={"bond1": SetupNetworkBondAttributes(nics=["eth2", "eth1"], options="mode=1")},
        )
    )
    assert change.networks == {"red": Network("red", nic="eth0", vlan=7, mtu=9000), "blue": None}
    assert change.bonds == {"bond1": Bond("bond1", ("eth1", "eth2"), {"mode": "active-backup"})}
