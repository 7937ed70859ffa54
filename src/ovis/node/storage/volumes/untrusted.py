"""A volume with content from outside (an upload): is it what its metadata say, and does it lead nowhere else?

The header is read by us before any program opens the image, because qcow2 can name other files, which whoever opens it
then reads: a parent, an external data file. Only the parent that the metadata name may stand there, by its plain name.
A raw volume must not look like an image: a program that guesses formats would follow what it says.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node import qcow2_header
from ovis.node.qcow2_header import Qcow2Header
from ovis.node.storage.formats.volume_metadata import VolumeFormat
from ovis.node.storage.volumes import qemu_img, sizes
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.errors import QemuImgFailed, Untrusted
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain

HEAD_BYTES = 64 << 10  # a cluster as qemu-img makes them; the parent's name stands in the first one
NAME_LIMIT = 1023  # of the format
IMAGE_MAGICS = {
    qcow2_header.MAGIC: "qcow2",
    b"KDMV": "VMDK",
    b"COWD": "VMDK",
    b"# Di": "VMDK",
    b"vhdx": "VHDX",
    b"cone": "VHD",
    b"QED\0": "QED",
    b"LUKS": "LUKS",
    b"With": "Parallels",
    b"<<< ": "VDI",
}


async def verify(domain: Domain, layer: Layer, path: PurePosixPath) -> None:
    """Raises Untrusted."""
    subject = f"volume {layer.id} of storage domain {domain.id}"
    head = await domain.io.read(path, size=HEAD_BYTES)
    if layer.metadata.format is VolumeFormat.RAW:
        if (found := IMAGE_MAGICS.get(head[:4])) is not None:
            raise Untrusted(subject, f"is said to be raw, and begins like {found}")
        return
    header = check_header(subject, head, layer, version=domain.version, block_size=_block_size(domain))
    try:
        info = await qemu_img.on(domain).info(Disk(path, qemu_img.QCOW2))
    except QemuImgFailed as error:
        raise Untrusted(subject, f"qemu-img cannot read it: {error.problem}") from error
    if info.data_file is not None or info.encrypted or info.is_corrupt:
        raise Untrusted(subject, "has an external data file, is encrypted or marked as corrupt")
    if info.virtual_size != header.size:
        raise Untrusted(subject, f"its header says {header.size} bytes, qemu-img {info.virtual_size}")


def check_header(subject: str, head: bytes, layer: Layer, *, version: int, block_size: int) -> Qcow2Header:
    """`version`: of the domain. Raises Untrusted."""
    try:
        header = qcow2_header.parse(head)
    except ValueError as error:
        raise Untrusted(subject, str(error)) from error
    if header is None:
        raise Untrusted(subject, "is said to be qcow2, and is not")
    if header.version not in (2, 3) or (version < 4 and header.version != 2):
        raise Untrusted(subject, f"qcow2 version {header.version} does not suit a domain of version {version}")
    if header.incompatible & qcow2_header.EXTERNAL_DATA_FILE:
        raise Untrusted(subject, "names an external data file")
    if header.incompatible & ~qcow2_header.KNOWN_FEATURES or header.incompatible & qcow2_header.CORRUPT:
        raise Untrusted(subject, f"has features that are not accepted (0x{header.incompatible:x})")
    if header.encryption:
        raise Untrusted(subject, "is encrypted")
    if not 9 <= header.cluster_bits <= 21:
        raise Untrusted(subject, f"its clusters cannot have 2^{header.cluster_bits} bytes")
    if sizes.rounded(header.size, block_size) != layer.metadata.capacity:
        raise Untrusted(subject, f"its disk has {header.size} bytes, {layer.metadata.capacity} were announced")
    _check_parent(subject, head, header, layer)
    return header


def _check_parent(subject: str, head: bytes, header: Qcow2Header, layer: Layer) -> None:
    wanted = layer.metadata.parent
    if not header.backing_offset:
        if wanted is not None:
            raise Untrusted(subject, f"builds on nothing; {wanted} was announced")
        return
    start, length = header.backing_offset, header.backing_length
    name = head[start : start + length].decode(errors="replace")
    # Existing agents wrote ../<image>/<volume>, too; both lead to the same place.
    allowed = {wanted, os.path.join("..", layer.image, wanted)} if wanted is not None else set()
    if not 0 < length <= NAME_LIMIT or start + length > len(head) or name not in allowed:
        raise Untrusted(subject, f"names a parent of its own: {name[:80]!r}")


def _block_size(domain: Domain) -> int:
    return domain.lockspace.geometry.block_size
