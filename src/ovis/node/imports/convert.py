"""Copying a disk image into a volume with `qemu-img convert`. Nothing in the guest is changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from ovis.node import processes
from ovis.node.imports import headers
from ovis.node.imports.disks import Image
from ovis.node.imports.errors import BadDisk, BadTarget, ConversionFailed
from ovis.node.imports.targets import Target
from ovis.node.processes import Command, Limits
from ovis.node.qemu_progress import Progress

COPY_LIMITS = Limits(memory=4 << 30)
STALL_SECONDS = 900.0  # qemu-img tells each 0.01 %: of a 64 TiB disk 7 GB, two minutes of a slow line


def check_room(size: int, disk: str, target: Target) -> None:
    """Whether a disk of `size` bytes fits into the volume. Blocks. Raises BadTarget, OSError."""
    room = _room(target)
    if room < size:
        raise BadTarget(target.volume_id, f"it has {room} bytes, disk {disk!r} needs {size}")


async def copy(
    image: Image,
    target: Target,
    *,
    on_percent: Callable[[int], None],
    on_start: Callable[[int], None],
    stall: float = STALL_SECONDS,
) -> None:
    """Write the whole disk; on return it is in the file system's or device's hands (`flush` makes it durable).

    The volume's bytes up to the disk's size are replaced, zeros included; what lies beyond is left as it is.
    Raises ConversionFailed: the volume holds unusable content.
    """
    command = Command(
        [
            *("qemu-img", "convert", "-p", "-n", "-t", _cache_mode(target), "-O", target.driver),
            *(image.source, str(target.path)),
        ],
        limits=COPY_LIMITS,
        descriptors=[image.content.descriptor],
    )
    progress = Progress(on_percent)
    try:
        ended = await processes.run(command, seconds=stall, on_output=progress.take, on_start=on_start)
    except processes.Stalled as error:
        raise ConversionFailed(f"disk {image.content.name!r}: {error}") from error
    if ended.status:
        raise ConversionFailed(f"disk {image.content.name!r} was not copied: {ended.complaint}")


def flush(target: Target) -> None:
    """Until the volume's content is on its disk. Blocks. Raises OSError."""
    descriptor = os.open(target.path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def used(target: Target) -> int:
    """Bytes that the volume takes on its storage; a block device is there as a whole. Blocks. Raises OSError."""
    status = os.stat(target.path)
    return _device_size(target.path) if stat.S_ISBLK(status.st_mode) else status.st_blocks * 512


def _room(target: Target) -> int:
    descriptor = os.open(target.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if target.driver == "raw":
            return os.lseek(descriptor, 0, os.SEEK_END)
        try:
            header = headers.check(lambda at, count: os.pread(descriptor, count, at), target.volume_id, target.driver)
        except BadDisk as error:
            raise BadTarget(target.volume_id, error.problem) from error
        assert header.size is not None
        return header.size
    finally:
        os.close(descriptor)


def _device_size(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)


def _cache_mode(target: Target) -> str:
    """Past the page cache where the file system can: an import must not push everything else out of it."""
    try:
        os.close(os.open(target.path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC))
    except OSError:
        return "writeback"
    return "none"
