"""The Host verbs about devices that can be given to VMs."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec

from ovis.client import codec
from ovis.client.types import HostDevice
from ovis.client.verbs import HostHostdevChangeNumvfsArgs, HostHostdevListByCapsArgs, HostHostdevReattachArgs
from ovis.node.errors import BadParameter, NodeError
from ovis.node.host.host_devices import host_devices
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.hypervisor.domain_xml import parse
from ovis.node.hypervisor.errors import HypervisorError, HypervisorLost, OperationFailed, OperationRefused
from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node

LISTED = "after_hostdev_list_by_caps"
_PCI = re.compile(r"pci_([0-9a-f]{4,8})_([0-9a-f]{2})_([0-9a-f]{2})_([0-7])")


class NotGivenBack(NodeError):
    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} could not be given back to the host: {problem}")
        self.name = name


@verb("Host.hostdevListByCaps")
async def hostdev_list_by_caps(node: Node, args: HostHostdevListByCapsArgs) -> dict[str, HostDevice] | msgspec.Raw:
    descriptions = await node.hypervisor.devices.all_host_devices()
    found = await asyncio.to_thread(host_devices, descriptions, KernelFiles(), args.caps or ())
    if not node.hooks.has(LISTED):
        return found
    as_told = msgspec.json.decode(codec.encode_result("Host.hostdevListByCaps", found))
    return msgspec.Raw(msgspec.json.encode(await node.hooks.run_json(LISTED, as_told)))


@verb("Host.hostdevReattach")
async def hostdev_reattach(node: Node, args: HostHostdevReattachArgs) -> None:
    """Safe to repeat. libvirt refuses it for one that a running VM has."""
    await _description(node.hypervisor, args.device_name)
    if not _PCI.fullmatch(args.device_name):
        raise BadParameter("deviceName", f"{args.device_name} is no PCI device: only these are taken from the host")
    try:
        await node.hypervisor.devices.give_back_to_host(args.device_name)
    except (OperationRefused, OperationFailed) as error:
        raise NotGivenBack(args.device_name, str(error)) from error


@verb("Host.hostdevChangeNumvfs")
async def hostdev_change_numvfs(node: Node, args: HostHostdevChangeNumvfsArgs) -> None:
    name = args.device_name
    if (parts := _PCI.fullmatch(name)) is None:
        raise BadParameter("deviceName", f"{name} is no PCI device")
    functions = parse(await _description(node.hypervisor, name)).find("capability/capability[@type='virt_functions']")
    if functions is None:
        raise BadParameter("deviceName", f"{name} has no virtual functions")
    if args.numvfs > int(functions.get("maxCount", "0")):
        raise BadParameter("numvfs", f"{name} can offer {functions.get('maxCount')} at most")
    await node.networks.set_virtual_functions("{}:{}:{}.{}".format(*parts.groups()), args.numvfs)


async def _description(hypervisor: Hypervisor, name: str) -> str:
    try:
        return await hypervisor.devices.host_device(name)
    except HypervisorLost:
        raise
    except HypervisorError as error:
        raise BadParameter("deviceName", f"{name} is no device of this host: {error}") from error
