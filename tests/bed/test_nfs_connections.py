"""Connections to an NFS server: good ones, refused ones, and what a dead server costs."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovis.client.types import StorageDomainTypeId
from ovis.node.privileged.errors import HelperLost
from ovis.node.storage.connections.errors import CannotMount, NotUsable
from tests.bed.parts.connections import connections
from tests.bed.parts.nfs import dead, export, mortal_export
from tests.bed.parts.programs import run

pytestmark = pytest.mark.bed(services=["nfs"])
NFS = StorageDomainTypeId.NFS
FOLDER = Path("/srv/connected")


@pytest.fixture
def source() -> Iterator[str]:
    """An export that is reached through an address that can be cut."""
    with mortal_export(FOLDER) as address:
        yield address


@pytest.mark.parametrize("version", ["3", "4", "4.2", "auto"])
def test_an_export_is_mounted_used_and_unmounted(version: str, source: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            for _ in range(2):
                assert (await scene.connect(NFS, connection=source, protocol_version=version)).problem is None
            assert scene.mounted == [source]
            options = scene.options(source)
            assert {"nosuid", "nodev", "soft", "nosharecache", "timeo=10", "retrans=1"} <= options
            assert version == "auto" or any(option.startswith(f"vers={version}") for option in options)
            place = scene.repository.mount(source)
            run("setpriv", "--reuid=36", "--regid=36", "--clear-groups", "touch", place / "written")
            assert (FOLDER / "written").exists()
            assert (await scene.disconnect(NFS, connection=source)).problem is None
            assert scene.mounted == []

    asyncio.run(main())


def test_an_export_of_somebody_else_is_not_left_mounted(source: str, tmp_path: Path) -> None:
    FOLDER.chmod(0o700)
    run("chown", "0:0", FOLDER)

    async def main() -> None:
        async with connections(tmp_path) as scene:
            outcome = await scene.connect(NFS, connection=source)
            assert isinstance(outcome.problem, NotUsable)
            assert scene.mounted == []

    asyncio.run(main())


def test_what_the_server_says_is_told(source: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            outcome = await scene.connect(NFS, connection=f"{source}/nothing", protocol_version="4")
            assert isinstance(outcome.problem, CannotMount)
            assert "No such file or directory" in str(outcome.problem)

    asyncio.run(main())


def test_a_dead_server_costs_its_own_deadline_and_nobody_elses(source: str, tmp_path: Path) -> None:
    async def main() -> None:
        with export(Path("/srv/other")) as other:
            async with connections(tmp_path, seconds=6) as scene:
                with dead():
                    started = time.monotonic()
                    lost = asyncio.create_task(scene.connect(NFS, connection=source))
                    assert (await scene.connect(NFS, connection=other)).problem is None
                    assert not lost.done()
                    assert isinstance((await lost).problem, CannotMount)
                    assert time.monotonic() - started < 40
                assert (await scene.connect(NFS, connection=source)).problem is None
                assert sorted(scene.mounted) == sorted([source, other])
                await scene.disconnect(NFS, connection=source)
                await scene.disconnect(NFS, connection=other)

    asyncio.run(main())


@pytest.mark.parametrize("version", ["3", "4.2"])
def test_a_server_that_dies_under_a_mount_can_be_let_go_and_had_again(
    version: str, source: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with connections(tmp_path, seconds=2) as scene:
            await scene.connect(NFS, connection=source, protocol_version=version)
            with dead():
                again = await scene.connect(NFS, connection=source, protocol_version=version)
                assert isinstance(again.problem, CannotMount)
            assert (await scene.connect(NFS, connection=source, protocol_version=version)).problem is None
            with dead():
                assert (await scene.disconnect(NFS, connection=source, protocol_version=version)).problem is None
                assert scene.mounted == []

    asyncio.run(main())


def test_a_dead_mount_that_is_needed_is_kept_and_lives_again(source: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path, seconds=5) as scene:
            await scene.connect(NFS, connection=source)
            scene.users.append("domain x")
            with dead():
                outcome = await scene.connect(NFS, connection=source)
                assert "needed by domain x" in str(outcome.problem)
                assert scene.mounted == [source]
            assert (await scene.connect(NFS, connection=source)).problem is None
            scene.users.clear()
            assert (await scene.disconnect(NFS, connection=source)).problem is None

    asyncio.run(main())


def test_a_folder_that_was_made_anew_is_mounted_anew(source: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path) as scene:
            await scene.connect(NFS, connection=source)
            shutil.rmtree(FOLDER)
            run("install", "--directory", "--owner=36", "--group=36", FOLDER / "new")
            run("chown", "36:36", FOLDER)
            run("exportfs", "-f")
            assert (await scene.connect(NFS, connection=source)).problem is None
            assert (await asyncio.to_thread(os.listdir, scene.repository.mount(source))) == ["new"]
            assert (await scene.disconnect(NFS, connection=source)).problem is None

    asyncio.run(main())


def test_a_helper_that_is_killed_while_it_mounts_is_replaced(source: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with connections(tmp_path, seconds=30) as scene:
            with dead():
                lost = asyncio.create_task(scene.connect(NFS, connection=source))
                while scene.root.process is None:  # noqa: ASYNC110  # another process starts
                    await asyncio.sleep(0.05)
                await asyncio.sleep(1)
                os.kill(scene.root.process, signal.SIGKILL)
                assert isinstance((await lost).problem, HelperLost)
            assert (await scene.connect(NFS, connection=source)).problem is None
            assert (await scene.disconnect(NFS, connection=source)).problem is None

    asyncio.run(main())
