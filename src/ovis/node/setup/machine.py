"""The machine that is set up: a tree of files, and programs that work on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ovis.node import durable_files
from ovis.node.setup.errors import OutsideOfRoot, ProgramFailed

PROGRAM_SECONDS = 60.0
_PROGRAM_FOLDERS = ("usr/sbin", "usr/bin", "sbin", "bin", "usr/libexec", "usr/local/sbin", "usr/local/bin")

Run = Callable[[Sequence[str]], str]


def run(line: Sequence[str]) -> str:
    """What the program prints. Raises ProgramFailed."""
    try:
        done = subprocess.run(
            list(line), capture_output=True, text=True, errors="replace", check=False,
            timeout=PROGRAM_SECONDS, stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramFailed(list(line), str(error)) from error
    if done.returncode:
        raise ProgramFailed(list(line), done.stderr or done.stdout)
    return done.stdout


@dataclass(frozen=True)
class Machine:
    """`root`: `/`, or the folder with the files of a machine that does not run (an image). `can_own`: owners are set;
    only root can, and a tree that another user prepares gets them later."""

    root: Path = Path("/")
    run: Run = run
    can_own: bool = field(default_factory=lambda: os.geteuid() == 0)

    @property
    def is_live(self) -> bool:
        return self.root == Path("/")

    @property
    def has_systemd(self) -> bool:
        """Source: sd_booted(3)."""
        return self.is_live and self.path("/run/systemd/system").is_dir()

    def path(self, name: str) -> Path:
        """Of a file of the machine, by its absolute name there."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """Empty for what is not there or may not be read."""
        try:
            return self.path(name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def has_program(self, name: str) -> bool:
        return any(os.access(self.path(f"{folder}/{name}"), os.X_OK) for folder in _PROGRAM_FOLDERS)

    def free_bytes(self, name: str) -> int:
        """Of the file system on which `name` is, or would be. Raises OSError."""
        path = self.path(name)
        while not path.exists():
            path = path.parent
        return shutil.disk_usage(path).free

    def place(self, name: str) -> Path:
        """A path to write at; its folder is made. Raises OutsideOfRoot, OSError."""
        path = self.path(name)
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise OutsideOfRoot(path, self.root)
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        return path

    def write(self, name: str, data: bytes, *, mode: int = 0o644, like: os.stat_result | None = None) -> None:
        """Whole or not at all, and still there after a power cut. `like`: whose owner and mode it gets."""
        path = self.place(name)
        fresh = path.with_name(path.name + durable_files.NEW)
        durable_files.write(fresh, data)
        if like is not None and self.can_own:
            os.chown(fresh, like.st_uid, like.st_gid)
        fresh.chmod(like.st_mode & 0o7777 if like is not None else mode)
        fresh.replace(path)
        durable_files.flush(path.parent)

    def remove(self, name: str) -> None:
        path = self.path(name)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            durable_files.flush(path.parent)

    def own(self, path: Path, user: int, group: int) -> None:
        if self.can_own:
            os.chown(path, user, group, follow_symlinks=False)
