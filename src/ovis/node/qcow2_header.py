"""The fixed part of a qcow2 header. Pure; nothing is judged here.

    "QFI\\xfb" 0 | version 4 | offset and length of the parent's name 8, 16 | cluster bits 20 | size of the disk 24
    | encryption 32 | incompatible features (version 3) 72: 1 dirty, 2 corrupt, 4 external data file,
      8 compression type, 16 extended L2

All big-endian. Source: QEMU docs/interop/qcow2.txt.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"QFI\xfb"
BYTES = 104
"""What `parse` wants to see; version 2 has 72."""

CORRUPT = 1 << 1
EXTERNAL_DATA_FILE = 1 << 2
KNOWN_FEATURES = 0b11111


@dataclass(frozen=True)
class Qcow2Header:
    """`incompatible`: the feature bits, 0 for version 2. Bytes."""

    version: int
    backing_offset: int
    backing_length: int
    cluster_bits: int
    size: int
    encryption: int
    incompatible: int


def parse(head: bytes) -> Qcow2Header | None:
    """None: it is no qcow2 image. Raises ValueError when the header is cut off."""
    if head[:4] != MAGIC:
        return None
    if len(head) < 72:
        raise ValueError("its qcow2 header is cut off")
    version, offset, length, bits, size, encryption = struct.unpack_from(">IQIIQI", head, 4)
    has_features = version >= 3 and len(head) >= 80
    features = struct.unpack_from(">Q", head, 72)[0] if has_features else 0
    return Qcow2Header(version, offset, length, bits, size, encryption, features)
