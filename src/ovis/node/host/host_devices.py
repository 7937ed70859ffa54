"""Devices of the host that libvirt knows, told with what is needed to give one to a VM.

Source: libvirt formatnode; for persistent memory, of which libvirt does not know, Documentation/driver-api/nvdimm and
Documentation/ABI/testing/sysfs-bus-nvdimm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree

from ovis.client.types import HostDevice, HostDeviceParams, PCIAddress, SCSIAddress, USBAddress
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.hypervisor.domain_xml import parse

_BRIDGES = 0x06
"""Class of bridges in the PCI code and ID assignment specification."""
_ASSIGNABLE = frozenset({"pci", "usb_device", "scsi", "mdev", "nvdimm"})
_MEMORY = "sys/bus/nd/devices"


def host_devices(descriptions: Iterable[str], files: KernelFiles, kinds: Iterable[str] = ()) -> dict[str, HostDevice]:
    """By libvirt's name, those of `kinds` (none: all); `descriptions` are all node devices."""
    devices = [parse(xml) for xml in descriptions]
    children: dict[str, list[etree._Element]] = {}
    for device in devices:
        children.setdefault(device.findtext("parent") or "", []).append(device)
    found = {_name(device): _tell(device, children.get(_name(device), []), files) for device in devices}
    found |= _persistent_memory(files)
    wanted = frozenset(kinds)
    return {
        name: HostDevice(params=params)
        for name, params in sorted(found.items())
        if not wanted or params.capability in wanted
    }


def _name(device: etree._Element) -> str:
    return device.findtext("name") or ""


def _tell(device: etree._Element, children: Iterable[etree._Element], files: KernelFiles) -> HostDeviceParams:
    about = device.find("capability")
    if about is None:
        about = etree.Element("capability", type="unknown")
    kind = about.get("type", "")
    given: dict[str, Any] = {
        "driver": device.findtext("driver/name"),
        "parent": device.findtext("parent"),
        "vendor": _text(about, "vendor"),
        "vendor_id": _id(about, "vendor"),
        "product": _text(about, "product"),
        "product_id": _id(about, "product"),
        "is_assignable": kind in _ASSIGNABLE,
    }
    group, node = about.find("iommuGroup"), about.find("numa")
    if group is not None:
        given["iommu_group"] = _number(group.get("number"))
    if node is not None:
        given["numa_node"] = _number(node.get("node"))
    match kind:
        case "pci":
            given |= _pci(about, device.findtext("path") or "", files)
        case "usb_device":
            given["address"] = USBAddress(bus=_at(about, "bus"), device=_at(about, "device"))
        case "scsi":
            given |= _scsi(about, children)
        case "net":
            given["interface"] = _text(about, "interface")
    return HostDeviceParams(capability=kind, **{name: value for name, value in given.items() if value is not None})


def _pci(about: etree._Element, path: str, files: KernelFiles) -> Mapping[str, Any]:
    code = _number(about.findtext("class")) or 0
    inner = {one.get("type"): one for one in about.iterfind("capability")}
    given: dict[str, Any] = {"address": _pci_address(about), "is_assignable": code >> 16 != _BRIDGES}
    if (origin := about.find("capability[@type='phys_function']/address")) is not None:
        domain, bus, slot, function = (_number(origin.get(k)) or 0 for k in ("domain", "bus", "slot", "function"))
        given["physfn"] = f"pci_{domain:04x}_{bus:02x}_{slot:02x}_{function}"
    if (functions := inner.get("virt_functions")) is not None:
        given["totalvfs"] = _number(functions.get("maxCount"))
    if (mediated := inner.get("mdev_types")) is not None:
        given["mdev"] = {one.get("id", ""): _mediated(one, path, files) for one in mediated.iterfind("type")}
    return given


def _pci_address(about: etree._Element) -> PCIAddress:
    return PCIAddress(
        domain=_at(about, "domain"), bus=_at(about, "bus"), slot=_at(about, "slot"), function=_at(about, "function")
    )  # fmt: skip


def _mediated(kind: etree._Element, path: str, files: KernelFiles) -> dict[str, str]:
    """libvirt leaves the description out."""
    name, free = _text(kind, "name"), _text(kind, "availableInstances")
    said = files.text(f"{path.lstrip('/')}/mdev_supported_types/{kind.get('id')}/description")
    given = {"name": name, "available_instances": free, "description": said, "device_api": _text(kind, "deviceAPI")}
    return {key: value for key, value in given.items() if value is not None}


def _scsi(about: etree._Element, children: Iterable[etree._Element]) -> Mapping[str, Any]:
    """The disk and the generic node of a unit are devices of their own, below it."""
    host, bus, target, lun = (_at(about, part) for part in ("host", "bus", "target", "lun"))
    given: dict[str, Any] = {"address": SCSIAddress(host=host, bus=bus, target=target, lun=lun)}
    for child in children:
        for below in child.iterfind("capability"):
            match below.get("type"):
                case "storage":
                    given["block_path"] = _text(below, "block")
                    given["vendor"] = _text(below, "vendor")
                    given["product"] = _text(below, "model")
                case "scsi_generic":
                    given["udev_path"] = _text(below, "char")
    return given


def _persistent_memory(files: KernelFiles) -> Iterator[tuple[str, HostDeviceParams]]:
    """Namespaces that hold something; with a pfn or dax device above them it has the node and the alignment."""
    names = files.names(_MEMORY)
    above = {files.text(f"{_MEMORY}/{n}/namespace"): n for n in names if n.startswith(("pfn", "dax", "btt"))}
    for name in names:
        size = files.number(f"{_MEMORY}/{name}/size") if name.startswith("namespace") else None
        if not size:
            continue
        holder = above.get(name, name)
        nodes = files.names(f"{_MEMORY}/{holder}/block") or [n for n in files.names(f"{_MEMORY}/{holder}/dax") if n]
        numa = files.number(f"{_MEMORY}/{name}/numa_node")
        yield (
            name,
            HostDeviceParams(
                capability="nvdimm",
                is_assignable=True,
                device_size=size,
                device_path=f"/dev/{nodes[0]}" if nodes else None,
                align_size=files.number(f"{_MEMORY}/{holder}/align"),
                mode=_MODES.get(files.text(f"{_MEMORY}/{name}/mode") or "", "raw"),
                numa_node=numa if numa is not None and numa >= 0 else None,
                parent=None,
            ),
        )


_MODES = {"memory": "fsdax", "dax": "devdax", "safe": "sector", "raw": "raw"}
"""As the administrator's tools (ndctl) call the kernel's."""


def _text(element: etree._Element, name: str) -> str | None:
    return (element.findtext(name) or "").strip() or None


def _id(about: etree._Element, name: str) -> str | None:
    found = about.find(name)
    return None if found is None else found.get("id")


def _at(about: etree._Element, name: str) -> int:
    return _number(about.findtext(name)) or 0


def _number(text: str | None) -> int | None:
    """libvirt writes decimal and 0x..."""
    try:
        return None if text is None else int(text, 0)
    except ValueError:
        return None
