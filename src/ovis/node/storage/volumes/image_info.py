"""What qemu-img answers, as JSON. Nothing in it is trusted: a field of another type is an error, not a guess."""

from __future__ import annotations

import msgspec

IN_USE = "in-use"
RECORDING = "auto"


class Bitmap(msgspec.Struct, frozen=True):
    """`granularity` in bytes."""

    name: str
    granularity: int
    flags: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """A bitmap that was not saved cleanly says nothing; one that does not record misses changes."""
        return IN_USE not in self.flags and RECORDING in self.flags


class _Data(msgspec.Struct, frozen=True, rename="kebab"):
    compat: str | None = None
    bitmaps: tuple[Bitmap, ...] = ()
    data_file: str | None = None
    corrupt: bool = False


class _Specific(msgspec.Struct, frozen=True):
    type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class ImageInfo(msgspec.Struct, frozen=True, rename="kebab"):
    """Sizes in bytes. `backing_filename` as it stands in the header."""

    virtual_size: int
    format: str
    actual_size: int = 0
    cluster_size: int | None = None
    backing_filename: str | None = None
    backing_filename_format: str | None = None
    encrypted: bool = False
    format_specific: _Specific | None = None

    @property
    def _data(self) -> _Data:
        if self.format != "qcow2" or self.format_specific is None:
            return _Data()
        return msgspec.json.decode(self.format_specific.data, type=_Data)

    @property
    def compat(self) -> str | None:
        return self._data.compat

    @property
    def bitmaps(self) -> tuple[Bitmap, ...]:
        return self._data.bitmaps

    @property
    def data_file(self) -> str | None:
        return self._data.data_file

    @property
    def is_corrupt(self) -> bool:
        return self._data.corrupt


class Check(msgspec.Struct, frozen=True, rename="kebab"):
    """`image_end_offset`: bytes of the container that are in use; None for a format that cannot tell."""

    image_end_offset: int | None = None
    check_errors: int = 0
    corruptions: int = 0
    leaks: int = 0


class Measure(msgspec.Struct, frozen=True, rename="kebab"):
    """Bytes: what data and tables need, what a fully written image needs, and what bitmaps add (qcow2)."""

    required: int
    fully_allocated: int
    bitmaps: int = 0


class Extent(msgspec.Struct, frozen=True, rename="kebab"):
    """A run of equal state. `depth`: 0 in this layer. Bytes."""

    start: int
    length: int
    depth: int = 0
    present: bool = True
    zero: bool = False
    data: bool = False


def decode_extents(data: bytes) -> tuple[Extent, ...]:
    return msgspec.json.decode(data, type=tuple[Extent, ...])
