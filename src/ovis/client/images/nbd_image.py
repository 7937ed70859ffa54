"""Disks in any format that QEMU knows, through a qemu-nbd of our own or somebody else's NBD server."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ovis.client.images.image import Extent, ImageError, merged
from ovis.client.images.nbd import NbdConnection

START_SECONDS = 20.0
SHARED = 8


class NbdImage:
    def __init__(self, path: str, export: str = "") -> None:
        """`path`: of the server's Unix socket. Raises ImageError, OSError."""
        self._path, self._export = path, export
        connection = NbdConnection(path, export)
        try:
            self.size = connection.export.size
            self.most_readers = SHARED
            self.most_writers = SHARED if connection.export.shares else 1
        finally:
            connection.close()

    def extents(self) -> Iterator[Extent]:
        return merged(self._extents())

    def open(self) -> NbdConnection:
        return NbdConnection(self._path, self._export)

    def _extents(self) -> Iterator[Extent]:
        connection = self.open()
        try:
            yield from connection.extents()
        finally:
            connection.close()


@contextmanager
def qemu_nbd(file: Path, driver: str, *, is_writable: bool = False) -> Iterator[NbdImage]:
    """`file` as the disk that it holds; `driver` is QEMU's word for its format (never guessed: a raw disk's owner could
    write another format's header). A backing file is not followed in writable images of ours, which have none.

    Raises ImageError.
    """
    with TemporaryDirectory(prefix="ovis-nbd-") as folder:
        socket = Path(folder) / "socket"
        cache = ["--cache=none", "--aio=native"] if _takes_direct_io(file) else ["--cache=writeback"]
        mode = [] if is_writable else ["--read-only"]
        words = ["qemu-nbd", f"--socket={socket}", f"--shared={SHARED}", "--persistent", f"--format={driver}"]
        process = subprocess.Popen(
            [*words, *cache, *mode, "--discard=unmap", "--detect-zeroes=off", "--", file],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield _opened(process, socket, file)
        finally:
            _end(process)


def _takes_direct_io(file: Path) -> bool:
    import os

    try:
        os.close(os.open(file, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        return False
    return True


def _opened(process: subprocess.Popen[bytes], socket: Path, file: Path) -> NbdImage:
    """Its socket is there before it has looked at the file."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            return NbdImage(str(socket))
        except (OSError, ImageError):
            time.sleep(0.01)
    if process.poll() is None:
        raise ImageError(f"{file} could not be opened within {START_SECONDS:g} s")
    assert process.stderr is not None
    raise ImageError(f"{file} cannot be opened: {process.stderr.read(2000).decode(errors='replace').strip()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """It writes out what it holds when it is asked to end."""
    process.terminate()
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stderr is not None:
        process.stderr.close()
