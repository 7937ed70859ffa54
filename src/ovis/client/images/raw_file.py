"""A disk as a plain file or a block device of this machine.

Whole blocks are written past the page cache where that is possible: writing them into it first and out of it at the end
took half as long again (docs/performance.md), and pushes out of memory what others need there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ovis.client.images.image import Extent, ImageError, merged

_PUNCH, _ZERO, _KEEP_SIZE = 0x02, 0x10, 0x01  # linux/falloc.h
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV)
_ZEROS = memoryview(bytes(1 << 20))
_BLOCK = 4096
"""Direct I/O takes multiples of it on all storage that we know."""


class RawFile:
    most_readers = most_writers = 16

    def __init__(self, path: Path, *, is_writable: bool = False) -> None:
        self.path = path
        self._flags = (os.O_RDWR if is_writable else os.O_RDONLY) | os.O_CLOEXEC
        with _opened(path, self._flags) as descriptor:
            self.size = os.lseek(descriptor, 0, os.SEEK_END)

    @classmethod
    def create(cls, path: Path, size: int) -> RawFile:
        """A new file without blocks. Raises FileExistsError."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, size)
        finally:
            os.close(descriptor)
        return cls(path, is_writable=True)

    def extents(self) -> Iterator[Extent]:
        return merged(self._extents())

    def open(self) -> RawIo:
        return RawIo(self.path, self._flags)

    def _extents(self) -> Iterator[Extent]:
        with _opened(self.path, os.O_RDONLY | os.O_CLOEXEC) as descriptor:
            if stat.S_ISBLK(os.fstat(descriptor).st_mode):
                yield Extent(0, self.size, is_zero=False)
                return
            at = 0
            while at < self.size:
                data = _seek(descriptor, at, os.SEEK_DATA, self.size)
                yield Extent(at, data - at, is_zero=True)
                at = _seek(descriptor, data, os.SEEK_HOLE, self.size)
                yield Extent(data, at - data, is_zero=False)


class RawIo:
    """`write` takes the direct way with data that lie at a multiple of 4096 in memory, as an mmap does."""

    def __init__(self, path: Path, flags: int) -> None:
        self._path = path
        self._descriptor = os.open(path, flags)
        self._direct = _direct(path, flags)

    def read(self, offset: int, into: memoryview) -> None:
        while into:
            got = os.preadv(self._descriptor, [into], offset)
            if not got:
                raise ImageError(f"{self._path} ends at {offset}, earlier than it should")
            into, offset = into[got:], offset + got

    def write(self, offset: int, data: memoryview) -> None:
        while data:
            wrote = self._write(offset, data)
            data, offset = data[wrote:], offset + wrote

    def _write(self, offset: int, data: memoryview) -> int:
        if self._direct is not None and not offset % _BLOCK and not len(data) % _BLOCK:
            try:
                return os.pwrite(self._direct, data, offset)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                # not for this storage, or not for data at such a place
        return os.pwrite(self._descriptor, data, offset)

    def zero(self, offset: int, length: int) -> None:
        """As holes where they can be made, else as the kernel's zeros, else written."""
        for mode in (_PUNCH | _KEEP_SIZE, _ZERO | _KEEP_SIZE):
            try:
                _fallocate(self._descriptor, mode, offset, length)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
            else:
                return
        while length:
            piece = _ZEROS[: min(length, len(_ZEROS))]
            self.write(offset, piece)
            offset, length = offset + len(piece), length - len(piece)

    def flush(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        for descriptor in (self._descriptor, self._direct):
            if descriptor is not None:
                os.close(descriptor)


class _opened:  # noqa: N801  # reads as what it is: with _opened(path)
    def __init__(self, path: Path, flags: int) -> None:
        self._path, self._flags = path, flags

    def __enter__(self) -> int:
        self._descriptor = os.open(self._path, self._flags)
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _direct(path: Path, flags: int) -> int | None:
    """None: nothing is written, or its file system cannot."""
    if not flags & os.O_RDWR:
        return None
    try:
        return os.open(path, flags | os.O_DIRECT)
    except OSError:
        return None


def _seek(descriptor: int, at: int, what: int, end: int) -> int:
    try:
        return min(os.lseek(descriptor, at, what), end)
    except OSError as error:
        if error.errno != errno.ENXIO:  # nothing of that kind until the end
            raise
        return end


def _fallocate(descriptor: int, mode: int, offset: int, length: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(descriptor, mode, ctypes.c_int64(offset), ctypes.c_int64(length)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
