"""VM.diskSizeExtend, refresh_disk and getDiskAlignment: how large a disk is, and what lies where on it."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.vm import running
from ovis.node.vm.disks import alignment
from ovis.node.vm.disks.drives import Drive
from ovis.node.vm.disks.errors import BadSize, CannotRefresh, DiskBusy, DriveNotFound, ResizeFailed, Unsupported
from ovis.node.vm.disks.image_content import ImageContent, Unreadable
from ovis.node.vm.disks.truth import settle
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

SECTOR = 512
NOBODY = "00000000-0000-0000-0000-000000000000"
LARGEST = 1 << 60


@dataclass(frozen=True)
class FileSize:
    """In bytes: the length of file or device, and what is used of it."""

    apparent: int
    used: int


async def extend(vms: Vms, vm: Vm, drive: Drive, size: int) -> int:
    """Let the guest see `size` bytes; the answer is what it sees. Safe to repeat.

    Raises VmNotRunning, VmBusy, DiskBusy, BadSize (nothing was changed), ResizeFailed.
    """
    vm.require_qemu()
    wanted = -(-size // SECTOR) * SECTOR
    if not 0 < wanted <= LARGEST:
        raise BadSize(vm.id, f"{size} bytes is no size of a disk")
    async with vm.claim("extend a disk"):
        if (holder := vm.disk_work.holder_of(drive.target)) is not None:
            raise DiskBusy(vm.id, f"{holder} is at work on {drive.target}")
        now = (await vms.hypervisor.block_jobs.size(vm.id, drive.target)).capacity
        if wanted < now:
            raise BadSize(vm.id, f"{drive.target} has {now} bytes and cannot shrink to {wanted}")
        if wanted > now:
            try:
                await vms.hypervisor.block_jobs.resize(vm.id, drive.target, wanted)
            except HypervisorError as error:
                raise ResizeFailed(vm.id, f"{drive.target} was not extended to {wanted} bytes: {error}") from error
            await settle(vms, vm)
        return (await vms.hypervisor.block_jobs.size(vm.id, drive.target)).capacity


async def extended(vms: Vms, ids: VolumeIds, size: int) -> int:
    """Of a volume that no VM uses: its present virtual size. Raises DriveNotFound, BadSize."""
    volume = await vms.drives.volume(NOBODY, ids)
    if volume.header.virtual_size < size:
        raise BadSize(NOBODY, f"{volume.path} has {volume.header.virtual_size} bytes, not {size}")
    return volume.header.virtual_size


async def refresh(vms: Vms, vm: Vm, drive: Drive) -> FileSize:
    """Look at the file again; a VM that waits for its space goes on. Raises CannotRefresh."""
    vm.require_qemu()
    path = drive.active.path

    def look() -> FileSize:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            length = os.lseek(descriptor, 0, os.SEEK_END)
            return FileSize(length, length if drive.active.is_block else os.fstat(descriptor).st_blocks * SECTOR)
        finally:
            os.close(descriptor)

    try:
        found = await vms.drives.run(look, "look at a volume again")
    except OSError as error:
        raise CannotRefresh(vm.id, f"{path}: {error.strerror}") from error
    if vm.status is VmStatus.PAUSED and vm.pause_code == "ENOSPC":
        log.info("VM %s waits for space and is resumed: %s has %d bytes", vm.id, path, found.apparent)
        await running.resume(vms, vm)
    return found


async def aligned(vms: Vms, ids: VolumeIds) -> dict[str, bool]:
    """Of each partition on a disk that no VM uses. Raises DriveNotFound, BadParameter, Unsupported."""
    volume = await vms.drives.volume(NOBODY, ids)
    for vm in vms:
        if vm.has_qemu and any(volume.path in drive.paths for drive in await vms.drives.drives(vm)):
            raise Unsupported(vm.id, f"it uses {volume.path}")
    await vms.drives.check_chain(volume.path, "disk")
    content = ImageContent(volume.path, volume.header.format, volume.header.virtual_size, volume.is_block)
    try:
        return await vms.drives.run(lambda: alignment.verdicts(content.read), "read a partition table")
    except Unreadable as error:
        raise DriveNotFound(NOBODY, f"{volume.path} cannot be read: {error}") from error
