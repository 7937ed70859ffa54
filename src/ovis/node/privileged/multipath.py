"""Reading multipathd and telling it that a map has grown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.rules import storage_device
from ovis.node.privileged.work import Work

_NAME = re.compile(r"[A-Za-z0-9+_.:@%-]+")


class ReadMultipath(Request[CommandResult], frozen=True, kw_only=True):
    """`maps`: JSON of `multipathd show maps json`. `paths`: a line per path, its fields separated by one space:
    device, host:channel:target:lun, state as multipathd checks it, state of device mapper, wwid, map."""

    seconds: ClassVar[float] = 20

    what: Literal["maps", "paths"] = "maps"


class ResizeMap(Request[CommandResult], frozen=True, kw_only=True):
    """All paths have their new size already: the map takes it over. `name` as in /dev/mapper."""

    name: str


class RereadMultipath(Request[CommandResult], frozen=True, kw_only=True):
    """multipathd looks at all devices again."""


class DropPartitions(Request[CommandResult], frozen=True, kw_only=True):
    """Take the kernel's devices for the partitions of a map away; what is on the disk stays. Those in use stay, too."""

    name: str


class RemoveMap(Request[CommandResult], frozen=True, kw_only=True):
    """Take a map and the disks that are its paths from the host, until a rescan finds them again. In use: refused."""

    seconds: ClassVar[float] = 60

    name: str


async def read_multipath(request: ReadMultipath, work: Work) -> CommandResult:
    if request.what == "maps":
        return await work.run("multipathd", "show", "maps", "json")
    return await work.run("multipathd", "show", "paths", "raw", "format", "%d %i %T %t %w %m")


async def resize_map(request: ResizeMap, work: Work) -> CommandResult:
    if not _NAME.fullmatch(request.name):
        raise Refused(f"the multipath map {request.name!r}", "this is no name of a map")
    return await work.run("multipathd", "resize", "map", request.name)


async def drop_partitions(request: DropPartitions, work: Work) -> CommandResult:
    if not _NAME.fullmatch(request.name):
        raise Refused(f"the multipath map {request.name!r}", "this is no name of a map")
    return await work.run("kpartx", "-d", "-s", "--", storage_device(f"/dev/mapper/{request.name}"))


async def reread_multipath(request: RereadMultipath, work: Work) -> CommandResult:
    return await work.run("multipathd", "reconfigure")


async def remove_map(request: RemoveMap, work: Work) -> CommandResult:
    """The disks by a program, as the kernel flushes each first, which may hang."""
    if not _NAME.fullmatch(request.name):
        raise Refused(f"the multipath map {request.name!r}", "this is no name of a map")
    device = storage_device(f"/dev/mapper/{request.name}")
    folder = Path(work.rules.sysfs) / "class/block" / Path(device).name
    if not (folder / "dm/uuid").read_text(encoding="utf-8").startswith("mpath-"):
        raise Refused(f"the end of {request.name}", "it is a logical volume and no multipath map")
    disks = sorted(path.name for path in (folder / "slaves").iterdir())
    flushed = await work.run("multipath", "-f", "--", request.name)
    if not flushed.ok or not disks:
        return flushed
    return await work.run("tee", *(f"{work.rules.sysfs}/block/{disk}/device/delete" for disk in disks), stdin=b"1\n")
