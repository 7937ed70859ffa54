"""What must survive the agent: one JSON file per VM, `<state folder>/vms/<id>.json`.

A record is written before the VM is started, when it runs, before it is destroyed, and when it has ended. A write is a
new file that replaces the old one in one step; file and folder are flushed to the disk before `write` returns, so what
was answered afterwards is true after a power cut. The file may hold secrets of the description: only its owner reads.

Writes of the whole agent go through one thread: they are in order, and the event loop never waits for a disk. A disk
that hangs costs those who wait for it until their deadline, and does not keep the agent from ending.
"""

from __future__ import annotations

import contextlib
import logging
import stat
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from ovis.node import durable_files
from ovis.node.guest.freezing import Freeze
from ovis.node.guest.notices import Notice
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.pools import Pool
from ovis.node.vm.disks.work import NOTHING, DiskWork
from ovis.node.vm.migration.status import StoredDeparture
from ovis.node.vm.saving import StoredSaving
from ovis.node.vm.states import ExitCode, ExitReason
from ovis.node.vm.xml_difference import Change

log = logging.getLogger(__name__)
T = TypeVar("T")

VERSION = 1
LIMIT = 32 << 20  # the description is the most of it, at most 2 MiB when it comes from a caller
CLOSE_WITHIN = 1.0
DEADLINE = 20.0  # a flush of a busy local disk takes a second or two


class Intent(StrEnum):
    """What the agent was about to do when it wrote the record."""

    CREATING = "creating"
    ARRIVING = "arriving"
    RUNNING = "running"
    DESTROYING = "destroying"
    DOWN = "down"


class StoredExit(msgspec.Struct, frozen=True):
    code: ExitCode
    reason: ExitReason
    message: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`start_time`: Unix time in seconds. `asked` is the exit reason that a request through the API has set."""

    version: int = VERSION
    id: str
    name: str
    intent: Intent
    xml: str
    start_time: float
    launch_paused: bool = False
    time_offset: int | None = None
    asked: ExitReason | None = None
    exit: StoredExit | None = None
    freeze: Freeze | None = None
    notice: Notice | None = None
    departure: StoredDeparture | None = None
    saving: StoredSaving | None = None
    disk_work: DiskWork = NOTHING
    changes: tuple[Change, ...] = ()


class UnreadableRecord(Exception):
    """A later release wrote it, or it is damaged: trying again would not help."""


class Store:
    """The plain calls block; the vms use them through `run`."""

    def __init__(self, state_folder: Path) -> None:
        self._folder = state_folder / "vms"
        self._thread = Pool("vm store", threads=1)

    def write(self, record: Record) -> None:
        """Raises OSError; the former record then still stands."""
        self._make_folder()
        durable_files.replace(self._path(record.id), msgspec.json.encode(record))

    def remove(self, vm_id: str) -> None:
        """Safe to repeat. Raises OSError."""
        self._path(vm_id).unlink(missing_ok=True)
        if self._folder.is_dir():
            durable_files.flush(self._folder)

    def load(self) -> list[Record]:
        """All records. A damaged one is put aside as `<id>.json.unreadable`; one that the storage does not give stays.

        Both are logged, and neither keeps the others from being read.
        """
        records = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                records.append(_read(path))
            except UnreadableRecord as error:
                log.error("%s is damaged and put aside: %s", path, error)  # noqa: TRY400 - the text says it all
                self._put_aside(path)
            except OSError as error:
                log.error("%s cannot be read and is left there: %s", path, error.strerror)  # noqa: TRY400 - as above
        for leftover in self._folder.glob("*.new"):
            with contextlib.suppress(OSError):  # the next write replaces it, or fails and says so
                leftover.unlink(missing_ok=True)
        return records

    def _put_aside(self, path: Path) -> None:
        """Beside those that were put aside before: each may hold what somebody needs to set things right."""
        aside = path.with_name(f"{path.name}.unreadable")
        if aside.exists():
            aside = aside.with_name(f"{aside.name}.{time.time_ns()}")
        try:
            path.rename(aside)
        except OSError as error:
            log.warning("%s could not be put aside: %s", path, error.strerror)

    async def run(self, work: Callable[[], T]) -> T:
        """`work()` in the store's thread. Raises OSError, DeadlineExceeded, ThreadsExhausted."""
        return await self._thread.run("write the state of a VM", work, deadline=DEADLINE)

    async def close(self) -> None:
        """Waits a moment for what is being written; what then still hangs was not answered to anyone."""
        with contextlib.suppress(HypervisorError):
            await self._thread.run("finish writing", lambda: None, deadline=CLOSE_WITHIN)
        self._thread.close()

    def _path(self, vm_id: str) -> Path:
        return self._folder / f"{vm_id}.json"

    def _make_folder(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _read(path: Path) -> Record:
    """Raises UnreadableRecord, OSError."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a FIFO would be read for ever
        raise UnreadableRecord("it is no file")
    if status.st_size > LIMIT:
        raise UnreadableRecord(f"it has {status.st_size} bytes, at most {LIMIT} are read")
    record = _decode(path.read_bytes())
    if record.id != path.stem:
        raise UnreadableRecord(f"it is that of VM {record.id[:60]!r}")
    return record


def _decode(data: bytes) -> Record:
    version = _decoded(data, _Version).version
    if version > VERSION:
        raise UnreadableRecord(f"its version is {version}, this release knows {VERSION}")
    return _decoded(data, Record)


class _Version(msgspec.Struct):
    version: int


def _decoded(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableRecord(str(error)) from error
