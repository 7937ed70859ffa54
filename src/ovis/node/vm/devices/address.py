"""Where in the machine a device is plugged in."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import (
    VmDeviceAddress,
    VmDeviceAddressType,
    VmDeviceIdeAddress,
    VmDevicePciAddress,
    VmDeviceVirtioSerialAddress,
)
from ovis.node.vm.devices.description import HEX, NUMBER, Described, at


@dataclass(frozen=True, kw_only=True)
class Address(Described):
    """`kind`: pci, drive, virtio-serial, usb, dimm, ccid, isa, unassigned …; each uses some of the numbers."""

    tag = "address"
    kind: str = at("@type")
    domain: int | None = at("@domain", HEX, default=None)
    controller: int | None = at("@controller", NUMBER, default=None)
    bus: int | None = at("@bus", HEX, default=None)
    slot: int | None = at("@slot", HEX, default=None)
    function: int | None = at("@function", HEX, default=None)
    target: int | None = at("@target", NUMBER, default=None)
    unit: int | None = at("@unit", NUMBER, default=None)
    port: str | None = at("@port", default=None)


def from_parameters(given: VmDeviceAddress | None) -> Address | None:
    match given:
        case VmDevicePciAddress():
            return Address(
                kind="pci", domain=given.domain, bus=given.bus, slot=given.slot, function=given.function
            )  # fmt: skip
        case VmDeviceIdeAddress():
            return Address(kind="drive", controller=given.controller, bus=given.bus, unit=given.unit)
        case VmDeviceVirtioSerialAddress():
            return Address(
                kind="virtio-serial", controller=given.controller, bus=given.bus, port=str(given.port)
            )  # fmt: skip
        case _:
            return None


def tell(address: Address | None) -> VmDeviceAddress | None:
    if address is None:
        return None
    match address.kind:
        case "pci":
            return VmDevicePciAddress(
                address_type=VmDeviceAddressType.PCI,
                bus=address.bus or 0,
                domain=address.domain or 0,
                function=address.function or 0,
                slot=address.slot or 0,
            )
        case "drive":
            return VmDeviceIdeAddress(
                address_type=VmDeviceAddressType.DRIVE,
                bus=address.bus or 0,
                controller=address.controller or 0,
                unit=address.unit or 0,
            )
        case "virtio-serial":
            return VmDeviceVirtioSerialAddress(
                address_type=VmDeviceAddressType.VIRTIO_SERIAL,
                bus=address.bus or 0,
                controller=address.controller or 0,
                port=int(address.port or 0),
            )
        case _:
            return None
