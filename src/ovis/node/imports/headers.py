"""What the first bytes of a disk image say, looked at before any program opens it.

An image can name other files, which whoever opens it then reads: a backing file or external data file (qcow2), a parent
or extents (VMDK). `qemu-img` tells of them only after it has opened them; so images that name any are refused here.

    qcow2: see ovis.node.qcow2_header
    VMDK:  magic "KDMV" 0 | version 4 | capacity 12 | descriptor offset 28, size 36 (in sectors); 0x200 is where QEMU
           looks for a parent. A capacity of 0 makes QEMU read the descriptor and open the files that it names.

Source: VMware Virtual Disk Format 1.1; qemu block/vmdk.c (vmdk_open, vmdk_parent_open).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from ovis.node import qcow2_header
from ovis.node.imports.errors import BadDisk

Read = Callable[[int, int], bytes]
"""(offset, count) -> at most `count` bytes of the image."""

QCOW2 = qcow2_header.MAGIC
VMDK = b"KDMV"
OTHERS = {
    b"COWD": "an ESX sparse VMDK",
    b"# Di": "a VMDK that is only a list of other files",
    b"vhdx": "VHDX",
    b"cone": "VHD",
    b"QED\0": "QED",
}
SECTOR = 512
LARGEST = 64 << 40
DESCRIPTOR_LIMIT = 1 << 20
NAMES_A_PARENT = b"parentfilenamehint"


@dataclass(frozen=True)
class Header:
    """`driver`: QEMU's word for the format. `size` of the disk in bytes; None for raw."""

    driver: str
    size: int | None


def check(read: Read, disk: str, announced: str | None) -> Header:
    """Raises BadDisk, OSError. `announced`: the format that the description claims (raw, qcow2, vmdk), None: none.

    What is announced as raw is raw, whatever it looks like: a guest may write such a header into its own disk.
    """
    head = read(0, SECTOR)
    magic = head[:4]
    if announced == "raw":
        return Header("raw", None)
    if announced is not None and magic != {"qcow2": QCOW2, "vmdk": VMDK}[announced]:
        found = OTHERS.get(magic, "something else")
        raise BadDisk(disk, f"it is announced as {announced}, but it is {found}")
    if magic == QCOW2:
        return _qcow2(head, disk)
    if magic == VMDK:
        return _vmdk(head, read, disk)
    raise BadDisk(disk, f"its format is not supported: {OTHERS.get(magic, 'neither qcow2 nor VMDK')}")


def _qcow2(head: bytes, disk: str) -> Header:
    if len(head) < qcow2_header.BYTES:
        raise BadDisk(disk, "it is cut off inside its header")
    found = qcow2_header.parse(head)
    assert found is not None
    if found.version not in (2, 3):
        raise BadDisk(disk, f"qcow2 version {found.version} is not supported")
    if found.backing_offset:
        raise BadDisk(disk, "it names a backing file: refused, because an import must not read other files")
    features = found.incompatible
    if features & qcow2_header.EXTERNAL_DATA_FILE:
        raise BadDisk(disk, "it names an external data file: refused, because an import must not read other files")
    if features & qcow2_header.CORRUPT:
        raise BadDisk(disk, "it is marked as corrupt")
    if features & ~0b11001:
        raise BadDisk(disk, f"it needs features that are not supported (0x{features:x})")
    if found.encryption:
        raise BadDisk(disk, "it is encrypted")
    if not 9 <= found.cluster_bits <= 21:
        raise BadDisk(disk, f"its clusters cannot have 2^{found.cluster_bits} bytes")
    return Header("qcow2", _plausible(found.size, disk))


def _vmdk(head: bytes, read: Read, disk: str) -> Header:
    if len(head) < SECTOR:
        raise BadDisk(disk, "it is cut off inside its header")
    version, _, capacity, _, at, sectors = struct.unpack_from("<IIQQQQ", head, 4)
    if version not in (1, 2, 3):
        raise BadDisk(disk, f"VMDK version {version} is not supported")
    if not capacity:
        raise BadDisk(disk, "it only lists other files: refused, because an import must not read other files")
    if sectors * SECTOR > DESCRIPTOR_LIMIT:
        raise BadDisk(disk, f"its descriptor has {sectors} sectors")
    # QEMU looks into the 20 sectors from 0x200 on, wherever the header says that the descriptor is.
    descriptors = read(SECTOR, 20 * SECTOR) + (read(at * SECTOR, sectors * SECTOR) if at else b"")
    if NAMES_A_PARENT in descriptors.lower():
        raise BadDisk(disk, "it names a parent: refused, because an import must not read other files")
    return Header("vmdk", _plausible(capacity * SECTOR, disk))


def _plausible(size: int, disk: str) -> int:
    if not 0 < size <= LARGEST:
        raise BadDisk(disk, f"its disk cannot have {size} bytes (at most {LARGEST >> 40} TiB)")
    return size
