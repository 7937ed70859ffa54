"""What the root helper does to block devices, and to which."""

import asyncio
import stat
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pytest

from ovis.node.privileged import devices
from ovis.node.privileged.client import Privileged, child
from ovis.node.privileged.devices import (
    CheckMaster,
    DiscardDevice,
    MakeMaster,
    OwnDevice,
    ReadDevice,
    ReadDmsetup,
    ZeroDevice,
)
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.lvm import RunLvm
from ovis.node.privileged.mounts import Mount, Unmount
from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import volume_group

DOMAIN = "5e4a1c8e-0c9c-4f6b-8d7d-6c2b5f7d9a10"
T = TypeVar("T")


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Path]:
    with loop_device(tmp_path, 2 << 30) as device:
        yield device


@pytest.fixture
def group(loop: Path) -> Iterator[str]:
    with volume_group(DOMAIN, [loop]) as name:
        yield name


def volume(group: str, name: str, extents: int = 1) -> str:
    run("lvcreate", "--yes", "--name", name, "--extents", extents, group)
    return f"/dev/{group}/{name}"


def with_helper(work: Callable[[Privileged], Awaitable[T]], repository: Path = Path("/rhev/data-center")) -> T:
    async def main() -> T:
        root = Privileged(child(repository=PurePosixPath(repository), user=36, group=36))
        try:
            return await work(root)
        finally:
            await root.close()

    return asyncio.run(main())


def test_a_volume_of_a_domain_gets_an_owner(group: str) -> None:
    path = volume(group, "disk")
    with_helper(lambda root: root.call(OwnDevice(path=path, mode=0o660)))
    facts = Path(path).stat()
    assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (36, 36, 0o660)


def test_zeroing_zeroes_what_was_named_and_tells_how_far_it_is(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = volume(group, "disk", 3)
    size = 3 * (128 << 20)
    Path(path).write_bytes(b"x" * (1 << 20))
    with Path(path).open("r+b") as file:
        for place in range(0, size, 32 << 20):
            file.seek(place)
            file.write(b"x" * 4096)
    told: list[tuple[int, int]] = []
    start, length = 32 << 20, 300 << 20

    async def work(root: Privileged) -> None:
        request = ZeroDevice(path=path, offset=start, length=length)
        assert (await root.call(request, told=lambda done, total: told.append((done, total)))).ok

    with_helper(work)
    assert told == [(devices.STEP, length), (length, length)]
    with Path(path).open("rb") as file:
        for place in range(0, size, 32 << 20):
            file.seek(place)
            assert (file.read(4096) == bytes(4096)) == (start <= place < start + length), place


def test_a_device_in_use_is_not_zeroed(group: str, tmp_path: Path) -> None:
    path = volume(group, "disk")
    run("mkfs.ext4", "-q", path)
    (tmp_path / "at").mkdir()
    run("mount", path, tmp_path / "at")
    try:
        result = with_helper(lambda root: root.call(ZeroDevice(path=path)))
        assert "busy" in result.complaint
    finally:
        run("umount", tmp_path / "at")


def test_what_is_no_storage_of_a_domain_is_left_alone(loop: Path, tmp_path: Path) -> None:
    async def refused(root: Privileged, *paths: str) -> None:
        for path in paths:
            for request in (OwnDevice(path=path), ZeroDevice(path=path), DiscardDevice(path=path)):
                with pytest.raises((Refused, OSError)):
                    await root.call(request)

    with volume_group("hostgroup", [loop]) as group:
        path = volume(group, "master")
        others = (str(loop), path, "/dev/mapper/hostgroup-master", "/dev/null", "/dev/nothing", str(tmp_path))
        with_helper(lambda root: refused(root, *others))
        with pytest.raises(Refused):
            with_helper(lambda root: root.call(MakeMaster(path=path)))
        with pytest.raises(Refused):
            with_helper(lambda root: root.call(RunLvm(arguments=("lvremove", "--yes", "hostgroup/master"))))


def test_the_masters_file_system_is_made_checked_and_mounted(group: str, tmp_path: Path) -> None:
    path = volume(group, "master")
    for parent in (tmp_path, *tmp_path.parents):
        parent.chmod(parent.stat().st_mode | 0o055)
    place = tmp_path / "mnt/blockSD" / DOMAIN / "master"
    place.mkdir(parents=True)

    async def work(root: Privileged) -> None:
        (await root.call(MakeMaster(path=path))).check("mkfs")
        for _ in range(2):
            assert (await root.call(CheckMaster(path=path))).status == 0
        (await root.call(Mount(source=path, target=str(place), type="ext3"))).check("mount")
        run("setpriv", "--reuid=36", "--regid=36", "--clear-groups", "mkdir", place / "tasks", place / "vms")
        (await root.call(Unmount(target=str(place)))).check("umount")

    with_helper(work, tmp_path)


def test_facts_are_read_without_opening(group: str, loop: Path) -> None:
    path = volume(group, "disk")
    facts = with_helper(lambda root: root.call(ReadDevice(path=path)))
    assert (facts.size, facts.logical_block, facts.is_read_only, facts.holders) == (128 << 20, 512, False, [])
    lower = with_helper(lambda root: root.call(ReadDevice(path=str(loop))))
    assert lower.holders == [Path(facts.path).name]
    listed = with_helper(lambda root: root.call(ReadDmsetup())).output.decode().splitlines()
    (row,) = [line.split("\t") for line in listed if line.startswith(DOMAIN.replace("-", "--"))]
    assert row[1].startswith("LVM-")
    assert row[4] == "0"
