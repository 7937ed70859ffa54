"""Reading small files of /proc, /sys and /etc below a root that tests can choose.

A file that is not there, that may not be read or whose device has just gone reads as None: absence is an answer here,
not a failure. What may not be read for lack of rights is logged, once for each path.
"""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

log = logging.getLogger(__name__)

_DENIED = (errno.EACCES, errno.EPERM)
_CHUNK = 1 << 16
_LARGEST = 16 << 20


class KernelFiles:
    """Paths are relative to the root, without a leading slash: `sys/class/net`."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self._denied: set[str] = set()
        self.granted: Mapping[str, str] = {}
        """What files hold that may not be read, from somebody who may."""

    def text(self, path: str) -> str | None:
        """The content without white space around it."""
        kept = self.keep(path)
        try:
            content = kept.read()
        finally:
            kept.close()
        return None if content is None else content.strip()

    def number(self, path: str) -> int | None:
        """A decimal number; None also for anything else."""
        return whole(self.text(path))

    def truth(self, path: str) -> bool | None:
        """Y or a number above 0 is true, N or 0 is false."""
        text = self.text(path)
        if text in ("Y", "N"):
            return text == "Y"
        number = whole(text)
        return None if number is None else number > 0

    def names(self, folder: str) -> list[str]:
        """What a folder holds, cpu2 before cpu10; empty when there is no such folder."""
        try:
            return sorted(os.listdir(self.root / folder), key=_by_number)
        except OSError as error:
            self._note(folder, error)
            return []

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def link_name(self, path: str) -> str | None:
        """Last part of what a symbolic link points to, as in `sys/class/net/eth0/master`."""
        try:
            return os.path.basename(os.readlink(self.root / path))
        except OSError:
            return None

    def keep(self, path: str) -> KeptFile:
        """A file that is going to be read again and again."""
        return KeptFile(self, path)

    def _note(self, path: str, error: OSError) -> None:
        if error.errno in _DENIED and path not in self._denied:
            self._denied.add(path)
            log.info("what %s holds stays unknown: %s", self.root / path, error.strerror)


class KeptFile:
    """Stays open between reads, which saves half of their cost; opened again when the object behind it was replaced."""

    def __init__(self, files: KernelFiles, path: str) -> None:
        self._files = files
        self._path = path
        self._descriptor: int | None = None

    def read(self) -> str | None:
        """The whole content as it is now."""
        if self._descriptor is not None:
            try:
                return _content(self._descriptor)
            except OSError:
                self.close()  # the device has gone; one of the same name may have come
        try:
            self._descriptor = os.open(self._files.root / self._path, os.O_RDONLY | os.O_CLOEXEC)
            return _content(self._descriptor)
        except OSError as error:
            self.close()
            if error.errno in _DENIED and self._path in self._files.granted:
                return self._files.granted[self._path]
            self._files._note(self._path, error)
            return None

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.close()


def whole(text: str | None) -> int | None:
    """`text` as a decimal number; None when it is not one."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def number_list(text: str) -> list[int]:
    """Kernel lists of CPUs and nodes: `0-3,8` is 0, 1, 2, 3, 8. Source: Documentation/admin-guide/cputopology.rst."""
    numbers: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def _content(descriptor: int) -> str:
    parts = []
    size = 0
    # The kernel hands out lists in pieces of about a page: only an empty answer is the end.
    while size < _LARGEST and (part := os.pread(descriptor, _CHUNK, size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts).decode("utf-8", "replace")


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
