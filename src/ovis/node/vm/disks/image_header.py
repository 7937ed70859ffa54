"""What the first bytes of an image say. Read by us instead of qemu-img: in use by QEMU or not, without a process.

Anything that is not qcow2 counts as raw.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ovis.node import qcow2_header

NAME_LIMIT = 1023  # of the format
LARGEST_CLUSTER = 2 << 20


class BadImage(Exception):
    """The header contradicts itself, or names what must not be followed."""


@dataclass(frozen=True)
class ImageHeader:
    """`backing` as it is written, relative or not; `virtual_size` in bytes."""

    format: str
    virtual_size: int
    backing: str | None = None
    has_external_data: bool = False


def read(path: str) -> ImageHeader:
    """Blocks. Raises OSError, BadImage."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            found = qcow2_header.parse(os.pread(descriptor, qcow2_header.BYTES, 0))
        except ValueError as error:
            raise BadImage(f"{path}: {error}") from error
        if found is None:
            return ImageHeader("raw", os.lseek(descriptor, 0, os.SEEK_END))
        if found.version not in (2, 3):
            raise BadImage(f"{path}: qcow2 version {found.version} is not known")
        named = found.backing_offset
        backing = _backing(descriptor, path, named, found.backing_length) if named else None
        return ImageHeader("qcow2", found.size, backing, bool(found.incompatible & qcow2_header.EXTERNAL_DATA_FILE))
    finally:
        os.close(descriptor)


def backing_path(path: str, header: ImageHeader) -> str | None:
    """Absolute; QEMU takes a relative name from the folder of the image. Raises BadImage."""
    if header.backing is None:
        return None
    name = header.backing
    if "\0" in name or ":" in name.split("/")[0]:  # QEMU takes what stands before a colon for a protocol
        raise BadImage(f"{path}: its backing file {name[:100]!r} is no path")
    return os.path.normpath(os.path.join(os.path.dirname(path), name))


def _backing(descriptor: int, path: str, offset: int, length: int) -> str:
    if not 0 < length <= NAME_LIMIT or offset > LARGEST_CLUSTER:
        raise BadImage(f"{path}: the name of its backing file has {length} bytes at {offset}")
    data = os.pread(descriptor, length, offset)
    if len(data) != length:
        raise BadImage(f"{path}: the name of its backing file is cut off")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadImage(f"{path}: the name of its backing file is not UTF-8") from error
