"""What must survive the agent of each import: one JSON file, `<state folder>/imports/<job>.json`; of exports alike.

Written before the job starts, and before its end is told. Beside it stands a folder of the same name for what a job
needs while it runs; in there `process` names the program at work, so that a later agent can end it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
from pathlib import Path

import msgspec

from ovis.client.types import ErrorInfo
from ovis.node import durable_files
from ovis.node.jobs import Phase

log = logging.getLogger(__name__)

VERSION = 1


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`phase` is running, done, failed or aborted. `ovf`: the result of an import that is done. `part`, `target`: of an
    export, the file that it writes and the name that this gets."""

    version: int = VERSION
    id: str
    description: str
    phase: Phase
    ovf: str | None = None
    error: ErrorInfo | None = None
    part: str | None = None
    target: str | None = None


class ImportStore:
    """Everything here blocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, record: Record) -> None:
        """Durable on return. Raises OSError; the former record then still stands."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable_files.replace(self._path(record.id), msgspec.json.encode(record))

    def remove(self, job_id: str) -> None:
        """Safe to repeat. Raises OSError."""
        self._path(job_id).unlink(missing_ok=True)
        if self.folder.is_dir():
            durable_files.flush(self.folder)

    def load(self) -> list[Record]:
        """All records, the oldest first. What cannot be read is put aside and logged; what was half written is gone."""
        if not self.folder.is_dir():
            return []
        records = []
        for path in sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime):
            try:
                record = msgspec.json.decode(path.read_bytes(), type=Record)
                if record.version > VERSION:
                    raise msgspec.ValidationError(f"version {record.version} is of a later release")
                records.append(record)
            except (OSError, msgspec.MsgspecError) as error:
                log.error("%s cannot be read and is put aside: %s", path, error)  # noqa: TRY400
                with contextlib.suppress(OSError):
                    path.rename(path.with_name(path.name + ".unreadable"))
        for leftover in self.folder.glob("*.new"):
            leftover.unlink(missing_ok=True)
        return records

    def make_folder(self, job_id: str) -> Path:
        path = self.folder / job_id
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def remove_folder(self, job_id: str) -> None:
        shutil.rmtree(self.folder / job_id, ignore_errors=True)

    def note_process(self, job_id: str, number: int) -> None:
        """Not flushed: a power cut ends the process as well."""
        with contextlib.suppress(OSError):
            (self.folder / job_id / "process").write_text(f"{number} {_began(number)}\n")

    def end_leftovers(self, job_id: str) -> None:
        """End what an earlier agent has started for the job, and remove its folder."""
        try:
            number, began = map(int, (self.folder / job_id / "process").read_text().split())
        except (OSError, ValueError):
            pass
        else:
            if began and _began(number) == began:
                log.warning("process group %d of job %s is still there: ended", number, job_id)
                with contextlib.suppress(OSError):
                    os.killpg(number, signal.SIGKILL)
        self.remove_folder(job_id)

    def _path(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.json"


def _began(number: int) -> int:
    """When the process started (clock ticks since boot, proc(5)): tells it from a later one of the same number."""
    try:
        text = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[19])
