"""Reading the description in an OVA: OVF 1 and 2 as VMware, VirtualBox and others write it, and oVirt's own dialect.

The dialects differ in namespaces and in how sections are named (`DiskSection`, or `Section` with an `xsi:type` of
`ovf:DiskSection_Type`), so elements are found by their local names.

    Envelope
      References/File           id, href, size
      DiskSection/Disk          diskId, fileRef, capacity, capacityAllocationUnits, format
      VirtualSystem | Content   Name, VirtualHardwareSection/Item: ResourceType 3 CPU, 4 memory, 10 network card

Source: DMTF DSP0243 (OVF) 1.1 and 2.1, chapters 7 to 9; CIM_ResourceAllocationSettingData for ResourceType.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from lxml import etree

from ovis.node.imports.description import Card, Description, Disk
from ovis.node.imports.errors import BadArchive
from ovis.node.vm import safe_xml

CPU, MEMORY, NETWORK_CARD = "3", "4", "10"
ITEMS = {"Item", "StorageItem", "EthernetPortItem"}
DISKS = 64
CARDS = 64
CPUS = 4096
LARGEST = 1 << 60
FOREIGN = ("vmx", "virtualbox", "xen", "hyperv")
OVIRT_CARDS = {"1": "rtl8139", "2": "e1000", "3": "virtio", "4": "e1000e"}
FORMATS = {"vmdk": "vmdk", "qcow": "qcow2", "raw": "raw"}
_NUMBER = re.compile(r"\d{1,19}")
_WORDS = {"byte": 0, "bytes": 0, "kilobytes": 10, "megabytes": 20, "gigabytes": 30, "terabytes": 40, "mb": 20, "gb": 30}
_POWER = re.compile(r"byte\s*\*\s*2\^(\d{1,2})")


def read(text: str, archive: str) -> Description:
    """Raises BadArchive; BadXml for what is no XML, or holds entities or inclusions."""
    root = safe_xml.parse(text, f"{archive}: description")
    return _Reader(root, archive).read()


class _Reader:
    def __init__(self, root: etree._Element, archive: str) -> None:
        self._root = root
        self._archive = archive

    def read(self) -> Description:
        if _local(self._root) != "Envelope":
            raise self._bad(f"its root is {_local(self._root)}, not Envelope")
        system = self._system()
        items = [item for item in system.iter() if _local(item) in ITEMS]
        kind = next((_text(e) for e in system.iter() if _local(e) == "VirtualSystemType"), "")
        return Description(
            name=self._name(system),
            memory=self._memory(items),
            cpus=self._cpus(items),
            disks=tuple(self._disks()),
            cards=tuple(self._cards(items)),
            is_foreign=kind.strip().lower().startswith(FOREIGN),
        )

    def _system(self) -> etree._Element:
        found = [
            e
            for e in self._root
            if _local(e) == "VirtualSystem" or (_local(e) == "Content" and "VirtualSystem" in _attribute(e, "type"))
        ]
        if len(found) != 1:
            raise self._bad(f"it describes {len(found)} VMs, only a single one can be imported")
        return found[0]

    def _name(self, system: etree._Element) -> str:
        name = _child(system, "Name") or _attribute(system, "id")
        if not name or len(name) > 255:
            raise self._bad("the VM has no usable name")
        return name

    def _memory(self, items: list[etree._Element]) -> int:
        item = self._item(items, MEMORY, "memory")
        unit = self._unit(_child(item, "AllocationUnits") or "MegaBytes", "memory")
        return self._bytes(_child(item, "VirtualQuantity"), unit, "memory")

    def _cpus(self, items: list[etree._Element]) -> int:
        item = self._item(items, CPU, "CPUs")
        quantity = _child(item, "VirtualQuantity")
        parts = ["num_of_sockets", "cpu_per_socket", "threads_per_cpu"]
        cpus = (
            self._number(quantity, "CPUs")
            if quantity
            else math.prod(self._number(_child(item, part) or "1", "CPUs") for part in parts)
        )
        if not 0 < cpus <= CPUS:
            raise self._bad(f"the VM cannot have {cpus} CPUs")
        return cpus

    def _item(self, items: list[etree._Element], kind: str, what: str) -> etree._Element:
        found = [item for item in items if _child(item, "ResourceType") == kind]
        if not found:
            raise self._bad(f"the VM's {what} are not described")
        return found[0]

    def _disks(self) -> Iterator[Disk]:
        files = self._files()
        found = [disk for section in _sections(self._root, "DiskSection") for disk in section if _local(disk) == "Disk"]
        if len(found) > DISKS:
            raise self._bad(f"it has {len(found)} disks, at most {DISKS} can be imported")
        for disk in found:
            yield self._disk(disk, files)

    def _disk(self, disk: etree._Element, files: Mapping[str, etree._Element]) -> Disk:
        disk_id = _attribute(disk, "diskId")
        if _attribute(disk, "parentRef"):
            raise self._bad(f"disk {disk_id!r} builds on another one: chains of disks are not supported")
        reference = _attribute(disk, "fileRef")
        file = files.get(reference)
        if reference and file is None:
            raise self._bad(f"disk {disk_id!r} refers to the file {reference!r}, which is not listed")
        capacity, slack = self._capacity(disk, disk_id)
        populated = _attribute(disk, "populatedSize") or _attribute(disk, "actual_size")
        return Disk(
            id=disk_id,
            file=None if file is None else _attribute(file, "href"),
            file_size=None if file is None else self._file_size(file),
            capacity=capacity,
            slack=slack,
            allocation=min(int(populated), LARGEST) if _NUMBER.fullmatch(populated) else None,
            driver=_driver(_attribute(disk, "format"), _attribute(disk, "volume-format")),
        )

    def _capacity(self, disk: etree._Element, disk_id: str) -> tuple[int | None, int]:
        """Bytes, and how coarse they are counted. oVirt writes `size` in GiB, rounded down."""
        text = _attribute(disk, "capacity")
        if not text:
            gib = _attribute(disk, "size")
            return (self._bytes(gib, 1 << 30, f"disk {disk_id}"), 1 << 30) if gib else (None, 0)
        unit = self._unit(_attribute(disk, "capacityAllocationUnits") or "byte", f"disk {disk_id}")
        return self._bytes(text, unit, f"disk {disk_id}"), unit - 1

    def _files(self) -> dict[str, etree._Element]:
        """By id, and by name, which oVirt uses as reference."""
        found: dict[str, etree._Element] = {}
        for file in (f for e in self._root if _local(e) == "References" for f in e if _local(f) == "File"):
            if _attribute(file, "compression") or _attribute(file, "chunkSize"):
                raise self._bad(f"the file {_attribute(file, 'href')!r} is compressed or in pieces: not supported")
            for key in (_attribute(file, "id"), _attribute(file, "href")):
                found.setdefault(key, file)
        return found

    def _file_size(self, file: etree._Element) -> int | None:
        size = _attribute(file, "size")
        return self._bytes(size, 1, f"file {_attribute(file, 'href')}") if size else None

    def _cards(self, items: list[etree._Element]) -> Iterator[Card]:
        found = [item for item in items if _child(item, "ResourceType") == NETWORK_CARD]
        if len(found) > CARDS:
            raise self._bad(f"it has {len(found)} network cards, at most {CARDS} can be imported")
        for item in found:
            network = _child(item, "Connection") or None
            model = _child(item, "ResourceSubType").split(" ")[0] or None
            yield Card(
                kind="bridge" if network else "interface",
                name=_child(item, "ElementName") or _child(item, "Name") or _child(item, "Caption") or None,
                network=network,
                mac=_child(item, "MACAddress") or _child(item, "Address") or None,
                model=OVIRT_CARDS.get(model, model) if model else None,
            )

    def _bytes(self, text: str, unit: int, what: str) -> int:
        size = self._number(text, what) * unit
        if size > LARGEST:
            raise self._bad(f"{what}: it cannot have {size} bytes")
        return size

    def _number(self, text: str, what: str) -> int:
        """A property such as `${size}` would be asked of a person at deployment; nobody is there to answer."""
        if not _NUMBER.fullmatch(text):
            raise self._bad(f"{what}: {text[:60]!r} is no whole number")
        return int(text)

    def _unit(self, text: str, what: str) -> int:
        """Bytes of a unit such as `byte * 2^20` or `MegaBytes`."""
        plain = text.strip().lower()
        power = _POWER.fullmatch(plain)
        if power and int(power[1]) <= 50:
            return 1 << int(power[1])
        if plain in _WORDS:
            return 1 << _WORDS[plain]
        raise self._bad(f"{what}: the unit {text[:60]!r} is not known")

    def _bad(self, problem: str) -> BadArchive:
        return BadArchive(f"{self._archive}: description", problem)


def _driver(link: str, volume_format: str) -> str | None:
    """From the link that names the format, such as http://…/vmdk.html#streamOptimized; oVirt says it beside."""
    if volume_format:
        return {"RAW": "raw", "COW": "qcow2"}.get(volume_format.upper())
    name = link.lower().rsplit("//", 1)[-1]
    return next((driver for word, driver in FORMATS.items() if word in name), None)


def _sections(root: etree._Element, name: str) -> list[etree._Element]:
    return [
        e for e in root if _local(e) == name or (_local(e) == "Section" and f"{name}_Type" in _attribute(e, "type"))
    ]


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _attribute(element: etree._Element, name: str) -> str:
    """Of whatever namespace; empty when it is not there."""
    return next((str(value) for key, value in element.attrib.items() if etree.QName(str(key)).localname == name), "")


def _child(element: etree._Element, name: str) -> str:
    """The text of the first child of that local name; empty when it is not there."""
    return next((_text(child) for child in element if _local(child) == name), "")


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()
