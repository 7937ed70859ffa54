"""Files whose content survives a power cut: what these functions have done is on the disk when they return.

All of them block; callers run them in a thread of theirs. Source: fsync(2), rename(2) (a name is durable only when its
folder is flushed as well).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NEW = ".new"
"""Ending of a file that is being written; one that a dead agent left behind may be removed."""


def write(path: Path, data: bytes, *, flags: int = os.O_CREAT | os.O_TRUNC) -> None:
    """Write a file, mode 0600 when it is made. Raises OSError; then it may be there in part."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, data: bytes) -> None:
    """Give a file new content: at any moment it has the old or the new one, whole. Raises OSError; then the old one."""
    fresh = path.with_name(path.name + NEW)
    try:
        write(fresh, data)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    flush(path.parent)


def flush(path: Path) -> None:
    """Flush a folder (names made, changed and removed in it), or a file that another program wrote. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
