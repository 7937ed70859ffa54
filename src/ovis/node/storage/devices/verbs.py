"""The verbs that look at disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import BlockDeviceInfo, DeviceVisibilityMap
from ovis.client.verbs import HostGetDeviceListArgs, HostGetDevicesVisibilityArgs
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.getDeviceList")
async def host_get_device_list(node: Node, args: HostGetDeviceListArgs) -> list[BlockDeviceInfo]:
    return await node.storage.parts.devices.listed(
        kind=args.storage_type,
        guids=args.guids or (),
        check_status=args.check_status is not False,
        refresh=args.refresh is not False,
    )


@verb("Host.getDevicesVisibility")
async def host_get_devices_visibility(node: Node, args: HostGetDevicesVisibilityArgs) -> DeviceVisibilityMap:
    return await node.storage.parts.devices.visibility(args.guid_list)
