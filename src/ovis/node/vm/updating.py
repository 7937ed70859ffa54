"""VM.updateDevice: changing a device where it is: a card's network, link and filter, or any device by its XML."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING

from lxml import etree

from ovis.client.types import vmUpdateInterfaceDeviceParams
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import hook_points, metadata, metadata_devices, safe_xml
from ovis.node.vm.devices import interface, kinds
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.disk import Disk
from ovis.node.vm.devices.interface import Interface
from ovis.node.vm.errors import BadXml
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.disks import by_target
from ovis.node.vm.hotplug.errors import UpdateFailed
from ovis.node.vm.hotplug.nics import by_mac
from ovis.node.vm.hotplug.request import FIELD, WRAPPERS, Request
from ovis.node.vm.metadata_devices import Data, DeviceNote
from ovis.node.vm.mirroring import NotMirrored
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)


async def update_card(vms: Vms, vm: Vm, given: vmUpdateInterfaceDeviceParams) -> None:
    """What is not given stays. Safe to repeat. Raises BadParameter, UpdateFailed, VmBusy, DomainNotFound."""

    def is_it(device: Device) -> bool:
        return isinstance(device, Interface) and device.alias == given.alias

    what = f"network card {given.alias}"
    async with vm.claim(f"update {what}"):
        text = await vms.hypervisor.xml(vm.id)
        former = plugging.element(text, is_it)
        if former is None:
            raise UpdateFailed(vm.id, what, "the VM has no card of that alias")
        wanted = copy.deepcopy(former)
        change_card(wanted, given)
        note = changed_note(text, Interface.read(wanted), given)
        async with hook_points.plugged(vms, vm, "update_device", Request(wanted, FIELD, note)) as request:
            await _update(vms, vm, what, former, request.element, note)
    try:
        await vms.mirroring.bring()
    except NotMirrored as error:
        raise UpdateFailed(vm.id, what, f"{error}; the card itself was changed") from error


def changed_note(text: str, card: Interface, given: vmUpdateInterfaceDeviceParams) -> DeviceNote | None:
    """What the metadata say of the card from now on; None when it stays."""
    changed: dict[str, Data] = {"network": given.network} if given.network else {}
    if given.port_mirroring is not None:
        changed["portMirroring"] = [*given.port_mirroring]
    if not changed or not card.mac:
        return None
    former = metadata_devices.find(metadata.element(safe_xml.parse_own(text, plugging.LIVE)), card)
    if former is None:
        return DeviceNote({"mac_address": card.mac}, changed)
    return DeviceNote(former.key, {**former.data, **changed})


def change_card(card: etree._Element, given: vmUpdateInterfaceDeviceParams) -> None:
    """An empty network unplugs the cable: the card stays where it is, without a link."""
    if given.network:
        source = _one(card, "source")
        source.attrib.clear()
        if card.get("type") == "network":
            source.set("network", given.network)
        else:
            card.set("type", "bridge")
            source.set("bridge", given.network)
    link = False if given.network == "" else given.link_active
    if link is not None:
        _one(card, "link").set("state", "up" if link else "down")
    if given.filter is not None:
        for reference in card.findall("filterref"):
            card.remove(reference)
        if given.filter:
            reference = etree.SubElement(card, "filterref", filter=given.filter)
            for parameter in interface.filter_parameters(given.filter_parameters):
                reference.append(parameter.element())


async def update_by_xml(vms: Vms, vm: Vm, text: str) -> None:
    """Raises BadXml, BadParameter, UpdateFailed, VmBusy, DomainNotFound."""
    request = _request(text)
    what, wanted = _named(request.device)
    if isinstance(request.device, Disk):
        await vms.preparer.check_devices([request.element], await vms.limits.get(), request.field)
    async with vm.claim(f"update {what}"):
        former = plugging.element(await vms.hypervisor.xml(vm.id), wanted)
        if former is None:
            raise UpdateFailed(vm.id, what, "the VM has no such device")
        if isinstance(request.device, Disk) and request.device.path != Disk.read(former).path:
            raise BadParameter(FIELD, "names another file; a disk keeps its source, and media have their own verbs")
        async with hook_points.plugged(vms, vm, "update_device", request) as request:
            await _update(vms, vm, what, former, request.element, request.note)


def _request(text: str) -> Request:
    root = safe_xml.parse(text, FIELD)
    holder = root.find("devices") if root.tag in WRAPPERS else None
    tags = [str(root.tag)] if holder is None else [str(child.tag) for child in holder if isinstance(child.tag, str)]
    if len(tags) != 1 or tags[0] not in kinds.BY_TAG:
        raise BadXml(FIELD, f"there must be one device that is known, there is {', '.join(tags) or 'none'}")
    return Request.of_xml(text, tags[0])


def _named(device: Device) -> tuple[str, plugging.Finder]:
    match device:
        case Disk():
            return f"disk {device.target}", by_target(device.target)
        case Interface(mac=str(mac)):
            return f"network card {mac}", by_mac(mac)
    if device.alias is None:
        raise BadXml(FIELD, f"{device.tag}: its alias is needed to find it")
    return f"{device.tag} {device.alias}", lambda other: other.alias == device.alias and other.tag == device.tag


async def _update(
    vms: Vms, vm: Vm, what: str, former: etree._Element, wanted: etree._Element, note: DeviceNote | None
) -> None:
    devices = vms.hypervisor.devices
    try:
        await devices.update(vm.id, safe_xml.text_of(wanted))
        if note is not None:
            await plugging.note(vms, vm, note)
    except DomainNotFound:
        raise
    except HypervisorError as error:
        state = "it is as it was"
        try:
            await devices.update(vm.id, safe_xml.text_of(former))
        except HypervisorError as again:
            state = f"its state is not sure: {again}"
        await vms.refresh(vm)
        raise UpdateFailed(vm.id, what, f"{error}; {state}") from error
    await vms.refresh(vm)
    await vms.keep(vm)
    log.info("%s of VM %s was changed", what, vm.id)


def _one(element: etree._Element, tag: str) -> etree._Element:
    found = element.find(tag)
    return etree.SubElement(element, tag) if found is None else found
