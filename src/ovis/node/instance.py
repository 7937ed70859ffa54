"""One agent a host: a lock that the kernel drops when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Another agent holds the run folder."""

    def __init__(self, lock: Path, owner: str) -> None:
        super().__init__(f"another ovisd (process {owner}) holds {lock}; stop it or set another run_folder")
        self.lock = lock
        self.owner = owner


@contextmanager
def only_instance(run_folder: Path) -> Iterator[None]:
    """Hold the lock of `run_folder` while inside. Raises AlreadyRunning, OSError."""
    lock = run_folder / "ovisd.lock"
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise AlreadyRunning(lock, owner) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
