"""Volume groups as the API lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ovis.client.types import (
    BlockDeviceType,
    PhysicalVolumeInfo,
    StorageDomainTypeId,
    VolumeGroupAttributeAllocation,
    VolumeGroupAttributeClustered,
    VolumeGroupAttributeExported,
    VolumeGroupAttributePartial,
    VolumeGroupAttributePermission,
    VolumeGroupAttributeResizeable,
    VolumeGroupAttributes,
    VolumeGroupInfo,
    VolumeGroupState,
)
from ovis.node.storage.devices.devices import kind_of, paths_of, sessions_of
from ovis.node.storage.devices.maps import MultipathMap
from ovis.node.storage.lvm.reports import Group, PhysicalVolume

_TYPES = {BlockDeviceType.I_SCSI: StorageDomainTypeId.ISCSI, BlockDeviceType.FCP: StorageDomainTypeId.FCP}


def kind(group: Group, maps: Mapping[str, MultipathMap]) -> BlockDeviceType | None:
    """How its disks are reached; None: none of them is a multipath map. `maps`: by path."""
    kinds = {kind_of(maps[device.name]) for device in group.devices if device.name in maps}
    if len(kinds) > 1:
        return BlockDeviceType.MIXED
    return kinds.pop() if kinds else None


def describe(
    group: Group, maps: Mapping[str, MultipathMap], states: Mapping[str, bool] | None = None
) -> VolumeGroupInfo:
    """`states` of paths; None: without the list of disks."""
    reached = kind(group, maps)
    return VolumeGroupInfo(
        name=group.name,
        vg_uuid=group.uuid,
        vgsize=group.size,
        vgfree=group.free,
        state=VolumeGroupState.PARTIAL if group.missing_devices else VolumeGroupState.OK,
        type=StorageDomainTypeId.UNKNOWN if reached is None else _TYPES.get(reached, StorageDomainTypeId.UNKNOWN),
        attr=attributes(group.attributes),
        pvlist=None if states is None else [_device(device, maps.get(device.name), states) for device in group.devices],
    )


def attributes(text: str) -> VolumeGroupAttributes | None:
    """Of `wz--n-`: permission, resizeable, exported, partial, allocation, clustered (or shared). None for others."""
    if len(text) != 6:
        return None
    permission, resizeable, exported, partial, allocation, clustered = list(text)
    try:
        return VolumeGroupAttributes(
            permission=VolumeGroupAttributePermission(permission),
            resizeable=VolumeGroupAttributeResizeable(resizeable),
            exported=VolumeGroupAttributeExported(exported),
            partial=VolumeGroupAttributePartial(partial),
            allocation=VolumeGroupAttributeAllocation(allocation.lower()),  # upper case: locked
            clustered=VolumeGroupAttributeClustered(clustered),
        )
    except ValueError:
        return None


def _device(device: PhysicalVolume, one: MultipathMap | None, states: Mapping[str, bool]) -> PhysicalVolumeInfo:
    bare = PhysicalVolumeInfo(
        guid=device.guid,
        pv_uuid=device.uuid,
        vg_uuid=device.group_uuid,
        capacity=device.size,
        devcapacity=device.device_size or None,
    )
    if one is None:
        return bare
    return replace(
        bare,
        guid=one.guid,
        devcapacity=one.size,
        devtype=kind_of(one),
        fwrev=one.revision,
        pathlist=sessions_of(one),
        pathstatus=paths_of(one, states),
        product_id=one.product,
        vendor_id=one.vendor,
        serial=one.serial,
    )


def by_path(maps: Sequence[MultipathMap]) -> dict[str, MultipathMap]:
    return {str(one.path): one for one in maps}
