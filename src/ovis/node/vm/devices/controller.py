"""Controllers, to which other devices are attached."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmControllerDevice, VmControllerDeviceType, VmDeviceType
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import WHOLE, Device, at, one


@dataclass(frozen=True, kw_only=True)
class Controller(Device):
    """`kind`: pci, scsi, usb, virtio-serial …"""

    tag = "controller"
    kind: str = at("@type")
    index: int | None = at("@index", WHOLE, default=None)
    model: str | None = at("@model", default=None)
    ports: int | None = at("@ports", WHOLE, default=None)
    chassis: int | None = at("target/@chassis", WHOLE, default=None)
    queues: int | None = at("driver/@queues", WHOLE, default=None)
    iothread: int | None = at("driver/@iothread", WHOLE, default=None)
    address: Address | None = one("address", Address)


def build(given: VmControllerDevice, board: Board, _field: str) -> list[Device]:
    if given.device is VmControllerDeviceType.SCSI:
        board.needs_virtio_scsi = False  # the caller brings its own
    return [
        Controller(kind=given.device.value, model=given.model or None, address=address.from_parameters(given.address))
    ]


def tell(controller: Controller) -> VmControllerDevice:
    return VmControllerDevice(
        address=address.tell(controller.address),
        alias=controller.alias,
        device=VmControllerDeviceType(controller.kind),
        device_type=VmDeviceType.CONTROLLER,
        model=controller.model,
    )
