"""The first process of a virtual host: makes the place, starts the daemons, then reaps whoever dies.

`unshare` starts it in new PID, mount, network, UTS and IPC namespaces. It tells its process number to its starter
(standard output), gets the host's settings in return (standard input, one line of JSON) and, if they say so, it
ends as soon as standard input is closed: so a host cannot outlive the test run or demo that owns it, not even when that
is killed.

Why a reaper of our own: libvirt polls for the end of its QEMUs and an orphan's end shows only when its adopter reaps
it. Where the machine's process 1 is slow at that, each `destroy` takes seconds.
"""

import ctypes
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.rig import cgroups, network
from deploy.rig.host import DAEMON_ENVIRONMENT

_CLONE_NEWCGROUP = 0x02000000
_DAEMON_SECONDS = 30
PRIVATE_FOLDERS = {
    "etc": Path("/etc/libvirt"),
    "state": Path("/var/lib/libvirt"),
    "cache": Path("/var/cache/libvirt"),
    "log": Path("/var/log/libvirt"),
    "run": Path("/run"),  # last: /etc/resolv.conf may lead into the machine's /run
}
PRIVATE_FILES = {
    "hosts": Path("/etc/hosts"),
    "hostname": Path("/etc/hostname"),
    "resolv.conf": Path("/etc/resolv.conf"),
    "machine-id": Path("/etc/machine-id"),
}
_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
    "net/tun": (10, 200),
    "fuse": (10, 229),
    "loop-control": (10, 237),
}


@dataclass(frozen=True)
class Settings:
    name: str
    index: int
    folder: str
    """The host's own folder; holds what PRIVATE_FOLDERS and PRIVATE_FILES name."""
    cgroup: str
    ends_with_owner: bool

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> None:
    # The /proc in view is still the outer one, and so is the number that it gives us.
    print(os.readlink("/proc/self"), flush=True)
    os.dup2(2, 1)
    line = sys.stdin.readline()
    if not line:
        sys.exit("the owner went away before it told what to do")
    settings = Settings(**json.loads(line))
    if settings.ends_with_owner:
        threading.Thread(target=_end_with_owner, daemon=True).start()
    os.umask(0o022)
    _enter_cgroup(settings.cgroup)
    _mount_kernel_views(cgroups.hierarchies())
    _mount_private_folders(Path(settings.folder))
    _mount_devices(Path(settings.folder) / "dev")
    socket.sethostname(settings.name)
    network.configure_host(settings.index)
    for daemon in (["virtlogd", "--daemon"], network.dhcp_server(settings.index), ["libvirtd", "--daemon", "--listen"]):
        _start(daemon)
    while True:
        os.wait()  # virtlogd, dnsmasq and libvirtd are children now: it never runs out of them before the end


def _end_with_owner() -> None:
    sys.stdin.read()
    os._exit(0)  # process 1 ends: the kernel kills all others of the namespace


def _enter_cgroup(group: str) -> None:
    cgroups.join(group)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWCGROUP):
        number = ctypes.get_errno()
        raise OSError(number, f"no cgroup namespace: {os.strerror(number)}")


def _mount_kernel_views(hierarchies: list[cgroups.Hierarchy]) -> None:
    """/proc, /sys and the cgroups as this host's namespaces see them."""
    _mount("-t", "proc", "proc", "/proc")
    _mount("-t", "sysfs", "sysfs", "/sys")
    top = Path("/sys/fs/cgroup")
    if all(hierarchy.folder != top for hierarchy in hierarchies):
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(top))
    for hierarchy in hierarchies:
        hierarchy.folder.mkdir(parents=True, exist_ok=True)
        options = ["-o", ",".join(hierarchy.options)] if hierarchy.options else []
        _mount("-t", hierarchy.kind, *options, "cgroup", str(hierarchy.folder))
        if hierarchy.kind == "cgroup2":
            # Only a group without processes of its own may give controllers to its children, and libvirt wants them.
            own = hierarchy.folder / "init"
            own.mkdir(exist_ok=True)
            (own / "cgroup.procs").write_text("1")
            cgroups.enable_controllers(hierarchy.folder)


def _mount_private_folders(folder: Path) -> None:
    for name, place in PRIVATE_FILES.items():
        if place.exists():
            _mount("--bind", str(folder / name), str(place.resolve()))
    for name, place in PRIVATE_FOLDERS.items():
        _mount("--bind", str(folder / name), str(place))


def _mount_devices(scratch: Path) -> None:
    """A /dev of its own, without /dev/kvm: libvirt then probes QEMU once, for software emulation, and is content."""
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(scratch))
    umask = os.umask(0)
    for name in ("net", "pts", "shm"):
        (scratch / name).mkdir(0o755)
    for name, numbers in _DEVICES.items():
        os.mknod(scratch / name, stat.S_IFCHR | 0o666, os.makedev(*numbers))
    for number in range(8):
        os.mknod(scratch / f"loop{number}", stat.S_IFBLK | 0o660, os.makedev(7, number))
    os.umask(umask)
    for name, target in (
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ):
        (scratch / name).symlink_to(target)
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=666,mode=620", "devpts", str(scratch / "pts"))
    _mount("-t", "tmpfs", "tmpfs", str(scratch / "shm"))
    _mount("--move", str(scratch), "/dev")


def _mount(*arguments: str) -> None:
    network.run("mount", *arguments)


def _start(daemon: list[str]) -> None:
    """Start a daemon that goes to the background when it serves."""
    subprocess.run(daemon, env=DAEMON_ENVIRONMENT, stdin=subprocess.DEVNULL, timeout=_DAEMON_SECONDS, check=True)


if __name__ == "__main__":
    main()
