"""The verbs about volume groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import VolumeGroupInfo
from ovis.client.verbs import (
    HostGetLVMVolumeGroupsArgs,
    LVMVolumeGroupCreateArgs,
    LVMVolumeGroupGetInfoArgs,
    LVMVolumeGroupRemoveArgs,
)
from ovis.node.registry import verb
from ovis.node.storage.lvm import describe, making

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.getLVMVolumeGroups")
async def host_get_lvm_volume_groups(node: Node, args: HostGetLVMVolumeGroupsArgs) -> list[VolumeGroupInfo]:
    parts = node.storage.parts
    maps = describe.by_path(await parts.devices.maps())
    found = (await parts.block_host.lvm.groups()).values()
    wanted = args.storage_type
    return [describe.describe(group, maps) for group in found if wanted in (None, describe.kind(group, maps))]


@verb("LVMVolumeGroup.getInfo")
async def lvm_volume_group_get_info(node: Node, args: LVMVolumeGroupGetInfoArgs) -> VolumeGroupInfo:
    parts = node.storage.parts
    group = await making.find(parts.block_host.lvm, args.lvmvolumegroup_id)
    states = await parts.devices.path_states()
    return describe.describe(group, describe.by_path(await parts.devices.maps()), states)


@verb("LVMVolumeGroup.create")
async def lvm_volume_group_create(node: Node, args: LVMVolumeGroupCreateArgs) -> str:
    parts = node.storage.parts
    devices = await parts.devices.paths(args.devlist)
    group = await making.create(parts.block_host.lvm, parts.privileged, args.name, devices, force=bool(args.force))
    return group.uuid


@verb("LVMVolumeGroup.remove")
async def lvm_volume_group_remove(node: Node, args: LVMVolumeGroupRemoveArgs) -> None:
    await making.remove(node.storage.parts.block_host.lvm, args.lvmvolumegroup_id)
