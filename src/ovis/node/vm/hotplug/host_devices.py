"""Devices of the host that come to and leave a VM.

Each is taken from its driver of the host first, so that a driver that does not let go is told apart from a QEMU that
does not take it. libvirt gives a managed device back to the host by itself when it leaves, however the VM ends.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.client.types import VmHostDevice, VmParameters
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm.devices import hostdev
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.hostdev import HostDevice
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.errors import HostKeepsDevice, PlugHostDeviceFailed, UnplugHostDeviceFailed
from ovis.node.vm.hotplug.request import Request
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)
FIELD = "devices"


async def plug(vms: Vms, vm: Vm, names: list[str], plugged: list[str]) -> None:
    """Fills `plugged` with the names of those that the VM has now; the others are with the host again.

    Raises BadParameter (no such device), HostKeepsDevice: not a single one could be taken from the host.
    """
    kept: list[str] = []
    for name in dict.fromkeys(names):
        device = await _known(vms, name)
        try:
            await _take(vms, vm, name, device)
        except HostKeepsDevice as error:
            log.warning("%s", error)
            kept.append(str(error))
            continue
        try:
            request = Request.of_device(device, FIELD)
            await plugging.plug(vms, vm, f"host device {name}", request, like(device), PlugHostDeviceFailed)
        except PlugHostDeviceFailed as error:
            log.warning("%s", error)
            await _give_back(vms, name, device)
        else:
            plugged.append(name)
    if kept and len(kept) == len(set(names)):
        raise HostKeepsDevice(vm.id, ", ".join(names), "; ".join(kept))


async def unplug(vms: Vms, vm: Vm, names: list[str], gone: list[str]) -> None:
    """Fills `gone` with the names of those that the VM no longer has."""
    for name in dict.fromkeys(names):
        device = await _known(vms, name)
        try:
            await plugging.unplug(vms, vm, f"host device {name}", like(device), UnplugHostDeviceFailed)
        except UnplugHostDeviceFailed as error:
            log.warning("%s", error)
            if plugging.find(vm.xml, like(device)) is not None:
                continue
        gone.append(name)


async def named(vms: Vms, given: VmParameters) -> dict[str, str]:
    """libvirt's XML of the host's devices that the parameters of a new VM name. Raises BadParameter."""
    found = {}
    for place, device in enumerate(given.devices or ()):
        if isinstance(device, VmHostDevice) and given.xml is None:
            found[device.device] = await _xml(vms, device.device, f"vmParams.devices[{place}].device")
    return found


def like(device: HostDevice) -> plugging.Finder:
    def is_it(other: Device) -> bool:
        return isinstance(other, HostDevice) and device.is_same(other)

    return is_it


async def _xml(vms: Vms, name: str, field: str) -> str:
    try:
        return await vms.hypervisor.devices.host_device(name)
    except HypervisorError as error:
        if not vms.hypervisor.connected:
            raise
        raise BadParameter(field, f"{name!r} is no device of this host: {error}") from error


async def _known(vms: Vms, name: str) -> HostDevice:
    device = hostdev.of_host(await _xml(vms, name, FIELD), FIELD)
    return replace(device, managed=True) if device.kind == "pci" else device


async def _take(vms: Vms, vm: Vm, name: str, device: HostDevice) -> None:
    if device.kind != "pci":
        return
    try:
        await vms.hypervisor.devices.take_from_host(name)
    except DomainNotFound:
        raise
    except HypervisorError as error:
        raise HostKeepsDevice(vm.id, f"host device {name}", str(error)) from error


async def _give_back(vms: Vms, name: str, device: HostDevice) -> None:
    if device.kind != "pci":
        return
    try:
        await vms.hypervisor.devices.give_back_to_host(name)
    except HypervisorError as error:
        log.warning("%s stays without a driver of the host: %s", name, error)
