import json
from pathlib import Path

import pytest

from ovis.node.host.network import Network as Network_
from ovis.node.network.model import Bond, Configuration, Network
from ovis.node.network.store import Store, StoreBusy
from ovis.node.network_files import NetworkFiles

NOTHING = Network_(nics={}, bonds={}, vlans={}, bridges={})
RED = Configuration({"red": Network("red", bond="bond1")}, {"bond1": Bond("bond1", ("eth0",), {"mode": "802.3ad"})})


def test_files_are_where_and_as_existing_tools_read_them(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(RED)
    folder = tmp_path / "persistence/netconf"
    assert folder.is_symlink()
    assert json.loads((folder / "nets/red").read_text())["bonding"] == "bond1"
    assert json.loads((folder / "bonds/bond1").read_text())["nics"] == ["eth0"]
    assert store.saved() == RED


def test_only_what_is_linked_counts_and_only_that_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(3):
        store.link_running(store.write_running(RED))
    store.write_running(Configuration())
    assert store.running() == RED
    store.link_running(store.write_running(RED))
    assert len(list((tmp_path / "staging").glob("netconf.*"))) == 1


def test_a_folder_of_an_old_host_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "persistence/netconf/nets").mkdir(parents=True)
    (tmp_path / "persistence/netconf/nets/old").write_text('{"nic": "eth0", "vlan": 7}')
    store = Store(tmp_path)
    assert store.saved().networks["old"].vlan == 7
    store.save(RED)
    assert store.saved() == RED


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path).locked(), pytest.raises(StoreBusy), Store(tmp_path).locked():
        pass


def test_the_agent_tells_whether_something_is_unsaved(tmp_path: Path) -> None:
    store, files = Store(tmp_path), NetworkFiles(tmp_path)
    assert not files.exist
    assert not files.is_dirty()
    store.link_running(store.write_running(RED))
    assert files.is_dirty()
    store.save(RED)
    assert not files.is_dirty()


def test_the_agent_sees_when_there_is_something_to_restore(tmp_path: Path) -> None:
    store, files = Store(tmp_path), NetworkFiles(tmp_path)
    assert not files.need_restoring()
    store.link_running(store.write_running(RED))
    assert files.need_restoring()
    store.mark_boot()
    assert not files.need_restoring()
    (store.own / "journal.json").write_text("{}")
    assert files.need_restoring()


def test_a_file_that_nobody_can_read_is_told_as_unsaved(tmp_path: Path) -> None:
    store, files = Store(tmp_path), NetworkFiles(tmp_path)
    store.link_running(store.write_running(RED))
    (tmp_path / "staging/netconf/nets/red").write_text("{")
    assert files.is_dirty()
    assert files.describe(NOTHING) == {}


def test_a_dhcp_client_that_died_is_noticed(tmp_path: Path) -> None:
    store, files = Store(tmp_path), NetworkFiles(tmp_path)
    folder = store.own / "dhcp"
    folder.mkdir(parents=True)
    assert not files.lost_client()
    (folder / "red.4.json").write_text("{}")
    (folder / "red.4.lease.json").write_text("{}")
    assert files.lost_client()
    (folder / "red.4.pid").write_text("1\n")
    assert files.lost_client()
