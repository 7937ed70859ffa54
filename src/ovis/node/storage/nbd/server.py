"""NBD servers: a volume of this host on a Unix socket, for backup and transfer programs.

    <run>/nbd/<id>.json      what it serves; written first, removed last
              <id>.pid       of qemu-nbd
              <id>.sock      where it listens

qemu-nbd runs by itself, in a session of its own, and goes on when the agent restarts; its volumes stay prepared for it
(holder `nbd-<id>`). It ends by `stop`, or with the host: all of this lies in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from ovis.node import processes
from ovis.node.errors import NodeError
from ovis.node.processes import Command, Limits
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import VolumeFormat, VolumeRole
from ovis.node.storage.volumes import bitmaps, reading
from ovis.node.storage.volumes.copying import Place
from ovis.node.storage.volumes.errors import NoSuchBitmap, TemplateNotWritable, Unsupported
from ovis.node.storage.volumes.qemu_img import Disk, alone

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.volumes.chain import Layer

log = logging.getLogger(__name__)

CLIENTS = 8
LIMITS = Limits(memory=4 << 30, files=1024)
START_SECONDS, END_SECONDS = 20.0, 5.0
NO_DIRECT = "O_DIRECT"


class NbdFailed(NodeError):
    def __init__(self, server: str, problem: str) -> None:
        super().__init__(f"NBD server {server}: {problem}")
        self.server, self.problem = server, problem


@dataclass(frozen=True)
class Export:
    """`backing_chain` False: what the volume itself holds, without its parents."""

    place: Place
    readonly: bool = False
    discard: bool = False
    detect_zeroes: bool = False
    backing_chain: bool = True
    bitmap: str | None = None


class _Record(msgspec.Struct, frozen=True):
    domain: DomainId
    image: ImageId
    volume: VolumeId


class NbdServers:
    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage = storage
        self._folder = folder
        self._turn = asyncio.Lock()

    async def start(self, server: str, export: Export) -> str:
        """The address. Raises NbdFailed (also when the id is taken), NoSuchVolume, Unsupported, NoSuchBitmap."""
        async with self._turn:
            if self._read(server) is not None:
                if self._process(server) is not None:
                    raise NbdFailed(server, "it runs already")
                await self._end(server)
            domain = await self._storage.domain(export.place.domain)
            layer = await reading.layer(domain, export.place.image, export.place.volume)
            check(server, export, layer)
            self._write(server, _Record(domain.id, export.place.image, layer.id))
            try:
                path = await self._storage.prepared.prepare(
                    domain, export.place.image, layer.id, holder=_holder(server)
                )
                await _check_bitmap(domain, layer, path, export)
                await self._start(server, export, Disk(path, layer.qemu_format))
            except BaseException:
                await asyncio.shield(self._end(server))
                raise
        return f"nbd:unix:{self._file(server, 'sock')}"

    async def stop(self, server: str) -> None:
        """Safe to repeat. Raises NbdFailed when it does not end."""
        async with self._turn:
            if self._read(server) is not None:
                await self._end(server)

    async def _start(self, server: str, export: Export, disk: Disk) -> None:
        socket, pid = self._file(server, "sock"), self._file(server, "pid")
        for cache in (("--cache=none", "--aio=native"), ("--cache=writeback",)):
            words = [*_words(export, disk, socket, pid), *cache, *_source(export, disk)]
            command = Command(words, limits=LIMITS, leaves_daemon=True)  # uvloop leaves it a copy of our pipe
            try:
                ended = await processes.run(command, seconds=START_SECONDS)
            except (processes.Stalled, OSError) as error:
                raise NbdFailed(server, str(error)) from error
            if not ended.status:
                return
            if NO_DIRECT not in ended.complaint:
                break
        raise NbdFailed(server, ended.complaint)

    async def _end(self, server: str) -> None:
        record = self._read(server)
        await self._kill(server)
        if record is not None:
            domain = await self._storage.domain(record.domain)
            await self._storage.prepared.tear_down(domain, record.image, holder=_holder(server))
        for ending in ("sock", "pid", "json"):
            self._file(server, ending).unlink(missing_ok=True)

    async def _kill(self, server: str) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self._process(server)
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_SECONDS):
                    while self._process(server) is not None:  # noqa: ASYNC110 - no child of ours: nobody tells its end
                        await asyncio.sleep(0.02)
        if self._process(server) is not None:
            raise NbdFailed(server, "it does not end; its volume stays prepared")

    def _process(self, server: str) -> int | None:
        """Its number while it runs. A number that is another program's by now is none."""
        try:
            pid = int(self._file(server, "pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if f"--socket={self._file(server, 'sock')}".encode() in words else None

    def _read(self, server: str) -> _Record | None:
        try:
            return msgspec.json.decode(self._file(server, "json").read_bytes(), type=_Record)
        except FileNotFoundError:
            return None

    def _write(self, server: str, record: _Record) -> None:
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = self._file(server, "new")
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(self._file(server, "json"))

    def _file(self, server: str, ending: str) -> Path:
        return self._folder / f"{server}.{ending}"


def check(server: str, export: Export, layer: Layer) -> None:
    """Raises TemplateNotWritable, Unsupported."""
    subject = f"NBD server {server}, {export.place}"
    if layer.metadata.role is VolumeRole.SHARED and not export.readonly:
        raise TemplateNotWritable(subject, "a template is served for reading only")
    if export.bitmap is None:
        return
    if layer.metadata.format is VolumeFormat.RAW:
        raise Unsupported(subject, "a raw volume has no bitmap")
    if not export.readonly or not export.backing_chain:
        raise Unsupported(subject, "a bitmap is served with a whole disk for reading only")


async def _check_bitmap(domain: Domain, layer: Layer, path: PurePosixPath, export: Export) -> None:
    if export.bitmap is not None:
        found = await bitmaps.of(domain, layer, path)
        if export.bitmap not in [bitmap.name for bitmap in found]:
            raise NoSuchBitmap(str(export.place), f"has no bitmap {export.bitmap}")


def _words(export: Export, disk: Disk, socket: PurePosixPath | Path, pid: Path) -> Sequence[str]:
    words = ["qemu-nbd", "--fork", f"--pid-file={pid}", f"--socket={socket}", "--persistent", f"--shared={CLIENTS}"]
    words.append("--export-name=")
    if export.readonly:
        words.append("--read-only")
    elif export.discard:
        words.append("--discard=unmap")
    if export.detect_zeroes and not export.readonly:
        words.append("--detect-zeroes=unmap" if export.discard else "--detect-zeroes=on")
    if export.bitmap is not None:
        words.append(f"--bitmap={export.bitmap}")
    return words


def _source(export: Export, disk: Disk) -> Sequence[str]:
    if export.backing_chain:
        return [f"--format={disk.format}", str(disk.path)]
    return [alone(disk)]


def _holder(server: str) -> str:
    return f"nbd-{server}"
