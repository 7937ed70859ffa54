"""What is installed: executable files in `<folder>/<point>/`, which run in the order of their names.

A host without hooks pays one look at a missing folder for each point, and that is all: nothing is read before a folder
of a point is there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

READ_AT_ONCE = 1 << 20


class Script(NamedTuple):
    """`is_enabled`: it is executable."""

    point: str
    path: Path
    is_enabled: bool

    @property
    def name(self) -> str:
        return self.path.name


class Scripts:
    """Looks into the folder each time it is asked, so that what is installed counts at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._empty: dict[str, int] = {}
        self._checksums: dict[str, tuple[tuple[int, int, int], str]] = {}

    @property
    def is_there(self) -> bool:
        """Whether there may be any."""
        return os.path.isdir(self.folder)

    def of(self, point: str) -> tuple[Script, ...]:
        """Those that run at the point. A folder that was found without any file is read again once it has changed."""
        place = f"{self.folder}/{point}"
        try:
            changed = os.stat(place).st_mtime_ns
        except OSError:
            return ()
        if self._empty.get(point) == changed:
            return ()
        found = list(_files(point, place))
        if not found:
            self._empty[point] = changed
        return tuple(script for script in found if script.is_enabled)

    def installed(self) -> list[Script]:
        """All of known points, also those that are switched off."""
        from ovis.node.hooks.points import POINTS

        return [script for point in POINTS for script in _files(point, f"{self.folder}/{point}")]

    def checksums(self) -> dict[str, dict[str, str]]:
        """Point -> script -> MD5 of its content, of those that run. A file is read again when it has changed."""
        if not self.folder.is_dir():
            return {}
        found: dict[str, dict[str, str]] = {}
        for script in self.installed():
            if script.is_enabled and (known := self.checksum(script)) is not None:
                found.setdefault(script.point, {})[script.name] = known
        return found

    def checksum(self, script: Script) -> str | None:
        """None: it cannot be read."""
        try:
            status = script.path.stat()
            version = status.st_ino, status.st_mtime_ns, status.st_size
            known = self._checksums.get(str(script.path))
            if known is None or known[0] != version:
                known = version, _md5(script.path)
                self._checksums[str(script.path)] = known
        except OSError:
            return None
        return known[1]


def _files(point: str, place: str) -> Iterator[Script]:
    try:
        names = sorted(os.listdir(place))
    except OSError:
        return
    for name in names:
        path = Path(place, name)
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if stat.S_ISREG(mode):
            yield Script(point, path, is_enabled=os.access(path, os.X_OK))


def _md5(path: Path) -> str:
    import hashlib

    sum_ = hashlib.md5(usedforsecurity=False)  # what the API tells, to compare hosts
    with path.open("rb") as file:
        while data := file.read(READ_AT_ONCE):
            sum_.update(data)
    return sum_.hexdigest()
