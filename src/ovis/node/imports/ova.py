"""An OVA: a tar archive or a folder with a description (OVF) and disk images. Nothing of it is ever unpacked.

Files are opened once; what is looked at and what is copied later is the same open file, whatever its path leads to by
then. In a folder no link is followed. Everything here blocks as long as the storage does: it belongs into a thread.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ovis.node.imports import tar
from ovis.node.imports.errors import BadArchive, NoDescription
from ovis.node.imports.tar import Member

DESCRIPTION_LIMIT = 2 << 20
FOLDER_ENTRIES = 4096


@dataclass(frozen=True)
class Content:
    """A file of the OVA, readable through `descriptor` as long as the OVA is open.

    `offset` is None when the descriptor shows nothing else.
    """

    name: str
    descriptor: int
    size: int
    offset: int | None

    def read(self, at: int, count: int) -> bytes:
        """At most `count` bytes from `at` on; fewer at the end. Raises OSError."""
        return os.pread(self.descriptor, min(count, max(self.size - at, 0)), (self.offset or 0) + at)


class Ova:
    """Open until closed. Raises BadArchive, NoDescription, OSError while it is opened."""

    def __init__(self, path: str, allowed: Sequence[Path] = (Path("/"),)) -> None:
        self.path = path
        self._descriptors: list[int] = []
        try:
            self._open(allowed)
            self.description_name = self._find_description()
        except BaseException:
            self.close()
            raise

    def _open(self, allowed: Sequence[Path]) -> None:
        if not os.path.isabs(self.path) or "\0" in self.path:
            raise BadArchive(self.path.replace("\0", "?"), "the path is not absolute")
        real = Path(os.path.realpath(self.path))
        if not any(real.is_relative_to(os.path.realpath(place)) for place in allowed):
            raise BadArchive(self.path, "it lies outside of the places allowed by `imports.ova_paths`")
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        self._own = self._keep(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        mode = os.fstat(self._own).st_mode
        self.is_folder = stat.S_ISDIR(mode)
        if self.is_folder:
            self._names = _names_in(self._own, self.path)
        elif stat.S_ISREG(mode):
            self._members = tar.members(self._own, self.path)
            self._names = list(self._members)
        else:
            raise BadArchive(self.path, "it is neither a file nor a folder")

    def _find_description(self) -> str:
        found = [name for name in self._names if name.lower().endswith(".ovf") and "/" not in name]
        if not found:
            raise NoDescription(self.path)
        if len(found) > 1:
            raise BadArchive(self.path, f"it has {len(found)} descriptions (*.ovf); which one counts is not known")
        return found[0]

    def description(self) -> str:
        content = self.content(self.description_name)
        if content.size > DESCRIPTION_LIMIT:
            problem = f"the description has {content.size} bytes, at most {DESCRIPTION_LIMIT} are read"
            raise BadArchive(self.path, problem, member=content.name)
        try:
            return content.read(0, content.size).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadArchive(self.path, "the description is not UTF-8", member=content.name) from error

    def has(self, name: str) -> bool:
        return name in self._names

    def content(self, name: str) -> Content:
        """Raises BadArchive, OSError."""
        plain = tar.check_name(name, self.path)
        if self.is_folder:
            return self._in_folder(plain)
        member: Member | None = self._members.get(plain)
        if member is None:
            raise BadArchive(self.path, "the description names it, but it is not there", member=name)
        return Content(plain, self._own, member.size, member.offset)

    def _in_folder(self, name: str) -> Content:
        folder = self._own
        *outer, last = name.split("/")
        try:
            for part in outer:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                folder = self._keep(os.open(part, flags, dir_fd=folder))
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = self._keep(os.open(last, flags, dir_fd=folder))
        except FileNotFoundError as error:
            raise BadArchive(self.path, "the description names it, but it is not there", member=name) from error
        except OSError as error:
            problem = f"it cannot be opened as a plain file (links are refused): {error.strerror}"
            raise BadArchive(self.path, problem, member=name) from error
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadArchive(self.path, "it is no plain file: refused", member=name)
        return Content(name, descriptor, status.st_size, None)

    def _keep(self, descriptor: int) -> int:
        self._descriptors.append(descriptor)
        return descriptor

    def close(self) -> None:
        """Safe to repeat."""
        while self._descriptors:
            with contextlib.suppress(OSError):
                os.close(self._descriptors.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _names_in(descriptor: int, path: str) -> list[str]:
    names = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > FOLDER_ENTRIES:
                raise BadArchive(path, f"the folder has more than {FOLDER_ENTRIES} entries")
    return names
