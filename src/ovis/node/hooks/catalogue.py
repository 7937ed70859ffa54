"""Hooks that come with Ovis: a folder for each, with a script for each point that it needs, named by the point.

    hooks/qos/before_vm_start.py  ──enable──>  /usr/libexec/vdsm/hooks/before_vm_start/50_qos

What is enabled is a copy, which the administrator may change; disabling removes it only as long as it is a copy.
Other scripts are switched by their permission to be executed.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ovis.node.hooks.points import POINTS
from ovis.node.hooks.scripts import Script, Scripts

PLACES = (Path("/usr/share/ovis/hooks"), Path(__file__).parents[4] / "hooks")
"""Installed, and in a source tree."""
ORDER = 50
MODE = 0o755


class NoSuchHook(Exception):
    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"there is no hook {name!r} {where}")


class Changed(Exception):
    """A file is in the way that somebody has changed."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not what the catalogue has: remove it first, or give --force")


@dataclass(frozen=True)
class Entry:
    """One hook of the catalogue. `about`: the first sentence of its README."""

    name: str
    folder: Path

    @property
    def scripts(self) -> dict[str, Path]:
        """Point -> the script for it."""
        return {path.stem: path for path in sorted(self.folder.glob("*.py")) if path.stem in POINTS}

    @property
    def about(self) -> str:
        lines = (self.folder / "README.md").read_text(encoding="utf-8").splitlines()
        text = " ".join(line for line in lines[1:12] if line.strip())
        return text.partition(". ")[0].rstrip(".")


class Catalogue:
    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or next((place for place in PLACES if place.is_dir()), PLACES[0])

    def entries(self) -> list[Entry]:
        if not self.folder.is_dir():
            return []
        found = [Entry(path.name, path) for path in sorted(self.folder.iterdir()) if path.is_dir()]
        return [entry for entry in found if entry.scripts]

    def entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries() if entry.name == name), None)

    def origin(self, script: Script) -> Entry | None:
        """The hook that an installed script is an unchanged copy of."""
        for entry in self.entries():
            source = entry.scripts.get(script.point)
            if source is not None and script.name == _file_name(entry) and _same(source, script.path):
                return entry
        return None

    def enable(self, scripts: Scripts, name: str, *, force: bool = False) -> list[Path]:
        """The scripts that run from now on. Safe to repeat. Raises NoSuchHook, Changed, OSError."""
        entry = self.entry(name)
        if entry is None:
            return _switch(scripts, name, on=True)
        wanted = {scripts.folder / point / _file_name(entry): source for point, source in entry.scripts.items()}
        for target, source in wanted.items():
            if target.exists() and not force and not _same(source, target):
                raise Changed(target)
        for target, source in wanted.items():
            _copy(source, target)
        return list(wanted)

    def disable(self, scripts: Scripts, name: str) -> list[Path]:
        """The scripts that do not run any more. Safe to repeat. Raises NoSuchHook, OSError."""
        entry = self.entry(name)
        mine = [script for script in scripts.installed() if entry and script.name == _file_name(entry)]
        if entry is None:
            return _switch(scripts, name, on=False)
        for script in mine:
            if self.origin(script) == entry:
                script.path.unlink(missing_ok=True)
            else:
                _allow(script, on=False)
        return [script.path for script in mine]


def _switch(scripts: Scripts, name: str, *, on: bool) -> list[Path]:
    """By file name, or point/name."""
    found = [script for script in scripts.installed() if name in (script.name, f"{script.point}/{script.name}")]
    if not found:
        raise NoSuchHook(name, f"in the catalogue or in {scripts.folder}")
    for script in found:
        _allow(script, on=on)
    return [script.path for script in found]


def _allow(script: Script, *, on: bool) -> None:
    mode = script.path.stat().st_mode & 0o7777
    script.path.chmod(mode | (mode & 0o444) >> 2 if on else mode & ~0o111)


def _copy(source: Path, target: Path) -> None:
    """In one step: an agent that looks meanwhile finds all of it or nothing."""
    target.parent.mkdir(mode=MODE, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
        try:
            file.write(source.read_bytes())
            os.chmod(file.fileno(), MODE)
            os.replace(file.name, target)
        except BaseException:
            os.unlink(file.name)
            raise


def _file_name(entry: Entry) -> str:
    return f"{ORDER}_{entry.name}"


def _same(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() == other.read_bytes()
    except OSError:
        return False
