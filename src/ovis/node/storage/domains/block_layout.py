"""The logical volumes that every block domain has, and what is zeroed when they are made.

    metadata    128 MiB           slots of the volumes' metadata               first 17 MiB zeroed
    ids           8 MiB           sanlock's lockspace                          zeroed
    leases     2048 alignments    the SPM's lease, one for each volume         the 100 reserved slots zeroed
    xleases    1024 alignments    version 4 on: leases of VMs and their index  first 3 slots zeroed
    inbox        16 MiB           mailbox: hosts to SPM                        zeroed
    outbox       16 MiB           mailbox: SPM to hosts                        zeroed
    master     1024 MiB           ext3 with tasks/ and vms/, mounted by the SPM of the pool that it leads

Extents still hold what was on the disk before: zeros where a reader could take that for ours. Sizes are rounded up to
extents of 128 MiB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ovis.node.storage.formats.repository import MAILBOX_BYTES
from ovis.node.storage.formats.sanlock_areas import FIRST_USER_SLOT, IDS_BYTES, MIB, RESERVED_SLOTS, Geometry
from ovis.node.storage.formats.volume_metadata import SLOTS_END

METADATA = "metadata"
MASTER = "master"
METADATA_BYTES = 128 * MIB
MASTER_BYTES = 1024 * MIB


@dataclass(frozen=True)
class Special:
    """`zeroed`: bytes from its beginning."""

    name: str
    size: int
    zeroed: int


def specials(version: int, geometry: Geometry) -> Sequence[Special]:
    """In the order in which they are made: `metadata` lies where recovery tools look first."""
    made = [
        Special(METADATA, METADATA_BYTES, SLOTS_END),
        Special("ids", IDS_BYTES, IDS_BYTES),
        Special("leases", geometry.leases_bytes, RESERVED_SLOTS * geometry.alignment),
        Special("inbox", MAILBOX_BYTES, MAILBOX_BYTES),
        Special("outbox", MAILBOX_BYTES, MAILBOX_BYTES),
        Special(MASTER, MASTER_BYTES, 0),
    ]
    if version >= 4:
        made.insert(3, Special("xleases", geometry.xleases_bytes, FIRST_USER_SLOT * geometry.alignment))
    return made


def names_in_use(version: int) -> list[str]:
    """Those that are active on a host that has the domain open: all but the master."""
    return [special.name for special in specials(version, Geometry()) if special.name != MASTER]
