"""Block devices: facts, who may open them, zeroing, and the small file system of a master domain.

Only logical volumes of storage domains and multipath maps are changed (rules.storage_device).
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request, TiedRequest
from ovis.node.privileged.rules import Rules, device_path, storage_device
from ovis.node.privileged.work import Work

STEP = 256 << 20
"""Bytes per command while zeroing: half a second on storage of 500 MB/s, so that a cancelled call ends soon, and few
enough commands (4 a GiB). Not measured on an array."""

BLOCK = 4096
READ_LIMIT = 1 << 20


class DeviceFacts(Struct, frozen=True):
    """Sizes in bytes. `discard_limit`: the longest single discard; 0: none."""

    path: str
    size: int
    logical_block: int
    physical_block: int
    discard_limit: int
    zero_limit: int
    is_read_only: bool
    holders: list[str]


class ReadDevice(Request[DeviceFacts], frozen=True, kw_only=True):
    answer: ClassVar[type] = DeviceFacts
    seconds: ClassVar[float] = 20

    path: str


class ReadBlocks(Request[CommandResult], frozen=True, kw_only=True):
    """What lies on the device, past every cache; the output is the bytes. All in multiples of BLOCK, at most 1 MiB.

    By a program, which can be ended when the device does not answer.
    """

    seconds: ClassVar[float] = 20

    path: str
    offset: int
    size: int


class OwnDevice(Request[None], frozen=True, kw_only=True):
    """Give the device node to the agent's user and group, with `mode` (at most 0o660). Repeatable."""

    answer: ClassVar[type] = type(None)
    seconds: ClassVar[float] = 20

    path: str
    mode: int = 0o660


class ZeroDevice(TiedRequest, frozen=True, kw_only=True):
    """Make `length` bytes from `offset` read as zeros, by the device itself where it can; progress is told in bytes.

    None: to the end. Both must be multiples of the logical block. When cancelled, a part at the beginning is zero.
    A device that something uses (mounted, under another device) is refused by the kernel.
    """

    seconds: ClassVar[float] = 86_400

    path: str
    offset: int = 0
    length: int | None = None


class DiscardDevice(TiedRequest, frozen=True, kw_only=True):
    """Tell the storage that the bytes are not needed any more; what is read there afterwards is undefined."""

    seconds: ClassVar[float] = 3600

    path: str
    offset: int = 0
    length: int | None = None


class MakeMaster(TiedRequest, frozen=True, kw_only=True):
    """A new, empty ext3 that belongs to the agent, on a logical volume called `master`. What was there is lost."""

    seconds: ClassVar[float] = 300

    path: str


class CheckMaster(TiedRequest, frozen=True, kw_only=True):
    """fsck of an ext3 that is not mounted, mending what can be mended without asking. Status 0 and 1: it is in order
    now; 4 and more: it is not."""

    seconds: ClassVar[float] = 600

    path: str


class ReadDmsetup(Request[CommandResult], frozen=True, kw_only=True):
    """`dmsetup info` of all devices, a line each: name, uuid, major, minor, open count, fields joined by a tab."""

    seconds: ClassVar[float] = 20


class DropDevice(Request[CommandResult], frozen=True, kw_only=True):
    """Take the device of a logical volume from this host, by device mapper alone: its group does not have it any more,
    so LVM cannot. In use: refused."""

    seconds: ClassVar[float] = 60

    path: str


class RescanHosts(Request[CommandResult], frozen=True, kw_only=True):
    """Ask Fibre Channel and other SCSI hosts (numbers as in /sys/class/scsi_host) for new units."""

    seconds: ClassVar[float] = 60

    hosts: list[int]


class SettleDevices(Request[CommandResult], frozen=True, kw_only=True):
    """Wait until udev has dealt with the devices that came and went. Status 1: it still works on them."""

    seconds: ClassVar[float] = 40

    within: int = 15


async def read_device(request: ReadDevice, work: Work) -> DeviceFacts:
    return await asyncio.to_thread(_read, device_path(request.path))


async def read_blocks(request: ReadBlocks, work: Work) -> CommandResult:
    if request.offset < 0 or request.offset % BLOCK or request.size % BLOCK or not 0 < request.size <= READ_LIMIT:
        raise Refused(f"{request.size} bytes at {request.offset} of {request.path}", f"not whole blocks of {BLOCK}")
    place = (f"bs={BLOCK}", f"skip={request.offset // BLOCK}", f"count={request.size // BLOCK}")
    return await work.run("dd", f"if={storage_device(request.path)}", *place, "iflag=direct", "status=none")


