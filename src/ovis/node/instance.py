"""One agent for a run folder and a state folder: locks that the kernel drops when their holder dies, however it dies.

Two agents over one state folder would each undo what the other has written of its VMs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT)


class UnusableFolder(OSError):
    """`key` of the configuration names a folder in which nothing can be written."""

    def __init__(self, key: str, folder: Path, problem: str) -> None:
        super().__init__(f"{key} {folder} cannot be used: {problem}")
        self.folder = folder


def make_folder(folder: Path, key: str, *, mode: int) -> None:
    """There is such a folder afterwards, and files can be written there. Raises UnusableFolder.

    A full disk is told and no reason to stay away: the VMs run, and someone must be able to look after them.
    """
    probe = folder / f".probe.{os.getpid()}"
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        try:
            probe.write_bytes(b"can this be kept?")
        finally:
            probe.unlink(missing_ok=True)
    except FileExistsError as error:
        raise UnusableFolder(key, folder, "it is no folder") from error
    except OSError as error:
        if error.errno not in FULL:
            raise UnusableFolder(key, folder, error.strerror or str(error)) from error
        log.error("%s %s: %s; nothing new can be kept there", key, folder, error.strerror)  # noqa: TRY400


class AlreadyRunning(Exception):
    """Another agent holds the folder."""

    def __init__(self, lock: Path, owner: str) -> None:
        super().__init__(f"another ovisd (process {owner}) holds {lock}; stop it or set another folder")
        self.lock = lock
        self.owner = owner


@contextmanager
def only_instance(*folders: Path) -> Iterator[None]:
    """Hold the locks of the folders while inside. Raises AlreadyRunning, OSError."""
    with ExitStack() as held:
        for folder in {folder.resolve(): None for folder in folders}:
            held.enter_context(_locked(folder / "ovisd.lock"))
        yield


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise AlreadyRunning(lock, owner) from error
        with contextlib.suppress(OSError):  # it only tells who holds the lock, and the disk may be full
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
