"""The memory balloon."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import (
    VmBalloonDevice,
    VmBalloonDeviceModel,
    VmBalloonDeviceSpecParams,
    VmBalloonDeviceType,
    VmDeviceType,
)
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import ON_OFF, WHOLE, Device, at, one

STATS_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Balloon(Device):
    """`stats_period`: seconds between two reports of the guest's driver."""

    tag = "memballoon"
    model: str = at("@model")
    autodeflate: bool | None = at("@autodeflate", ON_OFF, default=None)
    free_page_reporting: bool | None = at("@freePageReporting", ON_OFF, default=None)
    stats_period: int | None = at("stats/@period", WHOLE, default=None)
    address: Address | None = one("address", Address)


def build(given: VmBalloonDevice, _board: Board, _field: str) -> list[Device]:
    model = given.spec_params.model.value if given.spec_params else "virtio"
    return [
        Balloon(
            model=model,
            stats_period=STATS_SECONDS if model == "virtio" else None,
            address=address.from_parameters(given.address),
        )
    ]


def tell(balloon: Balloon) -> VmBalloonDevice:
    return VmBalloonDevice(
        address=address.tell(balloon.address),
        alias=balloon.alias,
        device=VmBalloonDeviceType.MEMBALLOON,
        device_type=VmDeviceType.BALLOON,
        spec_params=VmBalloonDeviceSpecParams(
            model=VmBalloonDeviceModel.NONE_ if balloon.model == "none" else VmBalloonDeviceModel.VIRTIO
        ),
    )
