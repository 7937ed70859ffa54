"""What sanlock has written at the begin of a lease, and of a host's slot in a lockspace: for reading only.

    offset  bytes  (little-endian)
         0      4  magic: 0x06152010 a lease, 0x12212010 a host's slot, others: none (0x11282016 one that was cleared)
         4     12  version, flags, block size
        16     16  hosts, most hosts
        32      8  owner: its host id; of a slot: the host's
        40      8  the owner's generation: how often it has joined the lockspace
        48      8  how often the lease was taken; of a slot: 0
        56     48  lockspace, zeros behind it
       104     48  lease; of a slot: the host's name
       152      8  the owner's clock in seconds; 0: free
       160     16  reserved, checksum, io timeout

Source: sanlock's leader.h, and what its daemon writes (tests/real/test_sanlock.py).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

LEASE_MAGIC, HOST_MAGIC = 0x06152010, 0x12212010
BYTES = 176
_RECORD = struct.Struct("<I28xQQQ48s48sQ16x")


@dataclass(frozen=True)
class SanlockRecord:
    """`version` None: a host's slot. `timestamp` 0: free."""

    lockspace: str
    name: str
    owner: int
    generation: int
    version: int | None
    timestamp: int


def read(data: bytes) -> SanlockRecord | None:
    """None: nothing of sanlock's lies there."""
    if len(data) < BYTES:
        return None
    magic, owner, generation, version, lockspace, name, timestamp = _RECORD.unpack_from(data)
    if magic not in (LEASE_MAGIC, HOST_MAGIC):
        return None
    taken = version if magic == LEASE_MAGIC else None
    return SanlockRecord(_text(lockspace), _text(name), owner, generation, taken, timestamp)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode(errors="replace")
