"""Network cards that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import HotplugNicParams
from ovis.node.errors import BadParameter, MissingParameter
from ovis.node.vm import hook_points
from ovis.node.vm.devices import interface
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.interface import Interface
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.errors import PlugCardFailed, UnplugCardFailed
from ovis.node.vm.hotplug.request import Request
from ovis.node.vm.metadata_devices import note_of_card
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

FIELD = "params.nic"


async def plug(vms: Vms, vm: Vm, params: HotplugNicParams) -> None:
    """Raises PlugCardFailed, BadParameter, MissingParameter, VmBusy and what `plugging.plug` raises."""
    request = _request(vms, vm, params)
    card = request.device
    assert isinstance(card, Interface)
    if card.mac is None:
        raise BadParameter(f"{request.field}: mac", "is missing; a card is known by its MAC address")
    await vms.preparer.check_devices([request.element], await vms.limits.get(), request.field)
    async with hook_points.plugged(vms, vm, "nic_hotplug", request) as request:
        mac = request.device.mac if isinstance(request.device, Interface) else None
        await plugging.plug(vms, vm, f"network card {mac}", request, by_mac(mac or card.mac), PlugCardFailed)


async def unplug(vms: Vms, vm: Vm, params: HotplugNicParams) -> None:
    """Raises UnplugCardFailed, MissingParameter, VmBusy and what `plugging.unplug` raises."""
    mac: str | None
    if params.xml is not None:
        if (alias := Request.alias(params.xml, "interface")) is not None:
            await _unplug(vms, vm, alias, plugging.by_alias(alias))
            return
        card = Request.of_xml(params.xml, "interface").device
        mac = card.mac if isinstance(card, Interface) else None
    elif params.nic is not None:
        mac = params.nic.mac_addr
    else:
        raise MissingParameter("params", "either xml or nic says which card")
    if not mac:
        raise MissingParameter("params", "a card is known by its MAC address")
    await _unplug(vms, vm, mac, by_mac(mac))


async def _unplug(vms: Vms, vm: Vm, name: str, wanted: plugging.Finder) -> None:
    async with hook_points.unplugged(vms, vm, "nic_hotunplug", wanted):
        await plugging.unplug(vms, vm, f"network card {name}", wanted, UnplugCardFailed)


def by_mac(mac: str) -> plugging.Finder:
    def is_it(device: Device) -> bool:
        return isinstance(device, Interface) and device.mac == mac.lower()

    return is_it


def _request(vms: Vms, vm: Vm, params: HotplugNicParams) -> Request:
    if params.xml is not None:
        return Request.of_xml(params.xml, "interface")
    if params.nic is None:
        raise MissingParameter("params", "either xml or nic says which card")
    board = Board("q35" in vm.definition.machine, vms.settings.display_address)
    (built,) = interface.build(params.nic, board, FIELD)
    return Request.of_device(built, FIELD, note_of_card(params.nic))
