import asyncio
from pathlib import Path

import pytest
from fake_host import FakeHost

from ovis.node.privileged.iscsi import Credentials, SetInterface
from ovis.node.privileged.protocol import CommandResult, Secret
from ovis.node.storage.connections import iscsi
from ovis.node.storage.connections.errors import DiscoveryFailed, InUse, LoginFailed, LoginRefused
from ovis.node.storage.connections.fibre_channel import FibreChannel
from ovis.node.storage.connections.iscsi import IscsiTarget

IQN = "iqn.2024-01.test:t1"
FIRST, SECOND = IscsiTarget(IQN, "10.0.0.1"), IscsiTarget(IQN, "10.0.0.2")


def names(host: FakeHost) -> list[str]:
    return [type(call).__name__ for call in host.calls]


def test_two_portals_are_two_sessions(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    for target in (FIRST, SECOND):
        assert not target.is_connected(host.tools())
        asyncio.run(target.connect(host.tools()))
        assert target.is_connected(host.tools())
    asyncio.run(FIRST.disconnect(host.tools()))
    assert (FIRST.is_connected(host.tools()), SECOND.is_connected(host.tools())) == (False, True)
    asyncio.run(FIRST.disconnect(host.tools()))


def test_a_session_of_before_is_asked_for_new_units(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.add_session(1, IQN, "10.0.0.1")
    asyncio.run(FIRST.connect(host.tools()))
    assert names(host) == ["LogIn", "RescanSessions"]


def test_refusals_and_failures_are_told_apart(tmp_path: Path) -> None:
    for status, error in ((24, LoginRefused), (8, LoginFailed)):
        host = FakeHost(tmp_path, failing={IQN: CommandResult(status, b"", b"iscsiadm: no")})
        with pytest.raises(error):
            asyncio.run(FIRST.connect(host.tools()))


def test_an_interface_is_bound_first(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    target = IscsiTarget(IQN, "10.0.0.1", interface="storage", network_device="eth1")
    asyncio.run(target.connect(host.tools()))
    assert host.calls[0] == SetInterface(name="storage", network_device="eth1")
    assert target.is_connected(host.tools())
    assert not FIRST.is_connected(host.tools())


def test_the_last_path_of_a_used_disk_stays(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.add_session(1, IQN, "10.0.0.1", disk="sda")
    host.add_session(2, IQN, "10.0.0.2", disk="sdb")
    host.stack("dm-0", "sda", "sdb", uuid="mpath-3600")
    host.stack("dm-1", "dm-0", uuid="LVM-abc")
    asyncio.run(FIRST.disconnect(host.tools()))  # the other path is left
    (host.sysfs / "block/dm-0/slaves/sda").rmdir()
    with pytest.raises(InUse, match="name-of-dm-1"):
        asyncio.run(SECOND.disconnect(host.tools()))
    assert SECOND.is_connected(host.tools())


def test_an_idle_map_does_not_hold_a_session(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.add_session(1, IQN, "10.0.0.1", disk="sda")
    host.stack("dm-0", "sda", uuid="mpath-3600")
    asyncio.run(FIRST.disconnect(host.tools()))
    assert not FIRST.is_connected(host.tools())


def test_a_used_disk_without_multipath_holds_its_session(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.add_session(1, IQN, "10.0.0.1", disk="sda")
    host.stack("dm-1", "sda", uuid="LVM-abc")
    with pytest.raises(InUse):
        asyncio.run(FIRST.disconnect(host.tools()))


def test_secrets_stay_out_of_sight() -> None:
    target = IscsiTarget(IQN, "10.0.0.1", credentials=Credentials("me", Secret("very secret")))
    assert "very secret" not in f"{target} {target.kept()} {target.name}"
    assert target.kept().recorded


class Portals(FakeHost):
    answer = CommandResult(0, b"10.0.0.1:3260,1 iqn.a:b\n[fe80::1]:3260,1 iqn.a:b\n")

    def _DiscoverTargets(self, request: object) -> CommandResult:
        return self.answer


def discovered(host: FakeHost, *, with_ipv6: bool = False) -> list[str]:
    return asyncio.run(iscsi.discover(host.tools(), "10.0.0.1", 3260, None, with_ipv6=with_ipv6))


def test_discovery_lists_targets(tmp_path: Path) -> None:
    assert discovered(Portals(tmp_path)) == ["10.0.0.1:3260,1 iqn.a:b"]
    assert len(discovered(Portals(tmp_path), with_ipv6=True)) == 2


@pytest.mark.parametrize(("status", "error"), [(24, LoginRefused), (4, DiscoveryFailed)])
def test_discovery_that_fails_is_told(tmp_path: Path, status: int, error: type[Exception]) -> None:
    host = Portals(tmp_path)
    host.answer = CommandResult(status, b"", b"iscsiadm: connection refused")
    with pytest.raises(error):
        discovered(host)


def test_fibre_channel_is_rescanned(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    asyncio.run(FibreChannel().connect(host.tools()))
    assert host.calls == []
    for number in (7, 12):
        (host.sysfs / f"class/fc_host/host{number}").mkdir(parents=True)
    asyncio.run(FibreChannel().connect(host.tools()))
    assert host.calls[0].hosts == [7, 12]
