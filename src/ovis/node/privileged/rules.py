"""What the helper may touch, whoever asks. The agent does not choose these: the unit of the helper does.

Paths are checked without trusting anybody: an agent that was taken over owns the repository, so it can put a link in
the place of every folder there between a check and its use. Folders are therefore opened step by step without
following links, and what is used is the open folder.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ovis.node.privileged.errors import Refused

GROUP_NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""Volume groups of storage domains are named by their id; those of the host itself never are."""

_DEVICE = re.compile(r"/dev(/[A-Za-z0-9+_.:@#%=,-]+)+")
LOOP_FOLDER = PurePosixPath("/var/lib/ovis/managed")
ADAPTERS = PurePosixPath("/usr/libexec/vdsm")
HOOKS = PurePosixPath("/usr/libexec/vdsm/hooks")
SYSFS = PurePosixPath("/sys")
PROCFS = PurePosixPath("/proc")
ETC = PurePosixPath("/etc")
NETWORK_STATE = PurePosixPath("/var/lib/vdsm")
RESOLVER = PurePosixPath("/etc/resolv.conf")
SWTPM = PurePosixPath("/var/lib/libvirt/swtpm")
NVRAM = PurePosixPath("/var/lib/libvirt/qemu/nvram")
ISCSI_RECORDS = (PurePosixPath("/etc/iscsi"), PurePosixPath("/var/lib/iscsi"))


@dataclass(frozen=True)
class Rules:
    """`repository`: everything is mounted below it. `user`, `group`: of the agent, who gets devices.

    `iscsi_records`: where open-iscsi may keep them. `file_systems`: what may be mounted beside the usual ones.
    `loop_folder`: files of managed volumes for labs. `adapters`: helper programs that storage vendors have installed.
    `network_state`: where configurations of networks are kept. `resolver`: the file with the DNS servers.
    `swtpm`, `nvram`: where libvirt has the contents of TPMs and UEFI variables.
    """

    repository: PurePosixPath
    user: int
    group: int
    iscsi_records: tuple[PurePosixPath, ...] = ISCSI_RECORDS
    file_systems: frozenset[str] = field(default_factory=frozenset)
    loop_folder: PurePosixPath = LOOP_FOLDER
    adapters: PurePosixPath = ADAPTERS
    hooks: PurePosixPath = HOOKS
    sysfs: PurePosixPath = SYSFS
    procfs: PurePosixPath = PROCFS
    network_state: PurePosixPath = NETWORK_STATE
    resolver: PurePosixPath = RESOLVER
    swtpm: PurePosixPath = SWTPM
    nvram: PurePosixPath = NVRAM
    etc: PurePosixPath = ETC

    def mount_point(self, target: str) -> PurePosixPath:
        """The path, if it lies below <repository>/mnt as written. Raises Refused."""
        path = PurePosixPath(target)
        root = self.repository / "mnt"
        if str(path) != target or ".." in path.parts or not path.is_relative_to(root) or path == root:
            raise Refused(f"to mount at {target!r}", f"it is not below {root}")
        return path


def words(text: str) -> frozenset[str]:
    """A list of what is allowed, as it is easy to read."""
    return frozenset(text.split())


def open_folder(path: PurePosixPath, root: PurePosixPath) -> int:
    """A descriptor of the folder, no link followed below `root`. Raises OSError; the caller closes it."""
    here = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.relative_to(root).parts:
            there = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = there
    except BaseException:
        os.close(here)
        raise
    return here


def device_path(text: str) -> str:
    """The text, if it is a plain path below /dev. Raises Refused."""
    if not _DEVICE.fullmatch(text) or any(part in (".", "..") for part in text.split("/")):
        raise Refused(f"the device {text!r}", "it is not a plain path below /dev")
    return text


def storage_device(text: str) -> str:
    """The kernel's name (/dev/dm-N) of a logical volume of a storage domain or of a multipath map.

    Other disks of the host are none of the agent's business: it writes into a multipath map or into nothing.
    Raises Refused, OSError.
    """
    path = os.path.realpath(device_path(text))
    name = os.path.basename(path)
    if not stat.S_ISBLK(os.stat(path).st_mode):
        raise Refused(f"the device {text}", "it is not a block device")
    if not re.fullmatch(r"/dev/dm-\d+", path):
        raise Refused(f"the device {text}", "it is neither a logical volume nor a multipath map")
    kind, mapped = (_sysfs(name, key) for key in ("dm/uuid", "dm/name"))
    if kind.startswith("mpath-"):
        return path
    # device mapper joins group and volume by "-" and doubles the dashes in each
    group = re.split(r"(?<!-)-(?!-)", mapped, maxsplit=1)[0].replace("--", "-")
    if kind.startswith("LVM-") and GROUP_NAME.fullmatch(group):
        return path
    raise Refused(f"the device {text}", f"{mapped or name} belongs to no storage domain")


def _sysfs(name: str, key: str) -> str:
    with open(f"/sys/class/block/{name}/{key}", encoding="utf-8") as file:
        return file.read().strip()
