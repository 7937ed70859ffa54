"""What the first bytes of an image say. Read by us instead of qemu-img: in use by QEMU or not, without a process.

qcow2, big-endian: magic "QFI\\xfb", version (4), offset of the backing file's name (8), its length (4),
cluster bits (4), virtual size (8) ... version 3: incompatible features (8) at 72, of which bit 2 is an external data
file. Anything without the magic counts as raw. Source: QEMU docs/interop/qcow2.txt.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

MAGIC = b"QFI\xfb"
NAME_LIMIT = 1023  # of the format
EXTERNAL_DATA_FILE = 1 << 2
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
        head = os.pread(descriptor, 104, 0)
        if head[:4] != MAGIC:
            return ImageHeader("raw", os.lseek(descriptor, 0, os.SEEK_END))
        if len(head) < 72:
            raise BadImage(f"{path}: its qcow2 header is cut off")
        version, offset, length, _, size = struct.unpack_from(">IQIIQ", head, 4)
        if version not in (2, 3):
            raise BadImage(f"{path}: qcow2 version {version} is not known")
        features = struct.unpack_from(">Q", head, 72)[0] if version == 3 and len(head) >= 80 else 0
        backing = _backing(descriptor, path, offset, length) if offset else None
        return ImageHeader("qcow2", size, backing, bool(features & EXTERNAL_DATA_FILE))
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
