"""Recorded from the documentation of the kernel: no card with virtual functions is at hand."""

from pathlib import Path

import pytest

from ovis.node.network.errors import NetworkError, NotUp, Wrong
from ovis.node.network.model import Change, Network
from ovis.node.network.store import Store
from ovis.node.privileged import virtual_functions
from ovis.node.privileged.network_change import Changer, Waiting
from ovis.node.privileged.virtual_functions import VirtualFunctions
from tests.node.network.fake_kernel import FakeKernel, cards

CARD = "0000:05:00.0"


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A card that can offer 7, and does as its driver would; 5 are too many for the machine's buses."""
    root = tmp_path / "sys"
    folder = root / "bus/pci/devices" / CARD
    (folder / "net/eth0").mkdir(parents=True)
    for name, content in {"sriov_totalvfs": "7\n", "sriov_numvfs": "0\n"}.items():
        (folder / name).write_text(content)

    def drive(file: Path, value: int | str) -> None:
        now = int(file.read_text())
        if now and value:
            raise OSError(16, "Device or resource busy")
        if int(value) == 5:
            raise OSError(28, "No space left on device")
        for number in range(max(now, int(value))):
            virtual = folder / f"virtfn{number}"
            place = root / f"devices/0000:05:10.{number}"
            if value:
                (place / f"net/eth0v{number}").mkdir(parents=True, exist_ok=True)
                virtual.symlink_to(place)
            else:
                virtual.unlink()
        file.write_text(f"{value}\n")

    monkeypatch.setattr(virtual_functions, "write", drive)
    return root


def changer(root: Path, sysfs: Path, boot: str = "one") -> Changer:
    (root / "boot_id").write_text(boot)
    return Changer(Store(root, root / "boot_id"), FakeKernel(cards("eth0")), functions=VirtualFunctions(sysfs))


def count(sysfs: Path) -> int:
    return int((sysfs / "bus/pci/devices" / CARD / "sriov_numvfs").read_text())


def test_a_number_is_changed_by_way_of_none_and_repeated_safely(sysfs: Path) -> None:
    functions = VirtualFunctions(sysfs)
    for wanted in (2, 2, 4, 0, 0, 3):
        functions.set(CARD, wanted)
        assert count(sysfs) == wanted


@pytest.mark.parametrize(("card", "wanted"), [(CARD, 8), ("0000:06:00.0", 1)])
def test_what_the_card_cannot_is_refused(sysfs: Path, card: str, wanted: int) -> None:
    with pytest.raises(Wrong):
        VirtualFunctions(sysfs).set(card, wanted)


def test_a_failure_says_how_many_there_are_now(sysfs: Path) -> None:
    VirtualFunctions(sysfs).set(CARD, 2)
    with pytest.raises(NotUp, match=r"has 0 virtual functions now.*no room"):
        VirtualFunctions(sysfs).set(CARD, 5)


def test_functions_in_use_keep_all_where_they_are(sysfs: Path) -> None:
    functions = VirtualFunctions(sysfs)
    functions.set(CARD, 2)
    with pytest.raises(Wrong, match="a network uses eth0v1"):
        functions.set(CARD, 3, used={"eth0v1"})
    driver = sysfs / "bus/pci/drivers/vfio-pci"
    driver.mkdir(parents=True)
    (sysfs / "devices/0000:05:10.0/driver").symlink_to(driver)
    with pytest.raises(Wrong, match="for a VM"):
        functions.set(CARD, 0)
    assert count(sysfs) == 2


def test_the_number_is_saved_with_the_networks_and_made_at_the_next_boot(tmp_path: Path, sysfs: Path) -> None:
    host = changer(tmp_path, sysfs)
    host.set_virtual_functions(CARD, 3)
    host.change(Change({"red": Network("red", nic="eth0")}), Waiting(), save=True)
    (sysfs / "bus/pci/devices" / CARD / "sriov_numvfs").write_text("0\n")
    for link in (sysfs / "bus/pci/devices" / CARD).glob("virtfn*"):
        link.unlink()
    after = changer(tmp_path, sysfs, boot="two")
    after.restore()
    assert count(sysfs) == 3
    assert Store(tmp_path).running().virtual_functions == {CARD: 3}


def test_a_card_that_is_gone_keeps_no_network_away(tmp_path: Path, sysfs: Path) -> None:
    host = changer(tmp_path, sysfs)
    host.set_virtual_functions(CARD, 3)
    host.change(Change({"red": Network("red", nic="eth0")}), Waiting(), save=True)
    (sysfs / "bus/pci/devices" / CARD / "sriov_totalvfs").unlink()
    after = changer(tmp_path, sysfs, boot="two")
    with pytest.raises(NetworkError, match="no network card with virtual functions"):
        after.restore()
    assert "red" in Store(tmp_path).running().networks
