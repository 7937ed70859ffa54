"""Verbs of devices that come, go and change. They translate and decide nothing."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from ovis.client.types import (
    VmDefinition,
    VmStatus,
    VmTicketConflictAction,
    vmUpdateGraphicsDeviceParams,
    vmUpdateInterfaceDeviceParams,
    vmUpdateXMLDeviceParams,
)
from ovis.client.verbs import (
    VMChangeCDArgs,
    VMChangeFloppyArgs,
    VMHotplugDiskArgs,
    VMHotplugHostdevArgs,
    VMHotplugLeaseArgs,
    VMHotplugMemoryArgs,
    VMHotplugNicArgs,
    VMHotunplugDiskArgs,
    VMHotunplugHostdevArgs,
    VMHotunplugLeaseArgs,
    VMHotunplugMemoryArgs,
    VMHotunplugNicArgs,
    VMUpdateDeviceArgs,
)
from ovis.node.console import passwords
from ovis.node.errors import BadParameter
from ovis.node.registry import verb
from ovis.node.vm import media, statistics, updating
from ovis.node.vm.hotplug import disks, host_devices, leases, memory, nics, plugging
from ovis.node.vm.migration.errors import MigrationInProgress
from ovis.node.vm.running import require_calm
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.node import Node


def _calm(node: Node, vm_id: str) -> Vm:
    vm = node.vms.find(vm_id)
    if vm.status is VmStatus.MIGRATION_SOURCE:
        raise MigrationInProgress(vm.id, "another host")
    require_calm(vm)
    return vm


async def _changed(node: Node, vm: Vm, work: Coroutine[Any, Any, None], what: str) -> VmDefinition:
    await plugging.to_its_end(node.vms, work, f"{what} VM {vm.id}")
    return statistics.definition(vm)


@verb("VM.hotplugDisk")
async def vm_hotplug_disk(node: Node, args: VMHotplugDiskArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, disks.plug(node.vms, vm, args.params), "plug a disk into")


@verb("VM.hotunplugDisk")
async def vm_hotunplug_disk(node: Node, args: VMHotunplugDiskArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, disks.unplug(node.vms, vm, args.params), "unplug a disk of")


@verb("VM.hotplugNic")
async def vm_hotplug_nic(node: Node, args: VMHotplugNicArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, nics.plug(node.vms, vm, args.params), "plug a card into")


@verb("VM.hotunplugNic")
async def vm_hotunplug_nic(node: Node, args: VMHotunplugNicArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, nics.unplug(node.vms, vm, args.params), "unplug a card of")


@verb("VM.hotplugMemory")
async def vm_hotplug_memory(node: Node, args: VMHotplugMemoryArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, memory.plug(node.vms, vm, args.params), "plug memory into")


@verb("VM.hotunplugMemory")
async def vm_hotunplug_memory(node: Node, args: VMHotunplugMemoryArgs) -> None:
    await memory.ask_back(node.vms, _calm(node, args.vm_id), args.params)


@verb("VM.hotplugHostdev")
async def vm_hotplug_hostdev(node: Node, args: VMHotplugHostdevArgs) -> list[str]:
    vm = _calm(node, args.vm_id)
    plugged: list[str] = []
    work = host_devices.plug(node.vms, vm, args.devices, plugged)
    await plugging.to_its_end(node.vms, work, f"plug host devices into VM {vm.id}")
    return plugged


@verb("VM.hotunplugHostdev")
async def vm_hotunplug_hostdev(node: Node, args: VMHotunplugHostdevArgs) -> list[str]:
    vm = _calm(node, args.vm_id)
    gone: list[str] = []
    work = host_devices.unplug(node.vms, vm, args.devices, gone)
    await plugging.to_its_end(node.vms, work, f"unplug host devices of VM {vm.id}")
    return gone


@verb("VM.hotplugLease")
async def vm_hotplug_lease(node: Node, args: VMHotplugLeaseArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, leases.plug(node.vms, vm, args.lease), "add a lease to")


@verb("VM.hotunplugLease")
async def vm_hotunplug_lease(node: Node, args: VMHotunplugLeaseArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, leases.unplug(node.vms, vm, args.lease), "drop a lease of")


@verb("VM.changeCD")
async def vm_change_cd(node: Node, args: VMChangeCDArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, media.change(node.vms, vm, "cdrom", args.drive_spec), "change the CD of")


@verb("VM.changeFloppy")
async def vm_change_floppy(node: Node, args: VMChangeFloppyArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    return await _changed(node, vm, media.change(node.vms, vm, "floppy", args.drive_spec), "change the floppy of")


@verb("VM.updateDevice")
async def vm_update_device(node: Node, args: VMUpdateDeviceArgs) -> VmDefinition:
    vm = _calm(node, args.vm_id)
    match args.params:
        case vmUpdateInterfaceDeviceParams() as card:
            work = updating.update_card(node.vms, vm, card)
        case vmUpdateXMLDeviceParams(xml=text):
            work = updating.update_by_xml(node.vms, vm, text)
        case vmUpdateGraphicsDeviceParams() as graphics:
            work = passwords.set_password(node.vms, vm, _wish(graphics))
        case other:
            raise BadParameter("params", f"devices of type {type(other).__name__} cannot be changed")
    return await _changed(node, vm, work, "update a device of")


def _wish(given: vmUpdateGraphicsDeviceParams) -> passwords.Wish:
    details = given.params or {}
    return passwords.Wish(
        password=given.password,
        seconds=given.ttl,
        action=given.existing_conn_action or VmTicketConflictAction.DISCONNECT,
        user=details.get("userName", ""),
        disconnect_action=given.disconnect_action,
        disconnect_delay=(given.console_disconnect_action_delay_minutes or 0) * 60.0,
        kind=given.graphics_type.value,
        details=details,
    )
