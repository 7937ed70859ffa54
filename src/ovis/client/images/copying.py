"""Copying the content of a disk with several workers.

Data goes in pieces of CHUNK; stretches of zeros are told to the target, or left out where it is known to hold zeros.
Of data that is stored, pieces of zeros are found by looking and are told as such: an image grows only by what it holds.

A journal makes the copy resumable: a line for each piece that the target has flushed. It is bound to a target and a
source by the words in its first line; who resumes names the same ones.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from pathlib import Path

from ovis.client.images.image import Extent, Image, ImageError, ImageIo

CHUNK = 8 << 20  # as much as the transfer daemon handles at once
ZERO_CHUNK = 64 << 30  # one request; targets answer a stretch of this length within a second
WORKERS = 4
FLUSH_SECONDS = 5.0
_ZEROS = bytes(CHUNK)

Progress = Callable[[int], None]
"""Gets the bytes that are done now, beyond those it was told before; called by workers, one at a time."""


def copy(
    source: Image,
    target: Image,
    *,
    target_is_zero: bool = False,
    workers: int = WORKERS,
    journal: Journal | None = None,
    on_progress: Progress = lambda _: None,
) -> None:
    """Make `target` read as `source`, flushed. After a failure it holds some of it; the first error is raised.

    `target_is_zero`: it was made just now, and reads as zeros. Raises ImageError, OSError.
    """
    if target.size < source.size:
        raise ImageError(f"the target has {target.size} bytes, the source {source.size}")
    with ExitStack() as stack:
        count = max(1, min(workers, source.most_readers, target.most_writers))
        pairs = [_Pair(stack, source, target) for _ in range(count)]
        pieces = _Pieces(_pieces(source, target.size), journal)
        run = _Run(pieces, journal, on_progress, leave_zeros=target_is_zero)
        with ThreadPoolExecutor(count, thread_name_prefix="copy") as pool:
            _finish(run, [pool.submit(run.work, pair) for pair in pairs])
        pairs[0].target.flush()


def _finish(run: _Run, futures: list[Future[None]]) -> None:
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    except BaseException:
        run.is_stopped = True
        raise
    run.is_stopped = True
    errors = [error for future in done if (error := future.exception()) is not None]
    if errors:
        raise errors[0]


class Journal:
    """Pieces that are done, kept in a file. Raises ImageError when it is that of another copy."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self.done: set[int] = set()
        self._head = f"ovis copy 1 {what}"
        if path.exists():
            lines = path.read_text().split("\n")
            if lines[0] != self._head:
                raise ImageError(f"{path} belongs to another copy: {lines[0]}")
            self.done = {int(line) for line in lines[1:-1] if line.isdecimal()}  # a torn last line is not counted
        else:
            path.write_text(self._head + "\n")
        self._file = path.open("a")

    def add(self, starts: Iterable[int]) -> None:
        self._file.writelines(f"{start}\n" for start in starts)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        """The copy is complete."""
        self.close()
        self.path.unlink(missing_ok=True)


class _Pair:
    def __init__(self, stack: ExitStack, source: Image, target: Image) -> None:
        self.source = _opened(stack, source)
        self.target = _opened(stack, target)
        self.buffer = memoryview(mmap.mmap(-1, CHUNK))  # at the beginning of a page, as direct I/O wants it


def _opened(stack: ExitStack, image: Image) -> ImageIo:
    io = image.open()
    stack.callback(_close, io)
    return io


def _close(io: ImageIo) -> None:
    with suppress(OSError, ImageError):  # all that matters was flushed
        io.close()


class _Pieces:
    """Shared by the workers: each gets the next one."""

    def __init__(self, pieces: Iterator[Extent], journal: Journal | None) -> None:
        self._pieces = pieces
        self._done = journal.done if journal is not None else set()
        self._lock = threading.Lock()

    def next(self) -> tuple[Extent | None, int]:
        """The next piece (None: no more), and the bytes of those that are done already."""
        skipped = 0
        with self._lock:
            for piece in self._pieces:
                if piece.start not in self._done:
                    return piece, skipped
                skipped += piece.length
        return None, skipped


class _Run:
    def __init__(self, pieces: _Pieces, journal: Journal | None, progress: Progress, *, leave_zeros: bool) -> None:
        self.is_stopped = False
        self._pieces = pieces
        self._journal = journal
        self._progress = progress
        self._leave_zeros = leave_zeros
        self._lock = threading.Lock()
        self._unflushed: list[int] = []
        self._flushed = time.monotonic()

    def work(self, pair: _Pair) -> None:
        try:
            while not self.is_stopped:
                piece, skipped = self._pieces.next()
                if skipped:
                    self._tell(skipped)
                if piece is None:
                    break
                self._copy(pair, piece)
                self._note(pair, piece)
                self._tell(piece.length)
        except BaseException:
            self.is_stopped = True
            raise

    def _copy(self, pair: _Pair, piece: Extent) -> None:
        if not piece.is_zero:
            data = pair.buffer[: piece.length]
            pair.source.read(piece.start, data)
            if any_data(data):
                pair.target.write(piece.start, data)
                return
        if not self._leave_zeros:
            pair.target.zero(piece.start, piece.length)

    def _note(self, pair: _Pair, piece: Extent) -> None:
        if self._journal is None:
            return
        with self._lock:
            self._unflushed.append(piece.start)
            if time.monotonic() - self._flushed < FLUSH_SECONDS:
                return
            ready, self._unflushed = self._unflushed, []
            self._flushed = time.monotonic()
            pair.target.flush()
            self._journal.add(ready)

    def _tell(self, done: int) -> None:
        with self._lock:
            self._progress(done)


def any_data(data: memoryview) -> bool:
    """Whether any byte is not zero. As `bytes`, since those are compared at the speed of memory."""
    return bytes(data[:64]) != _ZEROS[: len(data[:64])] or bytes(data) != _ZEROS[: len(data)]


def _pieces(source: Image, target_size: int) -> Iterator[Extent]:
    for extent in source.extents():
        step = ZERO_CHUNK if extent.is_zero else CHUNK
        for start in range(extent.start, extent.end, step):
            yield Extent(start, min(step, extent.end - start), extent.is_zero)
    for start in range(source.size, target_size, ZERO_CHUNK):
        yield Extent(start, min(ZERO_CHUNK, target_size - start), is_zero=True)
