"""The description in an archive: plain OVF, as virt-v2v and others read it, with what oVirt's engines look for beside.

Names of elements and attributes carry the prefixes that readers without namespaces expect: `ovf:` for attributes,
`rasd:` and `vssd:` for what is inside an item. oVirt's numbers: card models 2 e1000, 3 virtio; sizes in GiB.
Source: DMTF DSP0243 (OVF) 1.1, chapters 7 to 9; CIM_ResourceAllocationSettingData for ResourceType and the units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from ovis.client.types import OvaDisk, OvaNic, OvaVm, VmDiskDeviceInterface
from ovis.node.errors import BadParameter
from ovis.node.imports.result import CARD_MODELS, NO_TEMPLATE, RASD, VSSD, XSI

OVF = "http://schemas.dmtf.org/ovf/envelope/1"
QCOW2 = "http://www.gnome.org/~markmc/qcow-image-format.html"
MADE_FOR = "ENGINE 4.5.0.0"
"""What readers take for a VM of KVM, which needs no conversion."""
LARGEST_NUMBER = 1 << 62
OVIRT_BUS = {
    VmDiskDeviceInterface.VIRTIO: "VirtIO",
    VmDiskDeviceInterface.SCSI: "VirtIO_SCSI",
    VmDiskDeviceInterface.SATA: "SATA",
    VmDiskDeviceInterface.IDE: "IDE",
}
CONTROLLERS = {
    VmDiskDeviceInterface.VIRTIO: ("6", "VirtioSCSI"),
    VmDiskDeviceInterface.SCSI: ("6", "VirtioSCSI"),
    VmDiskDeviceInterface.SATA: ("20", "AHCI"),
    VmDiskDeviceInterface.IDE: ("5", "PIIX4"),
}
"""(resource type, subtype) of what a disk hangs on; OVF has none for virtio-blk, whose disks need no controller."""


@dataclass(frozen=True)
class ExportedDisk:
    """`size` of the disk in bytes; `written`: bytes that it takes in the archive."""

    given: OvaDisk
    size: int
    written: int

    @property
    def file(self) -> str:
        return self.given.volume_id


def room(vm: OvaVm, vm_id: str, sizes: Sequence[int], made: datetime) -> int:
    """Bytes that the description has at most, whatever is written. Raises BadParameter."""
    most = [ExportedDisk(disk, size, LARGEST_NUMBER) for disk, size in zip(vm.disks, sizes, strict=True)]
    return len(write(vm, vm_id, most, made))


def write(vm: OvaVm, vm_id: str, disks: Sequence[ExportedDisk], made: datetime) -> bytes:
    """Raises BadParameter for words that XML cannot hold."""
    try:
        return etree.tostring(
            _envelope(vm, vm_id, disks, made), encoding="UTF-8", xml_declaration=True, pretty_print=True
        )
    except ValueError as error:
        raise BadParameter("vm", f"a text in it cannot be written: {error}") from error


def _envelope(vm: OvaVm, vm_id: str, disks: Sequence[ExportedDisk], made: datetime) -> etree._Element:
    names = {None: OVF, "ovf": OVF, "rasd": RASD, "vssd": VSSD, "xsi": XSI}
    root = etree.Element(_q("Envelope"), nsmap=names)  # None: of names without prefix
    root.set(_q("version"), "1.0")
    references = etree.SubElement(root, _q("References"))
    for disk in disks:
        _add(references, "File", id=disk.file, href=disk.file, size=str(disk.written))
    networks = _section(root, "NetworkSection", "Networks")
    for network in dict.fromkeys(nic.network for nic in vm.nics if nic.network):
        _add(networks, "Network", name=network)
    section = _section(root, "DiskSection", "Disks")
    for number, disk in enumerate(disks):
        _disk(section, disk, vm_id, is_boot=number == 0)
    _system(root, vm, vm_id, disks, made)
    return root


def _disk(section: etree._Element, disk: ExportedDisk, vm_id: str, *, is_boot: bool) -> None:
    element = _add(
        section,
        "Disk",
        diskId=disk.given.image_id,
        fileRef=disk.file,
        capacity=str(disk.size),
        capacityAllocationUnits="byte",
        format=QCOW2,
        populatedSize=str(disk.written),
    )
    _set(element, "vm_snapshot_id", vm_id)
    _set(element, "size", str(-(-disk.size >> 30)))
    _set(element, "actual_size", str(-(-disk.written >> 30)))
    _set(element, "volume-format", "COW")
    _set(element, "volume-type", "Sparse")
    _set(element, "disk-interface", OVIRT_BUS[disk.given.interface])
    _set(element, "disk-type", "System" if is_boot else "Data")
    _set(element, "boot", "true" if is_boot else "false")
    _set(element, "disk-alias", disk.given.alias or disk.given.image_id)


def _system(root: etree._Element, vm: OvaVm, vm_id: str, disks: Sequence[ExportedDisk], made: datetime) -> None:
    system = _add(root, "VirtualSystem", id=vm_id)
    for tag, text in (
        ("Info", "A virtual machine"),
        ("Name", vm.name),
        ("Description", vm.description or ""),
        ("CreationDate", made.strftime("%Y/%m/%d %H:%M:%S")),
        ("TemplateId", NO_TEMPLATE),
        ("TemplateName", "Blank"),
        ("VmType", "1"),
        ("DefaultDisplayType", "1"),
    ):
        etree.SubElement(system, _q(tag)).text = text
    operating_system = _section(system, "OperatingSystemSection", "Guest")
    _set(operating_system, "id", vm_id)
    etree.SubElement(operating_system, _q("Description")).text = "other"
    hardware = _section(system, "VirtualHardwareSection", "Hardware")
    made_for = etree.SubElement(hardware, _q("System"))
    etree.SubElement(made_for, f"{{{VSSD}}}VirtualSystemType").text = MADE_FOR
    _item(
        hardware,
        "3",
        f"{vm.cpus} virtual CPUs",
        {
            "InstanceID": "1",
            "VirtualQuantity": str(vm.cpus),
            "num_of_sockets": "1",
            "cpu_per_socket": str(vm.cpus),
            "threads_per_cpu": "1",
        },
    )
    memory = str(vm.memory >> 20)
    _item(
        hardware,
        "4",
        f"{memory} MB of memory",
        {"InstanceID": "2", "AllocationUnits": "MegaBytes", "VirtualQuantity": memory},
    )
    parents = _controllers(hardware, disks)
    for number, disk in enumerate(disks):
        _drive(hardware, disk, number, parents[CONTROLLERS[disk.given.interface]])
    for number, nic in enumerate(vm.nics, 1):
        _card(hardware, nic, number)


def _controllers(hardware: etree._Element, disks: Sequence[ExportedDisk]) -> dict[tuple[str, str], str]:
    """The number of each."""
    wanted = dict.fromkeys(CONTROLLERS[disk.given.interface] for disk in disks)
    numbers = {kind: str(10 + number) for number, kind in enumerate(wanted)}
    for (resource, subtype), number in numbers.items():
        _item(hardware, resource, "controller", {"InstanceID": number, "ResourceSubType": subtype})
    return numbers


def _drive(hardware: etree._Element, disk: ExportedDisk, number: int, parent: str) -> None:
    _item(
        hardware,
        "17",
        "disk",
        {
            "AddressOnParent": str(number),
            "HostResource": f"ovf:/disk/{disk.given.image_id}",
            "InstanceID": str(100 + number),
            "InstanceId": disk.file,
            "Parent": parent,
        },
    )


def _card(hardware: etree._Element, nic: OvaNic, number: int) -> None:
    if nic.model not in CARD_MODELS:
        raise BadParameter("vm.nics", f"the model {nic.model[:40]!r} is not one of {', '.join(CARD_MODELS)}")
    told = {"InstanceID": str(200 + number), "ResourceSubType": CARD_MODELS[nic.model]}
    if nic.network:
        told["Connection"] = nic.network
    told["Name"] = told["ElementName"] = f"nic{number}"
    if nic.mac_addr:
        told["MACAddress"] = told["Address"] = nic.mac_addr
    _item(hardware, "10", "network card", told)


def _item(hardware: etree._Element, kind: str, caption: str, more: dict[str, str]) -> None:
    item = etree.SubElement(hardware, _q("Item"))
    for tag, text in {"Caption": caption, "ElementName": caption, "ResourceType": kind, **more}.items():
        etree.SubElement(item, f"{{{RASD}}}{tag}").text = text


def _section(parent: etree._Element, tag: str, info: str) -> etree._Element:
    section = etree.SubElement(parent, _q(tag))
    etree.SubElement(section, _q("Info")).text = info
    return section


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, _q(tag))
    for name, value in attributes.items():
        _set(element, name, value)
    return element


def _set(element: etree._Element, name: str, value: str) -> None:
    element.set(_q(name), value)


def _q(name: str) -> str:
    return f"{{{OVF}}}{name}"
