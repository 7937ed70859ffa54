"""Managed volumes that are units of an iSCSI target: two portals, CHAP, what else uses a session, kill -9."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ovis.client.types import StorageDomainTypeId
from ovis.node.storage.connections import iscsi_sessions
from ovis.node.storage.managed.driver import Connection
from ovis.node.storage.managed.errors import DriverFailed, UnsupportedDevice
from ovis.node.storage.managed.iscsi import IscsiDriver
from ovis.node.storage.managed.records import Records
from ovis.node.storage.managed.volumes import ManagedVolumes
from tests.bed.parts import iscsi
from tests.bed.parts.connections import OWNER, Scene, connections
from tests.bed.parts.iscsi import PORTALS, Target
from tests.bed.parts.programs import run, until

pytestmark = pytest.mark.bed(services=["tgt", "iscsi", "multipath"])
SIZE = 128 << 20
ONE, TWO = (f"{n}849b030-626e-47cb-ad90-3ce782d831b3" for n in "56")
DOMAIN = "7849b030-626e-47cb-ad90-3ce782d831b3"


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with iscsi.portals() as addresses, iscsi.target(addresses) as made:
        for unit in (1, 2):
            made.add_unit(unit, tmp_path / f"unit{unit}", SIZE)
        yield made
    until("its paths are gone", lambda: "dm-" not in run("multipathd", "show", "paths", "raw", "format", "%d %m"))


class Host:
    def __init__(self, scene: Scene, folder: Path, *, looks: int = 60) -> None:
        self.scene, self.links = scene, folder / "managedvolumes"
        records = Records(folder / "state/managed")
        driver = IscsiDriver(looks=looks)
        self.volumes = ManagedVolumes(records, self.links, scene.root, lambda: scene.connections, find=lambda _: driver)

    @property
    def sessions(self) -> list[tuple[str, int]]:
        """Portal and number of disks of each."""
        found = iscsi_sessions.read(self.scene.tools.sysfs)
        return sorted((session.host, len(session.disks)) for session in found)


@asynccontextmanager
async def host(folder: Path, *, looks: int = 60) -> AsyncIterator[Host]:
    async with connections(folder) as scene:
        yield Host(scene, folder, looks=looks)


def connection(target: Target, unit: int, portals: tuple[str, ...] = PORTALS, **more: Any) -> Connection:
    return Connection(
        "iscsi",
        {
            "target_portals": [f"{portal}:3260" for portal in portals],
            "target_iqns": [target.name for _ in portals],
            "target_luns": [unit for _ in portals],
            **more,
        },
    )


def test_a_unit_is_attached_over_both_portals_and_written(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with host(tmp_path) as here:
            done = await here.volumes.attach(ONE, DOMAIN, connection(target, 1))
            attachment = done.record.attachment
            assert attachment is not None
            assert attachment.path == f"/dev/mapper/{attachment.multipath}"
            assert [portal for portal, _ in here.sessions] == sorted(PORTALS)
            await asyncio.to_thread(write, done.link)
            await here.volumes.detach(ONE)
            assert here.sessions == []
            assert await here.volumes.all() == []
            assert not Path(attachment.path).exists()  # noqa: ASYNC240

    asyncio.run(main())
    assert (tmp_path / "unit1").read_bytes()[:7] == b"written"


def write(link: Path | None) -> None:
    assert link is not None
    assert link.stat().st_uid == OWNER
    with link.open("r+b") as device:
        device.write(b"written")
        os.fsync(device)


def test_a_session_lives_as_long_as_somebody_needs_it(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with host(tmp_path) as here:
            portal = PORTALS[:1]
            for volume, unit in ((ONE, 1), (TWO, 2)):
                await here.volumes.attach(volume, DOMAIN, connection(target, unit, portal))
            await here.volumes.detach(ONE)
            assert [portal for portal, _ in here.sessions] == [PORTALS[0]]
            given = {"connection": PORTALS[0], "iqn": target.name}
            assert (await here.scene.connect(StorageDomainTypeId.ISCSI, **given)).problem is None
            await here.volumes.detach(TWO)
            assert [portal for portal, _ in here.sessions] == [PORTALS[0]]
            assert (await here.scene.disconnect(StorageDomainTypeId.ISCSI, **given)).problem is None
            assert here.sessions == []

    asyncio.run(main())


def test_one_portal_that_is_away_does_not_matter_and_both_do(target: Target, tmp_path: Path) -> None:
    away = {"target_portals": [f"{PORTALS[0]}:3261", f"{PORTALS[1]}:3260"]}

    async def main() -> None:
        async with host(tmp_path) as here:
            await here.volumes.attach(ONE, DOMAIN, connection(target, 1, **away))
            assert [portal for portal, _ in here.sessions] == [PORTALS[1]]
            await here.volumes.detach(ONE)
            with pytest.raises(DriverFailed):
                await here.volumes.attach(
                    ONE, "", connection(target, 1, PORTALS[:1], target_portals=["10.99.1.1:3261"])
                )
            assert here.sessions == []
            assert await here.volumes.all() == []

    asyncio.run(main())


def test_chap_is_used_and_its_secret_is_gone_afterwards(target: Target, tmp_path: Path) -> None:
    user, password = "bed-managed", "twelve chars"
    iscsi.admin("new", "account", "--user", user, "--password", password)
    iscsi.admin("bind", "account", "--tid", target.number, "--user", user)

    async def main() -> None:
        async with host(tmp_path) as here:
            given = {"auth_method": "CHAP", "auth_username": user, "auth_password": password}
            await here.volumes.attach(ONE, DOMAIN, connection(target, 1, **given))
            await here.volumes.detach(ONE)
            with pytest.raises(DriverFailed, match="refuses the user"):
                await here.volumes.attach(
                    ONE, DOMAIN, connection(target, 1, **{**given, "auth_password": "wrong secret"})
                )

    asyncio.run(main())
    iscsi.admin("unbind", "account", "--tid", target.number, "--user", user)
    iscsi.admin("delete", "account", "--user", user)
    assert not [file for file in Path("/etc/iscsi/nodes").rglob("*") if file.is_file()]


def test_a_unit_that_does_not_exist_leaves_nothing(target: Target, tmp_path: Path) -> None:
    async def main() -> None:
        async with host(tmp_path, looks=6) as here:
            with pytest.raises(DriverFailed, match="none has appeared"):
                await here.volumes.attach(ONE, DOMAIN, connection(target, 7))
            assert await here.volumes.all() == []

    asyncio.run(main())


def test_a_disk_that_multipath_leaves_alone_is_not_used(target: Target, tmp_path: Path) -> None:
    rules = Path("/etc/multipath/conf.d/none.conf")
    rules.parent.mkdir(exist_ok=True, parents=True)
    rules.write_text('blacklist {\n    devnode ".*"\n}\n')
    run("multipathd", "reconfigure")

    async def main() -> None:
        async with host(tmp_path, looks=6) as here:
            with pytest.raises(UnsupportedDevice):
                await here.volumes.attach(ONE, DOMAIN, connection(target, 1))
            assert here.sessions == []

    try:
        asyncio.run(main())
    finally:
        rules.unlink()
        run("multipathd", "reconfigure")


@pytest.mark.parametrize("then", ["attach", "detach"])
def test_an_agent_that_died_after_the_login_is_cleaned_up_after(target: Target, tmp_path: Path, then: str) -> None:
    async def main() -> None:
        async with host(tmp_path) as here:
            done = await here.volumes.attach(ONE, DOMAIN, connection(target, 1))
            # as it was before the device was written down
            Records(tmp_path / "state/managed").write(type(done.record)(ONE, DOMAIN, done.record.connection))
            again = Host(here.scene, tmp_path)
            if then == "attach":
                finished = await again.volumes.attach(ONE, DOMAIN, done.record.connection)
                assert finished.record.attachment == done.record.attachment
            await again.volumes.detach(ONE)
            assert again.sessions == []
            assert done.record.attachment is not None
            assert not Path(done.record.attachment.path).exists()  # noqa: ASYNC240

    asyncio.run(main())
