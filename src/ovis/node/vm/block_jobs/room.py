"""Room for merges on block storage, and volumes that have left a chain.

A merge writes the data of newer layers into an older one, whose logical volume has only what it needed so far. So it is
extended first, to what all of them take together at most: nothing watches how full a layer below the top gets.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.vm.disks.drives import Drive, as_uuid
from ovis.node.vm.disks.errors import MergeFailed
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.disks.work import Merge
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)


async def make_room(vms: Vms, vm: Vm, drive: Drive, *, base: int, top: int) -> None:
    """`base` and `top` are places in the chain, 0 the layer in use. Safe to repeat. Raises MergeFailed."""
    lower = drive.layers[base]
    ids = _ids(drive, base)
    if ids is None or not lower.is_block or lower.format != "qcow2":
        return
    paths = [layer.path for layer in drive.layers[top : base + 1]]
    try:
        sizes = await vms.drives.run(lambda: [_length(path) for path in paths], "look at the layers of a merge")
        written_meanwhile = vms.settings.thin_step if top == 0 else 0
        await vms.volumes.grow(ids, sum(sizes) + written_meanwhile)
    except (NodeError, OSError) as error:
        raise MergeFailed(vm.id, f"{drive.target}: {lower.path} could not be extended: {error}") from error


async def tell_storage(vms: Vms, vm: Vm, job: Merge) -> None:
    """The metadata of a storage domain are to say what QEMU has done."""
    base, top = as_uuid(os.path.basename(job.base)), as_uuid(os.path.basename(job.top))
    drive = next((drive for drive in await vms.drives.drives(vm) if drive.target == job.disk), None)
    if drive is None or drive.domain_id is None or base is None or top is None:
        return
    ids = VolumeIds(top, job.image_id or drive.image_id, drive.domain_id, drive.pool_id)
    try:
        await vms.volumes.merged(ids, base=base, is_active=job.is_active)
    except NodeError as error:
        log.warning("VM %s: the metadata of image %s do not know of its merge: %s", vm.id, ids.image, error)


async def let_go_of_others(vms: Vms, vm: Vm, target: str) -> None:
    """Of volumes that are in the disk's chain no more. What cannot be done now is done when the VM ends."""
    try:
        drive = next((drive for drive in await vms.drives.drives(vm) if drive.target == target), None)
        ids = None if drive is None else _ids(drive, 0)
        if ids is not None:
            await vms.volumes.keep_only(vm.id, ids)
    except (NodeError, HypervisorError) as error:
        log.warning("VM %s: volumes that left the chain of %s stay active: %s", vm.id, target, error)


def _ids(drive: Drive, place: int) -> VolumeIds | None:
    layer = drive.layers[place]
    image = layer.image_id or drive.image_id
    if layer.volume_id is None or image is None or drive.domain_id is None:
        return None
    return VolumeIds(layer.volume_id, image, drive.domain_id, drive.pool_id)


def _length(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)
