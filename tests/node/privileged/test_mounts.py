"""Which mounts are asked of mount(8), and in what words. Mounting itself: tests/real/test_mounts.py."""

import asyncio
import os
from pathlib import Path, PurePosixPath

import pytest
from programs import inside, put

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.mounts import Mount, Unmount
from ovis.node.privileged.protocol import CommandResult
from ovis.node.privileged.rules import Rules


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    (tmp_path / "repository/mnt/nas:_vms").mkdir(parents=True)
    return Rules(PurePosixPath(tmp_path / "repository"), os.geteuid(), os.getegid())


def mounted(rules: Rules, **changed: object) -> CommandResult:
    async def main() -> CommandResult:
        target = str(rules.repository / "mnt/nas:_vms")
        async with inside(rules) as privileged:
            return await privileged.call(Mount(**{"source": "nas:/vms", "target": target, "type": "nfs", **changed}))

    return asyncio.run(main())


def test_the_mount_point_is_an_open_folder_and_nothing_is_brought_to_life(programs: Path, rules: Rules) -> None:
    put(programs, "mount", 'echo "$@"; readlink "$8"')
    result = mounted(rules, type="ext4", source="/dev/sdb", options=("noatime", "data=ordered", "noatime"))
    words, folder = result.output.decode().splitlines()
    assert words.startswith("--no-canonicalize -t ext4 -o nosuid,nodev,noatime,data=ordered -- /dev/sdb /proc/")
    assert folder == str(rules.repository / "mnt/nas:_vms")


def test_a_type_with_a_program_of_its_own_is_mounted_by_that(programs: Path, rules: Rules) -> None:
    put(programs, "mount.nfs", 'echo "$1 $3 $4"; readlink "$2"')
    result = mounted(rules, options=("soft",))
    folder = rules.repository / "mnt/nas:_vms"
    assert result.output.decode().splitlines() == ["nas:/vms -o nosuid,nodev,soft", str(folder)]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"target": "/etc"}, "not below"),
        ({"target": "{root}/mnt"}, "not below"),
        ({"target": "{root}/mnt/../../x"}, "not below"),
        ({"target": "{root}/pool"}, "not below"),
        ({"type": "overlay"}, "'overlay'"),
        ({"type": "fuse"}, "'fuse'"),
        ({"source": "--bind"}, "neither a device"),
        ({"source": "/etc"}, "neither a device"),
        ({"source": "nas:/a/../b"}, "neither a device"),
        ({"source": "/dev/../etc"}, "below /dev"),
        ({"options": ("suid",)}, "'suid'"),
        ({"options": ("rw,dev",)}, "'rw,dev'"),
        ({"options": ("bind",)}, "'bind'"),
        ({"options": ("X-mount.mkdir",)}, "X-mount"),
        ({"options": ("loop=/dev/loop0",)}, "loop"),
        ({"options": ("-o",)}, "'-o'"),
        ({"options": ("user",)}, "'user'"),
    ],
)
def test_what_could_reach_beyond_the_repository_is_refused(
    programs: Path, rules: Rules, changed: dict[str, str], problem: str
) -> None:
    put(programs, "mount", "exit 0")
    if "target" in changed:
        changed = {"target": changed["target"].format(root=rules.repository)}
    with pytest.raises(Refused, match=problem):
        mounted(rules, **changed)


def test_links_are_not_followed(programs: Path, rules: Rules, tmp_path: Path) -> None:
    put(programs, "mount.nfs", f"echo > {tmp_path}/mounted")
    mnt = Path(rules.repository / "mnt")
    (mnt / "link").symlink_to("/etc")
    (mnt / "parent").symlink_to(tmp_path)
    (tmp_path / "below").mkdir()
    for name in ("link", "parent/below"):
        with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
            mounted(rules, target=str(mnt / name))
    assert not (tmp_path / "mounted").exists()


def test_further_file_systems_can_be_allowed(programs: Path, rules: Rules) -> None:
    put(programs, "mount.fuse.sshfs", "exit 0")
    more = Rules(rules.repository, rules.user, rules.group, file_systems=frozenset({"fuse.sshfs"}))
    assert mounted(more, type="fuse.sshfs").ok


def test_unmounting_what_is_not_mounted_is_done_already(programs: Path, rules: Rules) -> None:
    put(programs, "umount", "exit 99")

    async def main() -> None:
        async with inside(rules) as privileged:
            assert (await privileged.call(Unmount(target=str(rules.repository / "mnt/nas:_vms")))).ok
            with pytest.raises(Refused):
                await privileged.call(Unmount(target="/proc"))

    asyncio.run(main())
