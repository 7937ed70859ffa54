"""A disk that comes once, from the start to the end, as through a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ovis.client.images.image import Extent, ImageError


class StreamImage:
    """`size`: of the disk, which the stream must have, no more and no less. It can be copied from once."""

    most_readers = 1
    most_writers = 0

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.size = size
        self._stream = stream
        self._at = 0

    def extents(self) -> Iterator[Extent]:
        return iter([Extent(0, self.size, is_zero=False)])

    def open(self) -> StreamImage:
        return self

    def read(self, offset: int, into: memoryview) -> None:
        if offset != self._at:
            raise ImageError(f"what is piped in cannot be read from {offset}, only on from {self._at}")
        while into:
            data = self._stream.read(len(into))
            if not data:
                raise ImageError(f"what was piped in ends after {self._at} bytes, {self.size} were announced")
            into[: len(data)] = data
            into, self._at = into[len(data) :], self._at + len(data)
        if self._at == self.size and self._stream.read(1):
            raise ImageError(f"more is piped in than the {self.size} bytes that were announced")

    def write(self, offset: int, data: memoryview) -> None:
        raise ImageError("a pipe to read from cannot be written")

    def zero(self, offset: int, length: int) -> None:
        raise ImageError("a pipe to read from cannot be written")

    def flush(self) -> None:
        return

    def close(self) -> None:
        return
