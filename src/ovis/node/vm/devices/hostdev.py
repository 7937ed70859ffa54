"""Devices of the host that a guest uses directly: PCI functions, USB devices, SCSI units and mediated devices.

Their names (pci_0000_3b_00_1) are those of libvirt's node devices, whose XML says where the device is.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from ovis.client.types import VmDeviceType, VmHostDevice
from ovis.node.errors import BadParameter
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import HEX, WHOLE, YES_NO, Described, Device, at, one


@dataclass(frozen=True, kw_only=True)
class HostAddress(Described):
    """Of PCI: domain, bus, slot, function; of USB: bus, device; of SCSI: bus, target, unit; mediated: uuid."""

    tag = "address"
    kind: str | None = at("@type", default=None)
    domain: int | None = at("@domain", HEX, default=None)
    bus: int | None = at("@bus", HEX, default=None)
    slot: int | None = at("@slot", HEX, default=None)
    function: int | None = at("@function", HEX, default=None)
    device: int | None = at("@device", HEX, default=None)
    target: int | None = at("@target", WHOLE, default=None)
    unit: int | None = at("@unit", WHOLE, default=None)
    uuid: str | None = at("@uuid", default=None)


@dataclass(frozen=True, kw_only=True)
class HostDevice(Device):
    """`kind`: pci, usb, scsi, mdev. `managed`: whether libvirt unbinds it from the host's driver itself."""

    tag = "hostdev"
    mode: str = at("@mode", default="subsystem")
    kind: str = at("@type")
    managed: bool | None = at("@managed", YES_NO, default=None)
    model: str | None = at("@model", default=None)
    driver: str | None = at("driver/@name", default=None)
    vendor: str | None = at("source/vendor/@id", default=None)
    product: str | None = at("source/product/@id", default=None)
    adapter: str | None = at("source/adapter/@name", default=None)
    host: HostAddress | None = one("source/address", HostAddress)
    boot_order: int | None = at("boot/@order", WHOLE, default=None)
    address: Address | None = one("address", Address)

    def is_same(self, other: HostDevice) -> bool:
        """Whether both mean the same device of the host."""
        return (self.kind, self.adapter, self.host) == (other.kind, other.adapter, other.host)


def of_host(xml: str, field: str) -> HostDevice:
    """From libvirt's node device. Raises BadParameter for what guests cannot use."""
    root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    found = root.find("capability")
    kind = "" if found is None else found.get("type", "")

    def number(name: str) -> int:
        text = (found.findtext(name) if found is not None else None) or "0"
        return int(text, 0)

    match kind:
        case "pci":
            host = HostAddress(
                domain=number("domain"), bus=number("bus"), slot=number("slot"), function=number("function")
            )  # fmt: skip
            return HostDevice(kind="pci", managed=False, host=host)
        case "usb_device":
            return HostDevice(kind="usb", host=HostAddress(bus=number("bus"), device=number("device")))
        case "scsi":
            host = HostAddress(bus=number("bus"), target=number("target"), unit=number("lun"))
            return HostDevice(kind="scsi", managed=False, adapter=f"scsi_host{number('host')}", host=host)
        case "mdev":
            uuid = (found.findtext("uuid") if found is not None else None) or ""
            return HostDevice(kind="mdev", model="vfio-pci", host=HostAddress(uuid=uuid))
        case other:
            raise BadParameter(field, f"a device of kind {other or 'unknown'} cannot be given to a VM")


def build(given: VmHostDevice, board: Board, field: str) -> list[Device]:
    """Raises BadParameter."""
    if given.spec_params and given.spec_params.iommu_placeholder:
        return []  # only keeps the host from using it: nothing for the guest
    if given.device not in board.host_devices:
        raise BadParameter(f"{field}.device", f"{given.device} is no device of this host")
    found = of_host(board.host_devices[given.device], field)
    return [with_place(found, boot_order=given.boot_order, place=address.from_parameters(given.address))]


def with_place(device: HostDevice, *, boot_order: int | None, place: Address | None) -> HostDevice:
    return HostDevice(
        kind=device.kind, managed=device.managed, model=device.model, adapter=device.adapter, host=device.host,
        boot_order=boot_order, address=place,
    )  # fmt: skip


def name(device: HostDevice) -> str:
    """As libvirt names node devices; "" where the XML does not say enough (USB by vendor, LUN by address)."""
    host = device.host
    if host is None:
        return ""
    match device.kind:
        case "pci":
            return f"pci_{host.domain or 0:04x}_{host.bus or 0:02x}_{host.slot or 0:02x}_{host.function or 0}"
        case "scsi":
            adapter = (device.adapter or "").removeprefix("scsi_host")
            return f"scsi_{adapter}_{host.bus or 0}_{host.target or 0}_{host.unit or 0}"
        case "mdev":
            return f"mdev_{(host.uuid or '').replace('-', '_')}"
        case _:
            return ""


def tell(device: HostDevice) -> VmHostDevice:
    return VmHostDevice(
        address=address.tell(device.address),
        alias=device.alias,
        boot_order=device.boot_order,
        device=name(device) or device.kind,
        device_type=VmDeviceType.HOSTDEV,
    )