async def own_device(request: OwnDevice, work: Work) -> None:
    if request.mode & ~0o660:
        raise Refused(f"mode {request.mode:o} for {request.path}", "at most 660")
    await asyncio.to_thread(lambda: hand_over(storage_device(request.path), work.rules, request.mode))


async def zero_device(request: ZeroDevice, work: Work) -> CommandResult:
    return await _in_steps(request.path, request.offset, request.length, work, "--zeroout")


async def discard_device(request: DiscardDevice, work: Work) -> CommandResult:
    return await _in_steps(request.path, request.offset, request.length, work)


async def make_master(request: MakeMaster, work: Work) -> CommandResult:
    path = _master(request.path)
    owner = f"root_owner={work.rules.user}:{work.rules.group}"
    return await work.run("mkfs.ext3", "-q", "-F", "-E", owner, "--", path)


async def check_master(request: CheckMaster, work: Work) -> CommandResult:
    return await work.run("fsck.ext3", "-p", "--", _master(request.path))


async def read_dmsetup(request: ReadDmsetup, work: Work) -> CommandResult:
    return await work.run(
        "dmsetup", "info", "--columns", "--noheadings", "--separator", "\t", "-o", "name,uuid,major,minor,open"
    )


async def drop_device(request: DropDevice, work: Work) -> CommandResult:
    return await work.run("dmsetup", "remove", "--", _mapped_volume(request.path))


async def rescan_hosts(request: RescanHosts, work: Work) -> CommandResult:
    """By a program: the write into sysfs lasts as long as the slowest unit needs, and could not be ended here."""
    files = [f"/sys/class/scsi_host/host{host}/scan" for host in request.hosts if host >= 0]
    return await work.run("tee", *files, stdin=b"- - -\n") if files else CommandResult(0)


async def settle_devices(request: SettleDevices, work: Work) -> CommandResult:
    return await work.run("udevadm", "settle", f"--timeout={request.within}")


async def _in_steps(path: str, offset: int, length: int | None, work: Work, *words: str) -> CommandResult:
    device = storage_device(path)
    size = (await asyncio.to_thread(_read, device)).size
    end = size if length is None else offset + length
    if not 0 <= offset <= end <= size:
        raise Refused(f"bytes {offset} to {end} of {path}", f"it has {size}")
    position, result = offset, CommandResult(0)
    while position < end and result.ok:
        step = min(STEP, end - position)
        result = await work.run("blkdiscard", *words, "--offset", str(position), "--length", str(step), "--", device)
        position += step
        work.progress(position - offset, end - offset)
    return result


def _master(path: str) -> str:
    if path.rsplit("/", 1)[-1] != "master":
        raise Refused(f"a file system on {path}", "it is not a logical volume called master")
    return storage_device(path)


def _mapped_volume(path: str) -> str:
    """The name that device mapper has for a logical volume."""
    folder = Path("/sys/class/block", os.path.basename(storage_device(path)), "dm")
    if not (folder / "uuid").read_text(encoding="utf-8").startswith("LVM-"):
        raise Refused(f"the end of {path}", "it is no logical volume")
    return (folder / "name").read_text(encoding="utf-8").strip()


def hand_over(device: str, rules: Rules, mode: int = 0o660) -> None:
    """Give a device that was checked to the agent. Raises OSError."""
    # the open descriptor is the node that was checked, whatever takes its place now; O_PATH: no driver is asked
    descriptor = os.open(device, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        node = f"/proc/self/fd/{descriptor}"
        os.chown(node, rules.user, rules.group)
        os.chmod(node, mode)
    finally:
        os.close(descriptor)


def _read(path: str) -> DeviceFacts:
    """From sysfs: nothing is opened, so a device without paths answers as well."""
    device = os.path.realpath(path)
    folder = f"/sys/class/block/{os.path.basename(device)}"
    queue = f"{folder}/queue" if os.path.isdir(f"{folder}/queue") else f"{folder}/../queue"  # of a partition

    def number(name: str) -> int:
        with open(name, encoding="ascii") as file:
            return int(file.read())

    return DeviceFacts(
        path=device,
        size=number(f"{folder}/size") * 512,
        logical_block=number(f"{queue}/logical_block_size"),
        physical_block=number(f"{queue}/physical_block_size"),
        discard_limit=number(f"{queue}/discard_max_bytes"),
        zero_limit=number(f"{queue}/write_zeroes_max_bytes"),
        is_read_only=bool(number(f"{folder}/ro")),
        holders=sorted(os.listdir(f"{folder}/holders")) if os.path.isdir(f"{folder}/holders") else [],
    )
