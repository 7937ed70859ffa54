"""Real mounts by the root helper, in a mount namespace of its own: nothing of it is seen by this machine.

The helper is started inside the namespace; what it mounted is looked at through its /proc entry.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from ovis.client.types import ConnectionRefParameters, StorageDomainTypeId
from ovis.node.privileged import mount_table
from ovis.node.privileged.client import PROGRAM, Privileged, child
from ovis.node.privileged.mounts import Mount
from ovis.node.storage.connections.connections import Connections, Outcome
from ovis.node.storage.connections.errors import CannotMount, InUse, NotUsable, UnknownFileSystem, WrongParameters
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.formats.repository import Repository

POSIX, LOCAL = StorageDomainTypeId.POSIXFS, StorageDomainTypeId.LOCALFS
OWNER = 36


class Scene:
    """`folder` can be entered by everybody, unlike pytest's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = Repository(root=PurePosixPath(folder / "repository"))
        program = ("unshare", "--mount", "--propagation", "private", *PROGRAM)
        self.root = Privileged(child(repository=self.repository.root, user=OWNER, group=OWNER, program=program))
        self.connections = Connections(
            Tools(self.root, self.repository, mounted=self.mounted), folder / "state/connections.json"
        )

    def mounted(self) -> list[mount_table.Mounted]:
        process = self.root.process
        return mount_table.read(f"/proc/{process}/mountinfo") if process else []

    def options(self, target: PurePosixPath) -> str:
        lines = Path(f"/proc/{self.root.process}/mountinfo").read_text().splitlines()
        return next(line.split()[5] for line in lines if line.split()[4] == str(target))

    def inside(self, path: PurePosixPath) -> Path:
        """The path as the helper sees it."""
        return Path(f"/proc/{self.root.process}/root{path}")

    async def connect(self, connection: str, kind: int = POSIX, **more: str) -> Outcome:
        return (await self.connections.connect(kind, [ConnectionRefParameters(connection=connection, **more)]))[0]

    async def disconnect(self, connection: str, kind: int = POSIX, **more: str) -> Outcome:
        return (await self.connections.disconnect(kind, [ConnectionRefParameters(connection=connection, **more)]))[0]

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            try:
                await work()
            finally:
                await self.connections.close()
                await self.root.close()

        asyncio.run(main())


@pytest.fixture
def scene() -> Iterator[Scene]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = Path(tempfile.mkdtemp(prefix="ovis-mounts-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield Scene(folder)
    shutil.rmtree(folder)


@pytest.fixture
def disk(scene: Scene) -> Iterator[Callable[..., str]]:
    """Makes loop devices with an ext4 on them."""
    devices: list[str] = []

    def make(*, owner: int) -> str:
        image = scene.folder / f"disk{len(devices)}"
        with image.open("wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-E", f"root_owner={owner}:{owner}", str(image)], check=True)
        found = subprocess.run(["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True)
        devices.append(found.stdout.strip())
        return devices[-1]

    yield make
    for device in devices:
        subprocess.run(["losetup", "--detach", device], check=True)


def test_a_file_system_is_connected_used_and_disconnected(scene: Scene, disk: Callable[..., str]) -> None:
    device = disk(owner=OWNER)
    place = scene.repository.mount(device)

    async def work() -> None:
        for _ in range(2):
            assert (await scene.connect(device, vfs_type="ext4", mnt_options="noatime")).problem is None
        options = scene.options(place).split(",")
        assert {"nosuid", "nodev", "noatime"} <= set(options)
        scene.inside(place / "a-file").write_text("content")
        for _ in range(2):
            assert (await scene.disconnect(device, vfs_type="ext4")).problem is None
        assert place not in {mounted.target for mounted in scene.mounted()}

    scene.run(work)
    assert not Path(place).exists()


def test_a_file_system_that_the_agent_may_not_use_is_not_left_mounted(scene: Scene, disk: Callable[..., str]) -> None:
    device = disk(owner=0)

    async def work() -> None:
        outcome = await scene.connect(device, vfs_type="ext4")
        assert isinstance(outcome.problem, NotUsable)
        assert scene.repository.mount(device) not in {mounted.target for mounted in scene.mounted()}

    scene.run(work)


def test_what_is_open_stays_mounted(scene: Scene, disk: Callable[..., str]) -> None:
    device = disk(owner=OWNER)
    place = scene.repository.mount(device)

    async def work() -> None:
        await scene.connect(device, vfs_type="ext4")
        with scene.inside(place / "disk").open("w"):
            outcome = await scene.disconnect(device, vfs_type="ext4")
            assert isinstance(outcome.problem, InUse)
            assert "busy" in str(outcome.problem)
        assert (await scene.disconnect(device, vfs_type="ext4")).problem is None

    scene.run(work)


def test_memory_can_be_storage_and_comes_back(scene: Scene) -> None:
    options = "mode=0770,uid=36,gid=36,size=1m"
    place = scene.repository.mount("scratch")

    async def work() -> None:
        assert (await scene.connect("scratch", vfs_type="tmpfs", mnt_options=options)).problem is None
        await asyncio.to_thread(
            subprocess.run, ["nsenter", f"--mount=/proc/{scene.root.process}/ns/mnt", "umount", str(place)], check=True
        )
        await scene.connections.look()
        assert place in {mounted.target for mounted in scene.mounted()}

    scene.run(work)


def test_mount_says_what_is_wrong(scene: Scene, disk: Callable[..., str]) -> None:
    device = disk(owner=OWNER)

    async def work() -> None:
        outcome = await scene.connect(device, vfs_type="ext4", mnt_options="nonsense=1")
        assert isinstance(outcome.problem, CannotMount)
        assert f"{scene.repository.mount(device)}: wrong fs type, bad option" in str(outcome.problem)
        assert isinstance((await scene.connect(device, vfs_type="gfs2")).problem, UnknownFileSystem)
        assert isinstance((await scene.connect(device, vfs_type="overlay")).problem, WrongParameters)
        assert isinstance((await scene.connect(device, vfs_type="ext4", mnt_options="suid")).problem, WrongParameters)

    scene.run(work)


def test_a_link_in_the_place_of_a_mount_point_leads_nowhere(scene: Scene, disk: Callable[..., str]) -> None:
    device = disk(owner=OWNER)
    victim = scene.folder / "victim"
    victim.mkdir()
    place = Path(scene.repository.mounts / "place")
    place.parent.mkdir(parents=True)
    place.symlink_to(victim)

    async def work() -> None:
        with pytest.raises(NotADirectoryError):
            await scene.root.call(Mount(source=device, target=str(place), type="ext4"))
        assert PurePosixPath(victim) not in {mounted.target for mounted in scene.mounted()}

    scene.run(work)


def test_a_directory_of_the_host_is_storage_when_the_agent_may_use_it(scene: Scene) -> None:
    folder = scene.folder / "images"
    folder.mkdir()

    async def work() -> None:
        assert isinstance((await scene.connect(str(folder), LOCAL)).problem, NotUsable)
        os.chown(folder, OWNER, OWNER)
        assert (await scene.connect(str(folder), LOCAL)).problem is None
        assert isinstance((await scene.connect(f"{folder}x", LOCAL)).problem, WrongParameters)
        assert (await scene.disconnect(str(folder), LOCAL)).problem is None

    scene.run(work)


def test_an_agent_that_is_not_root_is_served(scene: Scene) -> None:
    program = Path(__file__).with_name("unprivileged_agent.py")
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, program, scene.folder],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "connected: None",
        "owner: 36",
        "disconnected: None",
        "helper ended with 0",
    ], done.stderr
