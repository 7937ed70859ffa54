"""The description of an imported VM, in the dialect of OVF that oVirt engines read.

Sizes of disks are in GiB, rounded up, and in bytes. Enumerations are oVirt's numbers: card models 1 rtl8139, 2 e1000,
3 virtio; a disk is of resource type 17, a card 10, CPUs 3, memory 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from ovis.node.imports.description import Card, Description
from ovis.node.imports.targets import Target

OVF = "http://schemas.dmtf.org/ovf/envelope/1/"
RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
VSSD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NO_TEMPLATE = "00000000-0000-0000-0000-000000000000"
CARD_MODELS = {"rtl8139": "1", "e1000": "2", "virtio": "3", "e1000e": "4"}


@dataclass(frozen=True)
class ImportedDisk:
    """`size` of the disk and `used` space of the volume in bytes."""

    target: Target
    size: int
    used: int

    @property
    def file(self) -> str:
        return f"{self.target.image_id}/{self.target.volume_id}"


def write(
    described: Description, name: str, vm_id: str, disks: Sequence[ImportedDisk], *, made: datetime, origin: str
) -> str:
    """A guest that was not converted may lack virtio drivers: then its devices are such as every guest knows."""
    root = etree.Element(_q(OVF, "Envelope"), nsmap={"ovf": OVF, "rasd": RASD, "vssd": VSSD, "xsi": XSI})
    root.set(_q(OVF, "version"), "0.9")
    references = etree.SubElement(root, "References")
    for disk in disks:
        _add(references, "File", {"href": disk.file, "id": disk.target.volume_id, "size": str(disk.used)})
    networks = _section(root, "NetworkSection")
    for network in dict.fromkeys(card.network for card in described.cards if card.network):
        _add(networks, "Network", {"name": network})
    section = _section(root, "DiskSection")
    for number, disk in enumerate(disks):
        _add(section, "Disk", _disk(disk, is_boot=number == 0, is_foreign=described.is_foreign))
    _content(root, described, name, vm_id, disks, made, origin)
    return etree.tostring(root, encoding="unicode")


def _disk(disk: ImportedDisk, *, is_boot: bool, is_foreign: bool) -> dict[str, str]:
    return {
        "diskId": disk.target.volume_id,
        "fileRef": disk.file,
        "size": str(-(-disk.size >> 30)),
        "capacity": str(disk.size),
        "actual_size": str(-(-disk.used >> 30)),
        "parentRef": "",
        "vm_snapshot_id": disk.target.image_id,
        "volume-format": "COW" if disk.target.driver == "qcow2" else "RAW",
        "volume-type": "Sparse",
        "format": "http://en.wikipedia.org/wiki/Byte",
        "disk-interface": "SATA" if is_foreign else "VirtIO",
        "disk-type": "System" if is_boot else "Data",
        "boot": "true" if is_boot else "false",
        "disk-alias": disk.target.image_id,
    }


def _content(
    root: etree._Element,
    described: Description,
    name: str,
    vm_id: str,
    disks: Sequence[ImportedDisk],
    made: datetime,
    origin: str,
) -> None:
    content = etree.SubElement(root, "Content")
    content.set(_q(OVF, "id"), "out")
    content.set(_q(XSI, "type"), "ovf:VirtualSystem_Type")
    for tag, text in (
        ("Name", name),
        ("TemplateId", NO_TEMPLATE),
        ("TemplateName", "Blank"),
        ("Description", origin),
        ("CreationDate", made.strftime("%Y/%m/%d %H:%M:%S")),
        ("IsStateless", "False"),
        ("VmType", "1"),
        ("DefaultDisplayType", "1"),
    ):
        etree.SubElement(content, tag).text = text
    system = _section(content, "OperatingSystemSection", {"id": vm_id, "required": "false"})
    etree.SubElement(system, "Description").text = "other"
    hardware = _section(content, "VirtualHardwareSection")
    cpus = _item(hardware, "3", f"{described.cpus} virtual CPUs")
    for tag, text in (("num_of_sockets", "1"), ("cpu_per_socket", str(described.cpus)), ("threads_per_cpu", "1")):
        _rasd(cpus, tag, text)
    memory = _item(hardware, "4", f"{described.memory >> 20} MB of memory")
    _rasd(memory, "AllocationUnits", "MegaBytes")
    _rasd(memory, "VirtualQuantity", str(described.memory >> 20))
    for disk in disks:
        item = _item(hardware, "17", "disk")
        _rasd(item, "InstanceId", disk.target.volume_id)
        _rasd(item, "HostResource", disk.file)
        _rasd(item, "Parent", NO_TEMPLATE)
        _rasd(item, "Template", NO_TEMPLATE)
    for number, card in enumerate(described.cards, 1):
        _card(_item(hardware, "10", "network card"), card, number, is_foreign=described.is_foreign)


def _card(item: etree._Element, card: Card, number: int, *, is_foreign: bool) -> None:
    usual = "e1000" if is_foreign else "virtio"
    model = (card.model or usual).lower()
    _rasd(item, "ResourceSubType", CARD_MODELS.get(model, CARD_MODELS[usual]))
    _rasd(item, "Connection", card.network or "")
    _rasd(item, "Name", f"nic{number}")
    if card.mac:
        _rasd(item, "MACAddress", card.mac)


def _section(parent: etree._Element, kind: str, attributes: dict[str, str] | None = None) -> etree._Element:
    section = _add(parent, "Section", attributes or {})
    section.set(_q(XSI, "type"), f"ovf:{kind}_Type")
    etree.SubElement(section, "Info").text = kind.removesuffix("Section")
    return section


def _item(hardware: etree._Element, kind: str, caption: str) -> etree._Element:
    item = etree.SubElement(hardware, "Item")
    _rasd(item, "Caption", caption)
    _rasd(item, "ResourceType", kind)
    return item


def _rasd(item: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(item, _q(RASD, tag)).text = text


def _add(parent: etree._Element, tag: str, attributes: dict[str, str]) -> etree._Element:
    return etree.SubElement(parent, tag, {_q(OVF, name): value for name, value in attributes.items()})


def _q(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}"
