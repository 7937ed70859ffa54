from pathlib import Path, PurePosixPath

from ovis.node.privileged import mount_table
from ovis.node.privileged.mount_table import Mounted

# the fields of proc_pid_mountinfo(5); a blank in a name is \040, optional fields end with a single dash
TABLE = (
    "22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n"
    "90 22 0:44 / /rhev/data-center/mnt/nas:_my\\040vms rw - nfs4 nas:/my\\040vms rw,vers=4.2\n"
    "91 22 0:45 /sub /mnt/b rw master:1 propagate_from:2 - ext4 /dev/sda1 rw\n"
)


def test_each_line_is_a_mount(tmp_path: Path) -> None:
    file = tmp_path / "mountinfo"
    file.write_text(TABLE)
    assert mount_table.read(str(file))[1:] == [
        Mounted(PurePosixPath("/rhev/data-center/mnt/nas:_my vms"), "nas:/my vms", "nfs4"),
        Mounted(PurePosixPath("/mnt/b"), "/dev/sda1", "ext4"),
    ]


def test_the_kernels_own_table_is_read() -> None:
    assert PurePosixPath("/proc") in {mounted.target for mounted in mount_table.read()}
