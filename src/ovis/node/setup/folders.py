"""The step that makes folders."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass

from ovis.node import durable_files
from ovis.node.setup.machine import Machine
from ovis.node.setup.record import Records


@dataclass(frozen=True)
class Folder:
    """Owner and group as numbers."""

    path: str
    mode: int = 0o755
    user: int = 0
    group: int = 0


@dataclass(frozen=True)
class Folders:
    """Undone, empty ones that it made go; owner and mode of others are put back."""

    name: str
    why: str
    folders: Sequence[Folder]
    afterwards: Sequence[Sequence[str]] = ()
    starts: Sequence[Sequence[str]] = ()

    def missing(self, machine: Machine, records: Records) -> list[str]:
        return [
            f"folder {folder.path}, mode {folder.mode:04o}, owner {folder.user}:{folder.group}"
            for folder in self.folders
            if not _is_in_place(folder, machine)
        ]

    def apply(self, machine: Machine, records: Records) -> None:
        record = records.read(self.name) or {"folders": {}}
        before = {folder.path: _state(folder.path, machine) for folder in self.folders}
        records.write(self.name, {"folders": {**before, **record["folders"]}})
        for folder in self.folders:
            if _is_in_place(folder, machine):
                continue
            path = machine.place(folder.path)
            path.mkdir(mode=folder.mode, exist_ok=True)
            machine.own(path, folder.user, folder.group)
            path.chmod(folder.mode)
            durable_files.flush(path.parent)

    def undo(self, machine: Machine, records: Records) -> list[str]:
        record = records.read(self.name)
        if record is None:
            return []
        left = []
        for name, before in reversed(list(record["folders"].items())):
            path = machine.path(name)
            if not path.is_dir():
                continue
            if before is not None:
                machine.own(path, before[1], before[2])
                path.chmod(before[0])
            elif any(path.iterdir()):
                left.append(f"{name} is not empty and stays")
            else:
                path.rmdir()
        records.forget(self.name)
        return left


def _state(name: str, machine: Machine) -> list[int] | None:
    try:
        found = machine.path(name).stat()
    except FileNotFoundError:
        return None
    return [stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid]


def _is_in_place(folder: Folder, machine: Machine) -> bool:
    here = _state(folder.path, machine)
    owner = [folder.user, folder.group]
    return here is not None and here[0] == folder.mode and (not machine.can_own or here[1:] == owner)
