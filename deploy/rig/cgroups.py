"""A subtree of every cgroup hierarchy for one virtual host.

Works with the unified hierarchy (cgroup 2), with one hierarchy per controller (cgroup 1), and with both at once.
Source: cgroups(7), cgroup_namespaces(7).
"""

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path

_MOUNT_FLAGS = {"rw", "ro", "relatime", "noatime", "nosuid", "nodev", "noexec"}
_BUSY_SECONDS = 5.0


@dataclass(frozen=True)
class Hierarchy:
    folder: Path
    kind: str
    """The file system type: cgroup or cgroup2."""
    options: tuple[str, ...]
    """What to mount it with once more: its controllers, or its name."""


def hierarchies(mounts: Path = Path("/proc/mounts")) -> list[Hierarchy]:
    """The machine's hierarchies; of one mounted twice only the first."""
    found: dict[tuple[str, tuple[str, ...]], Hierarchy] = {}
    for line in mounts.read_text().splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            kept = (
                tuple(option for option in options.split(",") if option not in _MOUNT_FLAGS) if kind == "cgroup" else ()
            )
            found.setdefault((kind, kept), Hierarchy(Path(folder), kind, kept))
    return list(found.values())


def create(group: str) -> None:
    """Make the group in every hierarchy, ready to take processes."""
    for hierarchy in hierarchies():
        folder = hierarchy.folder
        for part in Path(group).parts:
            enable_controllers(folder)
            parent, folder = folder, folder / part
            folder.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):  # cgroup 1: empty in a new group, and then nothing may join
                if hierarchy.kind == "cgroup" and (folder / name).exists():
                    (folder / name).write_text((parent / name).read_text())


def enable_controllers(folder: Path) -> None:
    """cgroup 2: give the group's children the controllers that the group has. Nothing to do in cgroup 1."""
    available = folder / "cgroup.controllers"
    if available.exists() and (names := available.read_text().split()):
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in names))


def join(group: str) -> None:
    """Move the calling process into the group, in every hierarchy."""
    for hierarchy in hierarchies():
        (hierarchy.folder / group / "cgroup.procs").write_text(str(os.getpid()))


def remove(group: str) -> None:
    """Remove the group and what is below it; its processes must have ended. Safe to repeat.

    The parent goes with its last group.
    """
    for hierarchy in hierarchies():
        top = hierarchy.folder / group
        for folder, _, _ in os.walk(top, topdown=False):
            _remove_empty(folder)
        parent = top.parent
        if parent != hierarchy.folder and parent.is_dir() and not any(entry.is_dir() for entry in parent.iterdir()):
            parent.rmdir()


def _remove_empty(folder: str) -> None:
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            os.rmdir(folder)
        except OSError as error:
            # The kernel counts a process for a moment after its end.
            if error.errno != errno.EBUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
