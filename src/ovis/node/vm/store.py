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
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.pools import Pool

log = logging.getLogger(__name__)
T = TypeVar("T")

VERSION = 1
CLOSE_WITHIN = 1.0
DEADLINE = 20.0  # a flush of a busy local disk takes a second or two


class Intent(StrEnum):
    """What the agent was about to do when it wrote the record."""

    CREATING = "creating"
    RUNNING = "running"
    DESTROYING = "destroying"
    DOWN = "down"


class StoredExit(msgspec.Struct, frozen=True):
    code: int
    reason: int
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
    asked: int | None = None
    exit: StoredExit | None = None


class UnreadableRecord(Exception):
    """A later release wrote it, or it is damaged."""


class Store:
    """The plain calls block; the vms use them through `run`."""

    def __init__(self, state_folder: Path) -> None:
        self._folder = state_folder / "vms"
        self._thread = Pool("vm store", threads=1)

    def write(self, record: Record) -> None:
        """Raises OSError; the former record then still stands."""
        path = self._path(record.id)
        fresh = path.with_suffix(".new")
        self._make_folder()
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode(record))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise
        self._flush_folder()

    def remove(self, vm_id: str) -> None:
        """Safe to repeat. Raises OSError."""
        self._path(vm_id).unlink(missing_ok=True)
        if self._folder.is_dir():
            self._flush_folder()

    def load(self) -> list[Record]:
        """All records. One that cannot be read is put aside as `<id>.json.unreadable` and logged."""
        records = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                records.append(_decode(path.read_bytes()))
            except (OSError, UnreadableRecord) as error:
                log.error(  # noqa: TRY400 - the trace would say nothing more
                    "%s cannot be read and is put aside: %s", path, error
                )
                with contextlib.suppress(OSError):
                    path.rename(path.with_name(path.name + ".unreadable"))
        for leftover in self._folder.glob("*.new"):
            leftover.unlink(missing_ok=True)
        return records

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

    def _flush_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _decode(data: bytes) -> Record:
    try:
        record = msgspec.json.decode(data, type=Record)
    except msgspec.MsgspecError as error:
        raise UnreadableRecord(str(error)) from error
    if record.version > VERSION:
        raise UnreadableRecord(f"its version is {record.version}, this release knows {VERSION}")
    return record
