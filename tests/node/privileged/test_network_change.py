"""A change of networks is kept whole or taken back whole, whoever dies and whenever."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ovis.node.network.errors import NetworkError, NotConfirmed, NotUp, Wrong
from ovis.node.network.layout import layout
from ovis.node.network.model import Bond, Change, Configuration, Ipv4, Network
from ovis.node.network.plan import plan
from ovis.node.network.state import Address, Kind, Link, Route, State
from ovis.node.network.steps import Step
from ovis.node.network.store import Journal, Store
from ovis.node.privileged.network_change import Abandoned, Changer, Waiting
from tests.node.network.fake_kernel import FakeKernel, card, cards

HOST = cards("eth0", "eth1", "eth2").with_links(
    card(
        "eth0",
        1,
        addresses=frozenset({Address("198.51.100.7", 24)}),
        routes=frozenset({Route("0.0.0.0/0", "198.51.100.1", protocol=3)}),
    )
)
RED = Network("red", nic="eth0", ipv4=Ipv4("198.51.100.7", 24, "198.51.100.1"), default_route=True)
STORAGE = Network("storage", bond="bond1", vlan=7, bridged=False, mtu=9000, ipv4=Ipv4("10.0.0.7", 24))
WISH = Change({"red": RED, "storage": STORAGE}, {"bond1": Bond("bond1", ("eth1", "eth2"), {"mode": "active-backup"})})


class Killed(BaseException):
    """As kill -9: nothing that this process wanted to do afterwards is done."""


class MortalStore(Store):
    """Dies before or after the n-th time that something is written."""

    def __init__(self, root: Path, boot: Path, death: int) -> None:
        super().__init__(root, boot)
        self._left = death
        self.is_dead = False

    def _mortal(self, do: Callable[[], Any]) -> Any:
        if self.is_dead:
            raise Killed
        self._left -= 1
        if self._left == 0:
            self.is_dead = True
            raise Killed
        done = do()
        self._left -= 1
        if self._left == 0:
            self.is_dead = True
            raise Killed
        return done

    def begin(self, journal: Journal) -> None:
        self._mortal(lambda: super(MortalStore, self).begin(journal))

    def end(self) -> None:
        self._mortal(lambda: super(MortalStore, self).end())

    def link_running(self, folder: str) -> None:
        self._mortal(lambda: super(MortalStore, self).link_running(folder))

    def keep_originals(self, originals: Any) -> None:
        self._mortal(lambda: super(MortalStore, self).keep_originals(originals))

    def write_running(self, configuration: Configuration) -> str:
        folder: str = self._mortal(lambda: super(MortalStore, self).write_running(configuration))
        return folder

    def mark_boot(self) -> None:
        self._mortal(lambda: super(MortalStore, self).mark_boot())

    def save(self, configuration: Configuration) -> None:
        self._mortal(lambda: super(MortalStore, self).save(configuration))


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    file = tmp_path / "boot_id"
    file.write_text("first\n")
    return file


@pytest.fixture
def store(tmp_path: Path, boot: Path) -> Store:
    return Store(tmp_path / "state", boot)


def agrees(store: Store, kernel: FakeKernel) -> bool:
    """Whether the host has what the running configuration says."""
    running = store.running()
    return plan(kernel.read(), layout(running, running, kernel.read())) == []


def test_a_change_is_made_and_kept(store: Store) -> None:
    kernel = FakeKernel(HOST)
    Changer(store, kernel).change(WISH, Waiting())
    assert store.running() == Configuration().changed(WISH)
    assert agrees(store, kernel)
    assert store.journal() is None
    assert store.saved() == Configuration()


def test_a_change_that_succeeds_can_be_saved(store: Store) -> None:
    Changer(store, FakeKernel(HOST)).change(WISH, Waiting(), save=True)
    assert store.saved() == store.running() == Configuration().changed(WISH)


def test_without_a_client_everything_is_as_before(store: Store) -> None:
    kernel = FakeKernel(HOST)
    with pytest.raises(NotConfirmed):
        Changer(store, kernel).change(WISH, Waiting(), confirm_within=0)
    assert kernel.read().present() == HOST.present()
    assert store.running() == Configuration()


def test_a_client_keeps_it(store: Store) -> None:
    waiting = Waiting()
    waiting.applied = waiting.confirmed.set
    Changer(store, FakeKernel(HOST)).change(WISH, waiting, confirm_within=60)
    assert store.running() == Configuration().changed(WISH)


def test_an_agent_that_goes_while_a_client_is_waited_for_takes_it_back(store: Store) -> None:
    kernel, waiting = FakeKernel(HOST), Waiting()
    waiting.applied = waiting.abandoned.set
    with pytest.raises(Abandoned):
        Changer(store, kernel).change(WISH, waiting, confirm_within=60)
    assert kernel.read().present() == HOST.present()


@pytest.mark.parametrize("index", range(0, 40, 3))
def test_a_step_that_the_kernel_refuses_leaves_nothing(store: Store, index: int) -> None:
    kernel = FakeKernel(HOST)
    refused: list[Step] = []

    def refuse(step: Step) -> None:
        if len(kernel.done) == index and not refused:
            refused.append(step)
            raise OSError(22, "no", "it")

    kernel.interrupt = refuse
    failed = ""
    try:
        Changer(store, kernel).change(WISH, Waiting())
    except NotUp as error:
        failed = str(error)
    if refused:
        assert str(refused[0]) in failed
        assert kernel.read().present() == HOST.present()


@pytest.mark.parametrize("index", range(1, 40, 3))
def test_the_next_helper_takes_back_what_a_dead_one_began(store: Store, index: int) -> None:
    kernel = FakeKernel(HOST)

    def die(step: Step) -> None:
        if len(kernel.done) >= index:
            raise Killed

    kernel.interrupt = die
    try:
        Changer(store, kernel).change(WISH, Waiting())
    except Killed:
        kernel.interrupt = lambda step: None
        assert Changer(store, kernel).restore()
        assert kernel.read().present() == HOST.present()
    assert agrees(store, kernel)


@pytest.mark.parametrize("death", range(1, 25))
def test_whenever_the_helper_dies_host_and_files_agree_afterwards(tmp_path: Path, boot: Path, death: int) -> None:
    kernel = FakeKernel(HOST)
    mortal = MortalStore(tmp_path / "state", boot, death)

    def die(step: Step) -> None:
        if mortal.is_dead:
            raise Killed

    kernel.interrupt = die
    died = False
    try:
        Changer(mortal, kernel).change(WISH, Waiting(), save=True)
    except Killed:
        died = True
    kernel.interrupt = lambda step: None
    store = Store(tmp_path / "state", boot)
    Changer(store, kernel).restore()
    assert agrees(store, kernel)
    assert store.running() == store.saved()
    assert store.running() in (Configuration(), Configuration().changed(WISH))
    assert died or store.running() == Configuration().changed(WISH)


def test_after_a_boot_the_saved_networks_come(store: Store, boot: Path) -> None:
    changer = Changer(store, FakeKernel(HOST))
    changer.change(Change({"red": RED}), Waiting(), save=True)
    changer.change(Change({"blue": Network("blue", nic="eth1")}), Waiting())
    boot.write_text("second\n")
    kernel = FakeKernel(HOST)
    Changer(store, kernel).restore()
    assert set(store.running().networks) == {"red"}
    assert agrees(store, kernel)
    assert "blue" not in kernel.links


def test_a_boot_in_the_middle_of_a_change_forgets_it(store: Store, boot: Path) -> None:
    kernel = FakeKernel(HOST)
    kernel.interrupt = lambda step: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        Changer(store, kernel).change(WISH, Waiting())
    boot.write_text("second\n")
    fresh = FakeKernel(HOST)
    Changer(store, fresh).restore()
    assert fresh.read().present() == HOST.present()
    assert store.journal() is None


def test_a_missing_card_keeps_only_its_own_networks_away(store: Store, boot: Path) -> None:
    Changer(store, FakeKernel(HOST)).change(WISH, Waiting(), save=True)
    boot.write_text("second\n")
    kernel = FakeKernel(cards("eth1", "eth2"))
    Changer(store, kernel).restore()
    assert "red" not in kernel.links
    assert kernel.links["bond1.7"].addresses == {Address("10.0.0.7", 24)}
    assert set(store.running().networks) == {"red", "storage"}


def test_dhcp_clients_that_died_are_started_again(store: Store) -> None:
    kernel = FakeKernel(HOST)
    asks = Network("red", nic="eth1", ipv4=Ipv4(dhcp=True))
    changer = Changer(store, kernel)
    changer.change(Change({"red": asks}), Waiting())
    (client,) = kernel.links["red"].dhcp
    kernel.links["red"] = Link(**{**vars(kernel.links["red"]), "dhcp": frozenset()})
    changer.restore()
    assert kernel.links["red"].dhcp == {client}


def test_a_bridge_with_guests_is_not_taken_away(store: Store) -> None:
    kernel = FakeKernel(HOST)
    changer = Changer(store, kernel)
    changer.change(Change({"red": RED}), Waiting())
    kernel.links["vnet3"] = Link("vnet3", Kind.OTHER, 1500, master="red")
    with pytest.raises(Wrong, match="vnet3"):
        changer.change(Change({"red": None}), Waiting())


def test_followers_see_both_ways(store: Store) -> None:
    seen: list[set[str]] = []

    class Watcher:
        name = "watcher"
        comes_first = False

        def follow(self, wanted: Configuration, now: State) -> None:
            seen.append(set(wanted.networks))
            if wanted.networks:
                raise OSError(5, "cannot")

    with pytest.raises(NotUp, match="watcher"):
        Changer(store, FakeKernel(HOST), [Watcher()]).change(Change({"red": RED}), Waiting())
    assert seen == [{"red"}, set()]


def test_two_changes_at_once_are_refused(store: Store) -> None:
    kernel = FakeKernel(HOST)
    applied, waiting = threading.Event(), Waiting()
    waiting.applied = applied.set
    first = threading.Thread(target=Changer(store, kernel).change, args=(WISH, waiting), kwargs={"confirm_within": 60})
    first.start()
    assert applied.wait(30)
    with pytest.raises(NetworkError, match="another change"):
        Changer(store, kernel).change(Change({"red": None}), Waiting())
    waiting.confirmed.set()
    first.join(30)
    assert store.running() == Configuration().changed(WISH)
