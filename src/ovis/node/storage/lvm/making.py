"""Groups for domains to be made on, as LVMVolumeGroup's verbs make and remove them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from ovis.node.errors import BadParameter
from ovis.node.privileged.client import Root
from ovis.node.privileged.devices import ReadDevice, ZeroDevice
from ovis.node.privileged.multipath import DropPartitions
from ovis.node.storage.devices.maps import MAPPER
from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats.group_tags import UNREADY, GroupState, state
from ovis.node.storage.formats.identifiers import is_identifier
from ovis.node.storage.formats.sanlock_areas import BLOCK_512
from ovis.node.storage.leases.held import without_lease
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.errors import GroupExists, NoSuchGroup, PhysicalVolumeInitFailed, WrongBlockSize
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.reports import Group

TABLE_BYTES = 1 << 20
"""At each end of a disk: partition tables and their copies lie there."""
ZERO_SECONDS = 60.0


class GroupIsDomain(StorageError):
    wire_name = "VolumeGroupRemoveError"

    def __init__(self, group: str) -> None:
        super().__init__(f"volume group {group} is a storage domain and was not touched; format the domain instead")
        self.group = group


async def create(lvm: Lvm, root: Root, name: str, devices: Sequence[PurePosixPath], *, force: bool = False) -> Group:
    """Tagged as not ready: a domain is still to be made on it. `force`: whatever is on the disks is lost, their use
    by another group, too. Raises as groups.create; WrongBlockSize."""
    if not is_identifier(name):
        raise BadParameter("name", "not the id of a domain")
    if name in await lvm.groups():
        raise GroupExists(name)  # before anything is cleared
    for device in devices:
        facts = await root.call(ReadDevice(path=str(device)))
        if facts.logical_block != BLOCK_512:
            raise WrongBlockSize(str(device), facts.logical_block, facts.physical_block)
        if force:
            await _clear(root, device, facts.size)
    with without_lease("the group is new, and no domain"):
        return await groups.create(lvm, name, devices, tags=[UNREADY], force=force)


async def find(lvm: Lvm, uuid: str) -> Group:
    """By LVM's id. Raises NoSuchGroup."""
    found = [group for group in (await lvm.groups()).values() if group.uuid == uuid]
    if not found:
        raise NoSuchGroup(uuid)
    return found[0]


async def remove(lvm: Lvm, uuid: str) -> None:
    """Raises NoSuchGroup, GroupIsDomain, GroupRemoveFailed."""
    group = await find(lvm, uuid)
    if state(group.tags) is GroupState.READY:
        raise GroupIsDomain(group.name)
    with without_lease("the group is no domain"):
        await groups.remove(lvm, group.name)


async def _clear(root: Root, device: PurePosixPath, size: int) -> None:
    """LVM wipes file systems, but refuses a disk with a partition table whatever it is told."""
    if device.parent == MAPPER:
        dropped = await root.call(DropPartitions(name=device.name))
        if not dropped.ok:
            raise PhysicalVolumeInitFailed(f"dropping partitions of {device}", dropped.status, dropped.complaint)
    for offset in (0, max(0, size - TABLE_BYTES)):
        request = ZeroDevice(path=str(device), offset=offset, length=min(TABLE_BYTES, size))
        result = await root.call(request, seconds=ZERO_SECONDS)
        if not result.ok:
            raise PhysicalVolumeInitFailed(f"clearing {device}", result.status, result.complaint)
