import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from ovis.node.network.errors import NotConfirmed
from ovis.node.network.model import Bond, Change, Configuration, Network
from ovis.node.network.state import State
from ovis.node.network.store import Store
from ovis.node.privileged.network_change import Changer, Waiting
from ovis.node.privileged.other_managers import OtherManagers
from tests.node.network.fake_kernel import FakeKernel, cards

WANTED = Configuration(
    {
        "red": Network("red", nic="eth0"),
        "blue": Network("blue", nic="eth1", vlan=7),
        "san": Network("san", bond="bond1"),
    },
    {"bond1": Bond("bond1", ("eth2", "eth3"))},
)
NAMES = ("blue", "bond1", "eth0", "eth1.7", "eth2", "eth3", "red", "san")
MANAGER, NETWORKD = "NetworkManager/conf.d/90-ovis.conf", "systemd/network/00-ovis.network"


class Host:
    def __init__(self, root: Path, *running: str) -> None:
        self.etc = root / "etc"
        self.etc.mkdir()
        for name in running:
            (root / "run" / name).mkdir(parents=True)
        self.told: list[Sequence[str]] = []
        self.is_theirs = True
        self.managers = OtherManagers(self.etc, root / "run", self.told.append, lambda: self.is_theirs)

    def follow(self, wanted: Configuration = WANTED) -> None:
        self.managers.follow(wanted, State())

    def text(self, name: str) -> str:
        return (self.etc / name).read_text() if (self.etc / name).exists() else ""


def test_managers_that_run_are_told_once_for_each_change(tmp_path: Path) -> None:
    host = Host(tmp_path, "NetworkManager", "systemd/netif/state")
    host.follow()
    host.follow()
    assert host.told == [("nmcli", "general", "reload", "conf"), ("networkctl", "reload")]
    listed = ";".join(f"interface-name:={name}" for name in NAMES)
    assert host.text(MANAGER).endswith(f"[keyfile]\nunmanaged-devices+={listed}\n")
    assert host.text(NETWORKD).endswith(f"[Match]\nName={' '.join(NAMES)}\n\n[Link]\nUnmanaged=yes\n")


def test_a_card_of_tagged_networks_stays_with_its_manager(tmp_path: Path) -> None:
    host = Host(tmp_path, "NetworkManager")
    host.follow()
    assert "=eth1;" not in host.text(MANAGER)
    assert "=eth1.7;" in host.text(MANAGER)


def test_the_files_go_with_the_last_network(tmp_path: Path) -> None:
    host = Host(tmp_path, "NetworkManager", "systemd/netif/state")
    host.follow()
    host.follow(Configuration())
    assert not [file for file in host.etc.rglob("*") if file.is_file()]
    assert len(host.told) == 4


def test_where_nobody_else_runs_nothing_is_written(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.follow()
    assert not list(host.etc.iterdir())


def test_devices_of_another_network_namespace_are_nobodys_business(tmp_path: Path) -> None:
    host = Host(tmp_path, "NetworkManager")
    host.is_theirs = False
    host.follow()
    assert not list(host.etc.iterdir())


def test_what_ifupdown_would_configure_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = Host(tmp_path)
    (host.etc / "network/interfaces.d").mkdir(parents=True)
    (host.etc / "network/interfaces").write_text("auto lo eth1\niface lo inet loopback\n# iface eth2 inet dhcp\n")
    (host.etc / "network/interfaces.d/eth0").write_text("allow-hotplug eth0\niface eth0 inet dhcp\n")
    with caplog.at_level(logging.WARNING):
        host.follow()
    assert "eth0 are in networks" in caplog.text


def test_hands_are_off_before_the_first_step_and_on_again_when_the_change_is_taken_back(tmp_path: Path) -> None:
    host = Host(tmp_path, "NetworkManager")
    kernel = FakeKernel(cards("eth0"))
    seen: list[str] = []
    kernel.interrupt = lambda step: seen.append(host.text(MANAGER))
    (tmp_path / "boot").write_text("one")
    changer = Changer(Store(tmp_path, tmp_path / "boot"), kernel, [host.managers])
    with pytest.raises(NotConfirmed):
        changer.change(Change({"red": Network("red", nic="eth0")}), Waiting(), confirm_within=0)
    assert "eth0" in seen[0]
    assert host.text(MANAGER) == ""
