"""The `device` groups of the metadata: what a host must know of a device and the domain XML cannot say.

    <device devtype="disk" name="vda"><imageID>…</imageID><volumeChain><volumeChainNode>…</volumeChainNode>…
    <device mac_address="52:54:00:00:00:01"><network>ovirtmgmt</network><custom><queues>4</queues></custom></device>

A group belongs to the device that has all its attributes: `devtype` and `name` (disks: the target), `mac_address`
(network cards), or `alias`. Groups in groups are dictionaries, or lists where `LISTS` names their items; `payload` has
its files under their paths. Groups without attributes belong to nobody and are left alone.
Source: reference/vdsm.md, section 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree

from ovis.client.types import VmInterfaceDevice
from ovis.node.vm import metadata
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.disk import Disk
from ovis.node.vm.devices.interface import Interface
from ovis.node.vm.errors import BadMetadata
from ovis.node.vm.metadata import Value

Data: TypeAlias = "Value | list[Data] | dict[str, Data]"
LISTS = {"volumeChain": "volumeChainNode", "hosts": "hostInfo", "portMirroring": "network"}


@dataclass(frozen=True)
class DeviceNote:
    """`key` are the attributes that bind it to its device."""

    key: Mapping[str, str]
    data: Mapping[str, Data] = field(default_factory=dict)

    def __str__(self) -> str:
        return "device " + ",".join(f"{name}={value}" for name, value in self.key.items())

    def text(self, name: str) -> str:
        """Raises BadMetadata, as all that follow, naming device and key."""
        value = self._get(name)
        if not isinstance(value, str):
            raise BadMetadata(str(self), name, f"{value!r} is not a text")
        return value

    def whole(self, name: str) -> int:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadMetadata(str(self), name, f"{value!r} is not a whole number")
        return value

    def truth(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise BadMetadata(str(self), name, f"{value!r} is not a truth value")
        return value

    def group(self, name: str) -> dict[str, Data]:
        value = self._get(name)
        if not isinstance(value, dict):
            raise BadMetadata(str(self), name, "is not a group of values")
        return value

    def rows(self, name: str) -> list[Data]:
        value = self._get(name)
        if not isinstance(value, list):
            raise BadMetadata(str(self), name, "is not a list")
        return value

    def _get(self, name: str) -> Data:
        if name not in self.data:
            raise BadMetadata(str(self), name, "is missing")
        return self.data[name]


def note_of_card(given: VmInterfaceDevice) -> DeviceNote:
    data: dict[str, Data] = {"network": given.network or ""}
    if given.custom:
        data["custom"] = dict(given.custom)
    if given.port_mirroring:
        data["portMirroring"] = [*given.port_mirroring]
    return DeviceNote({"mac_address": given.mac_addr.lower()}, data)


def key_of(device: Device) -> dict[str, str]:
    """Every attribute by which a group may name this device."""
    found = {"alias": device.alias} if device.alias else {}
    match device:
        case Disk():
            found |= {"devtype": "disk", "name": device.target}
        case Interface(mac=str(mac)):
            found |= {"devtype": "interface", "mac_address": mac}
        case _:
            found |= {"devtype": device.tag}
    return found


def notes(holder: etree._Element | None) -> Iterator[DeviceNote]:
    """All groups in the `vm` element."""
    for child in metadata.children(holder):
        if metadata.name(child) == "device" and child.attrib:
            yield DeviceNote(_key(child), _group(child))


def find(holder: etree._Element | None, device: Device) -> DeviceNote | None:
    key = key_of(device)
    return next((note for note in notes(holder) if _names(note.key, key)), None)


def put(holder: etree._Element, note: DeviceNote) -> None:
    """In the place of the group with the same attributes, if there is one."""
    drop(holder, note.key)
    holder.append(_element("device", dict(note.data), note.key, _namespace(holder)))


def drop(holder: etree._Element, key: Mapping[str, str]) -> None:
    """Remove the groups that name the device with these attributes. Safe to repeat."""
    for child in metadata.children(holder):
        if metadata.name(child) == "device" and child.attrib and _names(_key(child), key):
            holder.remove(child)


def _names(note: Mapping[str, str], device: Mapping[str, str]) -> bool:
    return all(device.get(name) == value for name, value in note.items())


def _key(element: etree._Element) -> dict[str, str]:
    found = {str(name): str(value) for name, value in element.attrib.items()}
    if "mac_address" in found:
        found["mac_address"] = found["mac_address"].lower()
    return found


def _group(element: etree._Element) -> dict[str, Data]:
    found: dict[str, Data] = {}
    for child in metadata.children(element):
        name = metadata.name(child)
        if name == "file" and (path := child.get("path")) is not None:
            files = found.setdefault("file", {})
            if isinstance(files, dict):
                files[path] = child.text or ""
        elif name in LISTS:
            rows: list[Data] = [_data(row) for row in metadata.children(child) if metadata.name(row) == LISTS[name]]
            found[name] = rows
        else:
            found[name] = _data(child)
    return found


def _data(element: etree._Element) -> Data:
    return _group(element) if len(metadata.children(element)) else metadata.value(element)


def _namespace(holder: etree._Element) -> str:
    """That of the `vm` element: none where libvirt gave it to us by itself."""
    return etree.QName(holder).namespace or ""


def _element(name: str, data: Data, attributes: Mapping[str, str], namespace: str) -> etree._Element:
    made = etree.Element(etree.QName(namespace or None, name), dict(attributes))
    match data:
        case dict():
            for key, inner in data.items():
                made.extend(_children(name, key, inner, namespace))
        case list():
            for row in data:
                made.append(_element(LISTS.get(name, "item"), row, {}, namespace))
        case _:
            made.text, kind = metadata.text(data)
            if kind:
                made.set("type", kind)
    return made


def _children(parent: str, key: str, data: Data, namespace: str) -> list[etree._Element]:
    if parent == "payload" and key == "file" and isinstance(data, dict):
        return [_element("file", content, {"path": path}, namespace) for path, content in data.items()]
    return [_element(key, data, {}, namespace)]
