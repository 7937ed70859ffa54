"""Mounting and unmounting file systems below the repository.

A mounted file system never brings device nodes or set-uid programs to life (nosuid, nodev), and only known kinds are
mounted: `fuse` as such would run any program that its source names. The mount point is an open folder, so no link can
lead the mount elsewhere; unmounting looks for the path in the kernel's table instead of opening it, because opening the
root of a dead server's export hangs.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import PurePosixPath
from typing import ClassVar

from ovis.node.privileged import mount_table
from ovis.node.privileged.commands import ENVIRONMENT
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.rules import device_path, open_folder, words
from ovis.node.privileged.work import Work

FILE_SYSTEMS = words(
    """
    9p beegfs btrfs ceph cifs ext2 ext3 ext4 f2fs gfs2 glusterfs gpfs hostfs lustre nfs nfs4 ocfs2 smb3 tmpfs
    virtiofs xfs
    """
)
DAEMONS = frozenset({"glusterfs"})
"""Served by a process of this host that must outlive the agent's service."""

REFUSED_OPTIONS = words(
    """
    suid dev bind rbind move remount loop offset sizelimit encryption user users owner group helper uhelper shared
    rshared slave rslave private rprivate unbindable runbindable context fscontext defcontext rootcontext
    """
)
_OPTION = re.compile(r"[a-z_][A-Za-z0-9_.-]*(=[A-Za-z0-9_.:/@%+=\[\]~^-]*)?")
_REMOTE = re.compile(r"(//)?[A-Za-z0-9_.:%\[\]-]+(,[A-Za-z0-9_.:%\[\]-]+)*:?(/[^\0\n,\\]*|[A-Za-z0-9_.-]+)?")


class Mount(Request[CommandResult], frozen=True, kw_only=True):
    """Mount `source` at `target`, a folder that is there, below <repository>/mnt. Not repeatable: look first.

    `options` one by one, without nosuid and nodev, which are added. The exit status is that of mount(8): 32 the mount
    failed, 16 and 64 something else besides.
    """

    source: str
    target: str
    type: str
    options: tuple[str, ...] = ()


class Unmount(Request[CommandResult], frozen=True, kw_only=True):
    """Take away what is mounted at `target`; the topmost, if there are several. Nothing there: status 0.

    `lazy`: out of sight at once, gone when nobody uses it any more. `force`: pending requests to a dead server fail.
    """

    seconds: ClassVar[float] = 30

    target: str
    lazy: bool = False
    force: bool = False


async def mount(request: Mount, work: Work) -> CommandResult:
    target = work.rules.mount_point(request.target)
    what = f"to mount {request.source!r}"
    if request.type not in FILE_SYSTEMS | work.rules.file_systems:
        raise Refused(what, f"file systems of type {request.type!r} are not mounted here")
    _check_source(request.source, what)
    options = ["nosuid", "nodev", *(_checked_option(option, what) for option in request.options)]
    _check_free(target, work.rules.repository, what)
    folder = open_folder(target, work.rules.repository)
    try:
        place = f"/proc/{os.getpid()}/fd/{folder}"  # good for every process, and no longer than we live
        command = _command(request, place, ",".join(dict.fromkeys(options)))
        result = await work.run(*command)
    finally:
        os.close(folder)
    return CommandResult(result.status, result.output, result.errors.replace(place.encode(), str(target).encode()))


async def unmount(request: Unmount, work: Work) -> CommandResult:
    target = str(work.rules.mount_point(request.target))
    if not any(str(mounted.target) == target for mounted in mount_table.read()):
        return CommandResult(0)
    command = ["umount", "--no-canonicalize", "--internal-only"]
    command += ["--lazy"] * request.lazy + ["--force"] * request.force
    return await work.run(*command, "--", target)


def _command(request: Mount, place: str, options: str) -> list[str]:
    """A type's own program is run without mount(8) in between, which would leave it behind when it is ended."""
    own = shutil.which(f"mount.{request.type}", path=ENVIRONMENT["PATH"])
    if own:
        command = [own, request.source, place, "-o", options]
    else:
        command = ["mount", "--no-canonicalize", "-t", request.type, "-o", options, "--", request.source, place]
    if request.type in DAEMONS and os.path.isdir("/run/systemd/system"):
        return ["systemd-run", "--scope", "--quiet", "--collect", "--slice=ovis-mounts", *command]
    return command


def _check_free(target: PurePosixPath, repository: PurePosixPath, what: str) -> None:
    """Opening a folder on a mounted file system could hang, and mounting twice is a mistake."""
    for mounted in mount_table.read():
        if target.is_relative_to(mounted.target) and mounted.target.is_relative_to(repository / "mnt"):
            raise Refused(what, f"{mounted.source} is mounted at {mounted.target}")


def _check_source(source: str, what: str) -> None:
    if source.startswith("/dev/"):
        device_path(source)
    elif source.startswith("-") or not _REMOTE.fullmatch(source) or ".." in source.split("/"):
        raise Refused(what, "it is neither a device nor server:/path")


def _checked_option(option: str, what: str) -> str:
    name = option.split("=", 1)[0]
    if name in REFUSED_OPTIONS or name.lower().startswith("x-") or not _OPTION.fullmatch(option):
        raise Refused(what, f"the mount option {option!r} is not allowed")
    return option
