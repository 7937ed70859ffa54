"""What this host remembers of its managed volumes: a file for each, which survives power cuts.

    <state>/managed/<volume>.json    {"volume", "domain", "connection": {...}, "attachment": {...} or null, "boot"}

A device of an earlier boot is gone, and its name may be that of another volume by now: such an attachment reads as
none.

Written without `attachment` before anything is attached, with it when the device is there, removed after it has gone.
The connection is whole, secrets too, as some drivers need it to detach: the file and its folder are the agent's alone.
A file that cannot be read is put aside (ending .broken) and told.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
from msgspec import Struct

from ovis.node import durable_files
from ovis.node.storage.managed.driver import Attachment, Connection

log = logging.getLogger(__name__)

ENDING = ".json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Record(Struct, frozen=True):
    """`domain` empty: attached for none. `attachment` None: being attached, or the agent died meanwhile."""

    volume: str
    domain: str
    connection: Connection
    attachment: Attachment | None = None
    boot: str = ""


class Records:
    """All of it blocks and raises OSError."""

    def __init__(self, folder: Path, *, boot_id: Path = BOOT_ID) -> None:
        self._folder = folder
        self._boot_id = boot_id

    def read(self, volume: str) -> Record | None:
        file = self._file(volume)
        try:
            record = msgspec.json.decode(file.read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            aside = file.with_name(f"{file.name}.broken")
            log.error("%s cannot be read (%s): put aside as %s", file, error, aside)  # noqa: TRY400
            file.replace(aside)
            return None
        return record if record.boot == self._boot() else msgspec.structs.replace(record, attachment=None)

    def all(self) -> list[Record]:
        """By their ids."""
        try:
            volumes = sorted(file.stem for file in self._folder.iterdir() if file.suffix == ENDING)
        except FileNotFoundError:
            return []
        return [record for volume in volumes if (record := self.read(volume)) is not None]

    def write(self, record: Record) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable_files.flush(self._folder.parent)
        stamped = msgspec.structs.replace(record, boot=self._boot())
        durable_files.replace(self._file(record.volume), msgspec.json.encode(stamped))

    def remove(self, volume: str) -> None:
        self._file(volume).unlink(missing_ok=True)
        durable_files.flush(self._folder)

    def _boot(self) -> str:
        return self._boot_id.read_text(encoding="ascii").strip()

    def _file(self, volume: str) -> Path:
        return self._folder / f"{volume}{ENDING}"
