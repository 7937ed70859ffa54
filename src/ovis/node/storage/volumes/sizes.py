"""How large a volume and its container are to be. Pure. Bytes.

                      file                          block (the store rounds up to extents)
    raw preallocated  the capacity                  the capacity
    raw sparse        the capacity, without blocks  refused
    qcow2 sparse      as qemu-img makes it          what is asked for at first, else one step of growth
    qcow2 prealloc.   as qemu-img makes it, all     the capacity and the tables
                      clusters allocated

A qcow2 volume on a logical volume never needs more than its capacity and a tenth for tables and bitmaps: the same limit
as existing hosts use, so that they see no volume larger than they expect.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat

MIB = 1 << 20
GROWTH_STEP = 2560 * MIB  # of thin volumes on block storage (reference: volume_utilization_chunk_mb)
OVERHEAD_PERCENT = 10
LARGEST = 64 << 40


@dataclass(frozen=True)
class Container:
    """`allocate`: take its storage at once."""

    size: int
    allocate: bool


def rounded(capacity: int, block_size: int) -> int:
    return -(-capacity // block_size) * block_size


def container(
    *, format: VolumeFormat, allocation: Allocation, capacity: int, is_block: bool, initial: int | None = None
) -> Container:
    if format is VolumeFormat.RAW:
        takes_all = allocation is Allocation.PREALLOCATED
        return Container(capacity, is_block or (takes_all and initial in (None, capacity)))
    if not is_block:
        return Container(0, False)  # qemu-img gives it its length
    if allocation is Allocation.PREALLOCATED:
        return Container(largest(capacity), True)
    return Container(min(with_tables(initial) if initial is not None else GROWTH_STEP, largest(capacity)), True)


def with_tables(data: int) -> int:
    """Room for `data` bytes in qcow2."""
    return data + -(-data * OVERHEAD_PERCENT // 100)


def largest(capacity: int) -> int:
    """What a qcow2 volume of this capacity can need at most; one step at least, for the tables of an empty one."""
    return max(with_tables(capacity), MIB)
