"""What can be copied: the content of a disk, as long as it is, in whatever form it is kept. Bytes everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class ImageError(Exception):
    """The content cannot be read or written; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Extent:
    """`is_zero`: it reads as zeros, stored or not."""

    start: int
    length: int
    is_zero: bool

    @property
    def end(self) -> int:
        return self.start + self.length


class ImageIo(Protocol):
    """One worker's way to the content. All calls block, and raise ImageError or OSError."""

    def read(self, offset: int, into: memoryview) -> None:
        """Fill `into`; beyond the end is an error."""

    def write(self, offset: int, data: memoryview) -> None: ...

    def zero(self, offset: int, length: int) -> None: ...

    def flush(self) -> None:
        """What was written is on storage when it returns."""

    def close(self) -> None: ...


class Image(Protocol):
    @property
    def size(self) -> int: ...

    @property
    def most_readers(self) -> int:
        """How many ways to it may be open at once when all of them only read."""

    @property
    def most_writers(self) -> int: ...

    def extents(self) -> Iterator[Extent]:
        """From the start to the end without a gap. Raises ImageError, OSError."""

    def open(self) -> ImageIo: ...


def merged(extents: Iterator[Extent]) -> Iterator[Extent]:
    """Neighbours of a kind as one; empty ones left out."""
    last: Extent | None = None
    for extent in extents:
        if not extent.length:
            continue
        if last is not None and last.is_zero == extent.is_zero:
            last = Extent(last.start, last.length + extent.length, last.is_zero)
            continue
        if last is not None:
            yield last
        last = extent
    if last is not None:
        yield last
