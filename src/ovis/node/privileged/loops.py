"""Loop devices over files of the lab: managed volumes without a storage system.

A device carries the name of its volume in the kernel (lo_file_name), so it is found again whoever died in between, and
devices of others are never touched. By ioctl instead of losetup(8): the file that was checked is the one that is used,
as an open descriptor. Source: include/uapi/linux/loop.h, LOOP_CONFIGURE (Linux 5.8).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import re
import stat
import struct
import time
from pathlib import Path, PurePosixPath
from typing import ClassVar

from ovis.node.privileged.devices import hand_over
from ovis.node.privileged.errors import Busy, Refused
from ovis.node.privileged.protocol import Request
from ovis.node.privileged.rules import GROUP_NAME, Rules, open_folder
from ovis.node.privileged.work import Work

_CONTROL_GET_FREE, _CONFIGURE, _CLEAR, _GET_STATUS = 0x4C82, 0x4C0A, 0x4C01, 0x4C05
_READ_ONLY, _DIRECT_IO = 1, 16
# device, inode, rdevice, offset, size limit; number, encryption type and key size, flags; name, two of encryption
_INFO = struct.Struct("=5Q4I64s64s32s2Q")
_CONFIG = struct.Struct(f"=II{_INFO.size}s64x")
_PREFIX = "ovis:"
_TRIES = 8
_GONE_WITHIN = 5.0  # udev looks at a device for a moment after each change


class AttachLoop(Request[str], frozen=True, kw_only=True):
    """The loop device of a volume (a UUID) over a regular file below the folder that the helper was given.

    Repeatable: the device that it has already. It belongs to the agent's user.
    """

    answer: ClassVar[type] = str
    seconds: ClassVar[float] = 20

    volume: str
    file: str
    is_read_only: bool = False


class DetachLoop(Request[bool], frozen=True, kw_only=True):
    """Whether there was one. Busy: something has it open; it goes by itself when that closes it."""

    answer: ClassVar[type] = bool
    seconds: ClassVar[float] = 20

    volume: str


async def attach_loop(request: AttachLoop, work: Work) -> str:
    return await asyncio.to_thread(_attach, request, work.rules)


async def detach_loop(request: DetachLoop, work: Work) -> bool:
    return await asyncio.to_thread(_detach, _name(request.volume), request.volume)


def _attach(request: AttachLoop, rules: Rules) -> str:
    name = _name(request.volume)
    file = _open(request, rules)
    try:
        here = os.fstat(file)
        found = _find(name)
        if found is not None:
            device, inode = found
            if inode != (here.st_dev, here.st_ino):
                raise Refused(f"a loop device over {request.file}", f"{device} is of that volume, over another file")
        else:
            device = _configure(file, name, request.is_read_only)
    finally:
        os.close(file)
    hand_over(device, rules)
    return device


def _detach(name: bytes, volume: str) -> bool:
    found = _find(name)
    if found is None:
        return False
    device = os.open(found[0], os.O_RDONLY | os.O_CLOEXEC)
    try:
        # first: the next user of this number may have a file that is none of the agent's business
        os.chown(found[0], 0, 0)
        os.chmod(found[0], 0o600)
        fcntl.ioctl(device, _CLEAR)
    finally:
        os.close(device)
    deadline = time.monotonic() + _GONE_WITHIN
    while _find(name) is not None:
        if time.monotonic() > deadline:
            raise Busy(f"the end of {found[0]}", f"something has volume {volume} open; it goes when that closes it")
        time.sleep(0.05)
    return True


def _name(volume: str) -> bytes:
    if not GROUP_NAME.fullmatch(volume):
        raise Refused(f"the managed volume {volume!r}", "its id is no UUID")
    return f"{_PREFIX}{volume}".encode()


def _open(request: AttachLoop, rules: Rules) -> int:
    """The file, no link followed below the folder. A second name of it could be one of a file of the host."""
    path, root = PurePosixPath(request.file), rules.loop_folder
    if str(path) != request.file or ".." in path.parts or not path.is_relative_to(root) or path == root:
        raise Refused(f"a loop device over {request.file!r}", f"it is not below {root}")
    folder = open_folder(path.parent, root)
    mode = os.O_RDONLY if request.is_read_only else os.O_RDWR
    try:
        # without waiting: a pipe has nobody at its other end
        file = os.open(path.name, mode | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
    facts = os.fstat(file)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        os.close(file)
        raise Refused(f"a loop device over {request.file}", "it is not a regular file with one name")
    return file


def _configure(file: int, name: bytes, is_read_only: bool) -> str:
    flags = _DIRECT_IO | (_READ_ONLY if is_read_only else 0)  # what cannot do direct I/O is used without
    info = _INFO.pack(0, 0, 0, 0, 0, 0, 0, 0, flags, name, b"", b"", 0, 0)
    for _ in range(_TRIES):
        path = _free()
        device = os.open(path, (os.O_RDONLY if is_read_only else os.O_RDWR) | os.O_CLOEXEC)
        try:
            fcntl.ioctl(device, _CONFIGURE, _CONFIG.pack(file, 0, info))
        except OSError as error:
            if error.errno != errno.EBUSY:  # somebody else was given the same free one
                raise
        else:
            return path
        finally:
            os.close(device)
    raise Busy("a loop device", f"others took each of {_TRIES} free ones")


def _free() -> str:
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        return f"/dev/loop{fcntl.ioctl(control, _CONTROL_GET_FREE)}"
    finally:
        os.close(control)


def _find(name: bytes) -> tuple[str, tuple[int, int]] | None:
    """The device of that name, and device and inode of its file."""
    for folder in sorted(Path("/sys/block").glob("loop*/loop")):
        path = f"/dev/{folder.parent.name}"
        if not re.fullmatch(r"/dev/loop\d+", path):
            continue
        info = bytearray(_INFO.size)
        try:
            device = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue  # it went this moment
        try:
            fcntl.ioctl(device, _GET_STATUS, info)
        except OSError:
            continue
        finally:
            os.close(device)
        values = _INFO.unpack(info)
        if values[9].rstrip(b"\0") == name:
            return path, (values[0], values[1])
    return None
