"""The disks under a block domain: more of them, fewer, larger ones. Only the SPM may.

The record lists the disks (PV0, PV1 ...), so each change is two commits: LVM's own, then the record. A crash in between
leaves a record that does not list what the group has; it is put right by repeating the change or by the next one, and
nothing of ours reads the list (it is for recovery by hand).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from ovis.node.privileged.devices import ReadDevice, SettleDevices
from ovis.node.privileged.multipath import ResizeMap
from ovis.node.storage.domains.block_creation import mapping
from ovis.node.storage.domains.block_domain import BlockDomain
from ovis.node.storage.formats.sanlock_areas import BLOCK_512
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.errors import ForbiddenDevice, NoSuchDevice, PhysicalVolumeResizeFailed, WrongBlockSize

MOVE_SECONDS = 7 * 86_400.0
"""Terabytes are moved by this; it is cancelled by who started it."""


async def extend(domain: BlockDomain, devices: Sequence[PurePosixPath], *, force: bool = False) -> None:
    """Add disks; those that are in it already are passed over. Raises DeviceInUse, TooManyDevices, WrongBlockSize."""
    for device in devices:
        facts = await domain.host.root.call(ReadDevice(path=str(device)))
        if facts.logical_block != BLOCK_512:
            raise WrongBlockSize(str(device), facts.logical_block, facts.physical_block)
    await groups.extend(domain.host.lvm, domain.id, devices, force=force)
    await _write_mapping(domain)


async def move(domain: BlockDomain, device: PurePosixPath, to: Sequence[PurePosixPath] = ()) -> None:
    """Move what lies on a disk to others of the domain, all or nothing. Cancelled: it stays where it was.

    Raises ForbiddenDevice, NoSuchDevice, NoSuchDestination, PhysicalVolumeMoveFailed (no room, for instance)."""
    member = groups.find(await domain.group(), device)
    if member is None:
        raise NoSuchDevice([str(device)], f"domain {domain.id}")
    if device in to:
        raise ForbiddenDevice(str(device), "its data cannot be moved to itself")
    try:
        await groups.move(domain.host.lvm, domain.id, device, to, seconds=MOVE_SECONDS)
    except BaseException:
        await groups.abort_move(domain.host.lvm, domain.id, device)
        raise


async def reduce(domain: BlockDomain, device: PurePosixPath) -> None:
    """Take an empty disk out. Not in it: nothing to do. Raises ForbiddenDevice: LVM's metadata are on it."""
    await groups.reduce(domain.host.lvm, domain.id, device)
    await _write_mapping(domain)


async def resize(domain: BlockDomain, device: PurePosixPath) -> int:
    """Take over the size of a disk that has grown on the array; bytes of it that the domain can use."""
    if device.parent == PurePosixPath("/dev/mapper"):
        resized = await domain.host.root.call(ResizeMap(name=device.name))
        if not resized.ok:
            raise PhysicalVolumeResizeFailed(f"resizing {device.name}", resized.status, resized.complaint)
        # LVM finds disks by their links, which go for a moment while udev looks at the new size
        await domain.host.root.call(SettleDevices())
    size = await groups.resize(domain.host.lvm, domain.id, device)
    await _write_mapping(domain)
    return size


async def _write_mapping(domain: BlockDomain) -> None:
    record = await domain.read_record()
    if record.domain.block is None:
        return
    mapped = mapping(await domain.group(), record.domain.block.devices)
    if mapped != record.domain.block.devices:
        block = replace(record.domain.block, devices=mapped)
        await domain.write_record(replace(record, domain=replace(record.domain, block=block)))
