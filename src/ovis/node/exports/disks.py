"""Writing a disk into the archive with qemu-img: from the volume with all its parents to one qcow2 image.

The image is begun by its header, made in a small file of its own and put into place; then qemu-img fills it where it
lies. So the archive is the only file that grows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from ovis.node import processes
from ovis.node.exports.errors import BadDisk, ExportFailed
from ovis.node.processes import Command, Ended, Limits
from ovis.node.qemu_progress import Progress

# As for other images: 1 GiB and 30 s are sufficient for honest ones (CVE-2015-5162). Tables of large ones need more.
LOOK = Limits(memory=1 << 30, cpu_seconds=30)
WORK = Limits(memory=8 << 30, is_background=True)
LOOK_SECONDS = 60.0
STALL_SECONDS = 900.0  # qemu-img tells each 0.01 %: of a 64 TiB disk 7 GB, two minutes of a slow line
HEADER_LIMIT = 16 << 20  # of a 64 TiB disk 1 MiB
FULL = "No space left on device"
T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """`driver` is QEMU's word for the format, `id` the volume's. `size` of the disk and `needed` in bytes."""

    id: str
    path: Path
    driver: str
    size: int
    needed: int


class _Info(msgspec.Struct, frozen=True, rename="kebab"):
    virtual_size: int


class _Measured(msgspec.Struct, frozen=True):
    required: int


async def look(volume: str, path: Path, driver: str) -> Source:
    """Raises BadDisk. That somebody writes to it is told by QEMU's locks when it is read (`write`)."""
    info = await _asked(volume, _Info, ["info", "--output=json", "-f", driver, str(path)])
    measured = await _asked(volume, _Measured, ["measure", "--output=json", "-O", "qcow2", "-f", driver, str(path)])
    return Source(volume, path, driver, info.virtual_size, measured.required)


async def write(
    source: Source,
    descriptor: int,
    offset: int,
    folder: Path,
    *,
    compressed: bool,
    on_percent: Callable[[int], None],
    on_start: Callable[[int], None],
) -> None:
    """Fill the end of the file behind `descriptor`, from `offset` on. Raises ExportFailed, OSError."""
    head = folder / "header"
    words = ["create", "-q", "-f", "qcow2", "-o", "compat=1.1", str(head), str(source.size)]
    _succeeded(source, await _run(source, words, LOOK, [], LOOK_SECONDS))
    data = head.read_bytes()  # some hundred KiB in the local state folder
    head.unlink()
    if len(data) > HEADER_LIMIT or os.pwrite(descriptor, data, offset) != len(data):
        raise ExportFailed(f"disk {source.id}: the header of its image could not be written")
    place = f"file.driver=raw,file.offset={offset},file.file.driver=file,file.file.filename=/dev/fd/{descriptor}"
    target = f"driver=qcow2,{place}"
    words = ["convert", "-p", "-n", "--target-is-zero", *(["-c"] if compressed else [])]
    words += ["-t", _cache_mode(f"/dev/fd/{descriptor}"), "-T", _cache_mode(str(source.path))]
    words += ["-f", source.driver, str(source.path), "--target-image-opts", target]
    progress = Progress(on_percent)
    ended = await _run(source, words, WORK, [descriptor], STALL_SECONDS, progress.take, on_start)
    _succeeded(source, ended)


async def _asked(volume: str, kind: type[T], words: list[str]) -> T:
    command = Command(["qemu-img", *words], limits=LOOK)
    try:
        ended = await processes.run(command, seconds=LOOK_SECONDS)
        if ended.status:
            raise BadDisk(volume, f"it cannot be read: {ended.complaint}")
        return msgspec.json.decode(ended.output, type=kind)
    except (processes.Stalled, OSError, msgspec.MsgspecError) as error:
        raise BadDisk(volume, f"it cannot be read: {error}") from error


async def _run(
    source: Source,
    words: list[str],
    limits: Limits,
    descriptors: list[int],
    seconds: float,
    on_output: Callable[[bytes], bool] | None = None,
    on_start: Callable[[int], None] | None = None,
) -> Ended:
    command = Command(["qemu-img", *words], limits=limits, descriptors=descriptors)
    try:
        return await processes.run(command, seconds=seconds, on_output=on_output, on_start=on_start)
    except processes.Stalled as error:
        raise ExportFailed(f"disk {source.id}: {error}") from error


def _succeeded(source: Source, ended: Ended) -> None:
    if not ended.status:
        return
    if FULL in ended.complaint:
        raise ExportFailed(f"disk {source.id} was not written: there is no space left for the archive")
    raise ExportFailed(f"disk {source.id} was not written: {ended.complaint}")


def _cache_mode(path: str) -> str:
    """Past the page cache where the file system can: an export must not push everything else out of it."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC))
    except OSError:
        return "writeback"
    return "none"
