"""Connections to an iSCSI target: discovery, CHAP, two portals, what is in use."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovis.client.types import ConnectionRefParameters, StorageDomainTypeId
from ovis.node.privileged.iscsi import Credentials, SetInterface
from ovis.node.privileged.protocol import Secret
from ovis.node.storage.connections import iscsi as connecting
from ovis.node.storage.connections import iscsi_sessions
from ovis.node.storage.connections.errors import DiscoveryFailed, InUse, LoginFailed, LoginRefused
from ovis.node.storage.connections.iscsi_sessions import Session
from tests.bed.parts import iscsi
from tests.bed.parts.connections import Scene, connections
from tests.bed.parts.iscsi import PORTALS, Target
from tests.bed.parts.programs import run, until
from tests.bed.parts.volume_group import volume_group

pytestmark = pytest.mark.bed(services=["tgt", "iscsi", "multipath"])
ISCSI = StorageDomainTypeId.ISCSI
USER, PASSWORD = "bed-user", "twelve chars"
SECRET_FILES = ("/etc/iscsi/nodes", "/etc/iscsi/send_targets")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with iscsi.portals() as addresses, iscsi.target(addresses) as made:
        made.add_unit(1, tmp_path / "unit", 1 << 30)
        yield made
    until("its paths are gone", lambda: "dm-" not in run("multipathd", "show", "paths", "raw", "format", "%d %m"))


@pytest.fixture
def guarded(target: Target) -> Iterator[Target]:
    """It wants CHAP."""
    iscsi.admin("new", "account", "--user", USER, "--password", PASSWORD)
    iscsi.admin("bind", "account", "--tid", target.number, "--user", USER)
    yield target
    iscsi.admin("unbind", "account", "--tid", target.number, "--user", USER)
    iscsi.admin("delete", "account", "--user", USER)


def sessions(scene: Scene, target: Target) -> list[Session]:
    return [session for session in iscsi_sessions.read(scene.tools.sysfs) if session.target == target.name]


def ways(scene: Scene, target: Target) -> list[str]:
    return sorted(session.host for session in sessions(scene, target))


def given(target: Target, portal: str, **more: str) -> dict[str, str]:
    return {"connection": portal, "iqn": target.name, **more}


def test_a_portal_tells_its_targets_and_nothing_stays(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            lines = await connecting.discover(scene.tools, PORTALS[0], 3260, None, with_ipv6=False)
            assert f"{PORTALS[0]}:3260,1 {target.name}" in lines
            with pytest.raises(DiscoveryFailed):
                await connecting.discover(scene.tools, PORTALS[0], 3261, None, with_ipv6=False)

    asyncio.run(main())
    assert records() == ""


def test_discovery_can_need_a_login(target: Target, tmp_path: Path) -> None:
    iscsi.admin("new", "account", "--user", USER, "--password", PASSWORD)
    iscsi.admin("bind", "account", "--user", USER, "--tid", target.number)

    async def main() -> None:
        async with connections(tmp_path) as scene:
            credentials = Credentials(USER, Secret(PASSWORD))
            lines = await connecting.discover(scene.tools, PORTALS[0], 3260, credentials, with_ipv6=False)
            assert any(target.name in line for line in lines)

    asyncio.run(main())
    iscsi.admin("unbind", "account", "--tid", target.number, "--user", USER)
    iscsi.admin("delete", "account", "--user", USER)
    assert records() == ""


def test_two_portals_are_two_paths_to_one_disk(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            asked = [ConnectionRefParameters(**given(target, portal)) for portal in PORTALS]
            for _ in range(2):
                outcomes = await scene.connections.connect(ISCSI, asked)
                assert [outcome.problem for outcome in outcomes] == [None, None]
            assert ways(scene, target) == sorted(PORTALS)
            until("both paths are active", lambda: paths() == ["active", "active"])
            for portal in PORTALS:
                assert (await scene.disconnect(ISCSI, **given(target, portal))).problem is None
            assert ways(scene, target) == []

    asyncio.run(main())
    assert records() == ""


def test_chap_lets_in_who_knows_the_secret(guarded: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            wrong = given(guarded, PORTALS[0], user=USER, password="not the secret")
            assert isinstance((await scene.connect(ISCSI, **wrong)).problem, LoginRefused)
            assert isinstance((await scene.connect(ISCSI, **given(guarded, PORTALS[0]))).problem, LoginRefused)
            assert records() == ""
            right = given(guarded, PORTALS[0], user=USER, password=PASSWORD)
            assert (await scene.connect(ISCSI, **right)).problem is None
            assert ways(scene, guarded) == [PORTALS[0]]
            # logged out behind the agent's back: it comes back with the secret that only the record has
            run("iscsiadm", "-m", "node", "-T", guarded.name, "--logout")
            await scene.connections.look()
            assert ways(scene, guarded) == [PORTALS[0]]
            assert (await scene.disconnect(ISCSI, **right)).problem is None

    asyncio.run(main())
    assert records() == ""


def test_a_portal_that_is_away_is_a_status(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            outcome = await scene.connect(ISCSI, **given(target, PORTALS[0], port=3261))
            assert isinstance(outcome.problem, LoginFailed)
            assert (await scene.connect(ISCSI, **given(target, PORTALS[1]))).problem is None
            assert (await scene.disconnect(ISCSI, **given(target, PORTALS[1]))).problem is None

    asyncio.run(main())
    assert records() == ""


def test_the_last_path_of_a_used_disk_is_not_taken(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            for portal in PORTALS:
                await scene.connect(ISCSI, **given(target, portal))
            until("both paths are active", lambda: paths() == ["active", "active"])
            (device,) = await asyncio.to_thread(lambda: list(Path("/dev/mapper").glob("3*")))
            with volume_group("iscsigroup", [device]) as group:
                run("lvcreate", "--yes", "--name", "used", "--extents", "1", group)
                first, last = [await scene.disconnect(ISCSI, **given(target, portal)) for portal in PORTALS]
                assert first.problem is None
                assert isinstance(last.problem, InUse)
                assert "iscsigroup-used" in str(last.problem)
                run("dd", "if=/dev/iscsigroup/used", "of=/dev/null", "bs=4096", "count=1", "iflag=direct")
            assert (await scene.disconnect(ISCSI, **given(target, PORTALS[1]))).problem is None

    asyncio.run(main())


def test_a_unit_that_the_target_gets_later_is_seen(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            await scene.connect(ISCSI, **given(target, PORTALS[0]))
            target.add_unit(2, tmp_path / "second", 128 << 20)
            await scene.connect(ISCSI, **given(target, PORTALS[0]))
            (session,) = sessions(scene, target)
            assert len(session.disks) == 2
            await scene.disconnect(ISCSI, **given(target, PORTALS[0]))

    asyncio.run(main())


def test_an_interface_has_sessions_of_its_own(target: Target, tmp_path: Path) -> None:
    run("iscsiadm", "-m", "iface", "-I", "storage", "-o", "new")

    async def main() -> None:
        async with connections(tmp_path) as scene:
            for more in ({}, {"iface_name": "storage"}):
                assert (await scene.connect(ISCSI, **given(target, PORTALS[0], **more))).problem is None
            assert sorted(session.interface for session in sessions(scene, target)) == ["default", "storage"]
            assert (await scene.disconnect(ISCSI, **given(target, PORTALS[0]))).problem is None
            assert [session.interface for session in sessions(scene, target)] == ["storage"]
            assert (await scene.disconnect(ISCSI, **given(target, PORTALS[0], iface_name="storage"))).problem is None
            await scene.root.call(SetInterface(name="storage", network_device="portals"))
            assert "iface.net_ifacename = portals" in run("iscsiadm", "-m", "iface", "-I", "storage")

    asyncio.run(main())
    run("iscsiadm", "-m", "iface", "-I", "storage", "-o", "delete")


def paths() -> list[str]:
    rows = [line.split() for line in run("multipathd", "show", "paths", "raw", "format", "%d %t").splitlines()]
    return [row[1] for row in rows if len(row) == 2]


def records() -> str:
    """Those that open-iscsi keeps of targets and portals."""
    found = subprocess.run(["find", *SECRET_FILES, "-type", "f"], capture_output=True, text=True, check=False)
    return found.stdout
