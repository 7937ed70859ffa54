"""What a caller wants plugged in or out: XML of a device, alone or as engines wrap it, or parameters.

Engines send `<hotplug><devices><disk>…</disk></devices><metadata>…<ovirt-vm:device …/></metadata></hotplug>`.
"""

from __future__ import annotations

from lxml import etree

from ovis.node.vm import metadata, metadata_devices, safe_xml
from ovis.node.vm.devices import kinds
from ovis.node.vm.devices.description import Device
from ovis.node.vm.errors import BadXml
from ovis.node.vm.metadata_devices import DeviceNote

FIELD = "params.xml"
WRAPPERS = {"hotplug", "hotunplug", "domain"}


class Request:
    """One device: its element, what it means, and what the metadata shall say of it."""

    def __init__(self, element: etree._Element, field: str, note: DeviceNote | None = None) -> None:
        """Raises BadXml."""
        found = kinds.read(element, f"{field}: {element.tag!s}")
        assert found is not None
        self.element = element
        self.device: Device = found
        self.field = field
        self.note = note

    @classmethod
    def of_xml(cls, text: str, tag: str) -> Request:
        """Raises BadXml when there is not just one `tag`."""
        root, element = _only(text, tag)
        request = cls(element, FIELD)
        request.note = metadata_devices.find(metadata.element(root), request.device)
        return request

    @staticmethod
    def alias(text: str, tag: str) -> str | None:
        """Engines name what shall go by its alias alone. Raises BadXml."""
        alias = _only(text, tag)[1].find("alias")
        return None if alias is None else alias.get("name")

    @classmethod
    def of_device(cls, device: Device, field: str, note: DeviceNote | None = None) -> Request:
        return cls(device.element(), field, note)


def _only(text: str, tag: str) -> tuple[etree._Element, etree._Element]:
    """The document and the one device in it."""
    root = safe_xml.parse(text, FIELD)
    holder = root.find("devices") if root.tag in WRAPPERS else None
    elements = [root] if root.tag == tag else [] if holder is None else list(holder.iterchildren(tag))
    if len(elements) != 1:
        raise BadXml(FIELD, f"{len(elements)} elements {tag} are in it; there must be one")
    return root, elements[0]
