"""qemu-img as processes: limited, with deadlines, progress and an end whatever happens.

The format of every image is said and never guessed; that of a parent stands in the child's header, which we wrote or
checked (untrusted.py). A long command goes on as long as it makes progress. Cancelling kills the process group.
All paths are absolute, so that qemu-img takes none of them for a protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ovis.node import processes
from ovis.node.processes import Command, Ended, Limits
from ovis.node.qemu_progress import Progress
from ovis.node.storage.errors import NoSpace
from ovis.node.storage.leases.held import inherited, keeper
from ovis.node.storage.volumes.errors import QemuImgFailed
from ovis.node.storage.volumes.image_info import Check, Extent, ImageInfo, Measure, decode_extents

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain

RAW, QCOW2 = "raw", "qcow2"

# The figures that OpenStack has found sufficient for honest images: 1 GiB and 30 s (CVE-2015-5162).
LOOK = Limits(memory=1 << 30, cpu_seconds=30)
# qcow2 keeps tables of the whole image in memory; 8 TiB of them are 1 GiB.
WORK = Limits(memory=8 << 30, is_background=True)
QUICK_SECONDS = 60.0
STALL_SECONDS = 900.0  # progress is told each 0.01 %: of a 64 TiB disk 7 GB, two minutes of a slow line
OUTPUT_LIMIT = 1 << 20
MAP_LIMIT = 64 << 20
NO_DIRECT = "O_DIRECT"  # what QEMU complains of where a file system has none
FULL = "No space left on device"

T = TypeVar("T")
OnPercent = Callable[[int], None]


def _nothing(_: int) -> None:
    pass


@dataclass(frozen=True)
class Disk:
    """A file or device and the format of its content (raw, qcow2). Text: an address of another kind (nbd:...)."""

    path: PurePosixPath | str
    format: str


@dataclass(frozen=True)
class QemuImg:
    """`domain` is named where space runs out. Every process inherits what ties it to the leases of the running
    operation (leases/held.py): none of them outlives its lease."""

    domain: str = ""
    stall: float = STALL_SECONDS
    program: Sequence[str] = field(default_factory=lambda: ("qemu-img",))

    async def info(self, disk: Disk) -> ImageInfo:
        """Of this layer alone: no parent is opened. `-U`: also while a VM writes to it."""
        ended = await self._look(disk.path, "info", "--output=json", "-U", "-f", disk.format, str(disk.path))
        return _decoded("info", disk.path, ended.output, ImageInfo)

    async def check(self, disk: Disk) -> Check:
        """Refuses what cannot be checked; leaks are no error, corruption is told in the answer."""
        ended = await self._run(disk.path, "check", "--output=json", alone(disk), limits=WORK, accept=(0, 2, 3))
        return _decoded("check", disk.path, ended.output, Check)

    async def measure(self, disk: Disk, to: str, *, view: Sequence[Disk] = ()) -> Measure:
        """Of what is seen through all parents, or of the layers in `view` alone (from `disk` down)."""
        words = [_layers(view)] if view else ["-f", disk.format, str(disk.path)]
        ended = await self._run(disk.path, "measure", "--output=json", "-O", to, *words, limits=WORK)
        return _decoded("measure", disk.path, ended.output, Measure)

    async def map(self, disk: Disk) -> tuple[Extent, ...]:
        ended = await self._run(
            disk.path, "map", "--output=json", "-U", "-f", disk.format, str(disk.path), limits=WORK, output=MAP_LIMIT
        )
        try:
            return decode_extents(ended.output)
        except msgspec.MsgspecError as error:
            raise QemuImgFailed("map", str(disk.path), f"tells nothing usable: {error}") from error

    async def create(
        self,
        disk: Disk,
        size: int,
        *,
        compat: str = "1.1",
        backing: str | None = None,
        backing_format: str | None = None,
        preallocate: bool = False,
    ) -> None:
        """Write a qcow2 header (over whatever is there). `backing` is only named, never opened. Safe to repeat."""
        options = [f"compat={compat}"]
        if preallocate:
            options.append("preallocation=falloc")
        words = ["-f", disk.format, "-o", ",".join(options)]
        if backing is not None:
            words += ["-u", "-b", backing, "-F", backing_format or QCOW2]
        await self._write(disk.path, "create", "-q", *words, str(disk.path), str(size))

    async def convert(
        self,
        source: Disk,
        target: Disk,
        *,
        above: Disk | None = None,
        create: bool = False,
        target_is_zero: bool = False,
        bitmaps: bool = False,
        on_percent: OnPercent = _nothing,
    ) -> None:
        """Copy what `source` shows into the existing `target`; what the target held shines through nowhere, but an
        old qcow2 layer should be made anew before (`create`).

        `above`: the twin of the source's parent: only what the source itself holds is copied, and the target must name
        that twin. `target_is_zero`: nobody has written there. `create`: the target is not there yet. Safe to
        repeat.
        """
        words = ["-p"] + ([] if create else ["-n"])
        if target.format == RAW:
            words.append("-W")  # in any order: faster, and a raw target is not spread out by it
        if above is not None:
            words += ["-B", str(above.path), "-F", above.format]
        elif target_is_zero and not create:
            words.append("--target-is-zero")
        if bitmaps:
            words += ["--bitmaps", "--skip-broken-bitmaps"]
        ends = ["-f", source.format, "-O", target.format, str(source.path), str(target.path)]
        await self._direct(target.path, "convert", words, ends, on_percent, both=True)

    async def commit(self, top: Disk, *, on_percent: OnPercent = _nothing) -> None:
        """Write what `top` holds into its parent, which becomes as large; `top` stays as it is. Safe to repeat."""
        await self._direct(top.path, "commit", ["-p", "-d"], ["-f", top.format, str(top.path)], on_percent)

    async def rebase(self, disk: Disk, backing: str | None, backing_format: str = RAW) -> None:
        """Name another parent in the header; the data stay. Safe to repeat."""
        words = ["-u", "-b", backing or ""] + (["-F", backing_format] if backing else [])
        await self._write(disk.path, "rebase", "-q", *words, "-f", disk.format, str(disk.path))

    async def resize(self, disk: Disk, size: int, *, preallocate: bool = False) -> None:
        """Grow what a guest sees. Raw files get blocks for the new part when `preallocate`."""
        words = ["--preallocation=falloc"] if preallocate else []
        await self._write(disk.path, "resize", "-q", *words, alone(disk), str(size))

    async def amend(self, disk: Disk, compat: str) -> None:
        await self._direct(disk.path, "amend", ["-p", "-o", f"compat={compat}"], [alone(disk)], _nothing)

    async def add_bitmap(self, disk: Disk, name: str, *, granularity: int | None = None) -> None:
        words = ["--add"] + (["-g", str(granularity)] if granularity else [])
        await self._write(disk.path, "bitmap", *words, alone(disk), name)

    async def remove_bitmap(self, disk: Disk, name: str) -> None:
        await self._write(disk.path, "bitmap", "--remove", alone(disk), name)

    async def merge_bitmap(self, source: Disk, name: str, target: Disk) -> None:
        """Join what the bitmap of `source` has seen into that of the same name in `target`."""
        words = ["--merge", name, "-F", source.format, "-b", str(source.path)]
        await self._write(target.path, "bitmap", *words, alone(target), name)

    async def _direct(
        self,
        path: PurePosixPath | str,
        command: str,
        words: list[str],
        ends: list[str],
        on_percent: OnPercent,
        *,
        both: bool = False,
    ) -> None:
        """Past the page cache where the file system can: nothing else is pushed out of it, and what was written is
        on storage. Elsewhere (tmpfs, some FUSE) through it, flushed at the end by QEMU."""
        caches = [["-t", "none"] + (["-T", "none"] if both else []), ["-t", "writeback"]]
        progress = Progress(on_percent)
        for cache in caches:
            try:
                await self._run(
                    path, command, *words, *cache, *ends, limits=WORK, seconds=self.stall, on_output=progress.take
                )
            except QemuImgFailed as error:
                if NO_DIRECT in error.problem and cache is not caches[-1]:
                    continue
                raise
            return

    async def _look(self, path: PurePosixPath | str, command: str, *words: str) -> Ended:
        return await self._run(path, command, *words, limits=LOOK)

    async def _write(self, path: PurePosixPath | str, command: str, *words: str) -> None:
        await self._run(path, command, *words, limits=WORK, seconds=self.stall)

    async def _run(
        self,
        path: PurePosixPath | str,
        command: str,
        *words: str,
        limits: Limits,
        seconds: float = QUICK_SECONDS,
        on_output: Callable[[bytes], bool] | None = None,
        accept: Sequence[int] = (0,),
        output: int = OUTPUT_LIMIT,
    ) -> Ended:
        started = Command(
            [*self.program, command, *words],
            limits=limits,
            descriptors=inherited(),
            output_limit=output,
            when_stuck=keeper(),
        )
        try:
            ended = await processes.run(started, seconds=seconds, on_output=on_output)
        except processes.Stalled as error:
            raise QemuImgFailed(command, str(path), str(error)) from error
        except OSError as error:
            raise QemuImgFailed(command, str(path), f"cannot be started: {error}") from error
        if ended.status not in accept:
            if FULL in ended.complaint:
                raise NoSpace(self.domain, 0) from QemuImgFailed(command, str(path), ended.complaint)
            raise QemuImgFailed(command, str(path), ended.complaint)
        return ended


def on(domain: Domain) -> QemuImg:
    """For work that writes to the domain."""
    return QemuImg(domain=domain.id)


def _layers(view: Sequence[Disk]) -> str:
    """QEMU's description of a part of a chain, from the top down; below the last one there is nothing."""
    node: dict[str, object] | None = None
    for disk in reversed(view):
        above = node
        node = {"driver": disk.format, "file": {"filename": str(disk.path)}}  # a file or a device, as it is
        if disk.format == QCOW2:
            node["backing"] = above
    return "json:" + msgspec.json.encode(node).decode()


def alone(disk: Disk) -> str:
    """This layer without its parents: they need not be active, nor be there."""
    return _layers((disk,))


def _decoded(command: str, path: PurePosixPath | str, output: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(output, type=kind)
    except msgspec.MsgspecError as error:
        raise QemuImgFailed(command, str(path), f"tells nothing usable: {error}") from error
