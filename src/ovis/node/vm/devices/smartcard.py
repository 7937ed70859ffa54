"""Smart card readers."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import (
    VmDeviceType,
    VmSmartcardDevice,
    VmSmartcardDeviceMode,
    VmSmartcardDeviceProtocol,
    VmSmartcardDeviceSpecParams,
    VmSmartcardDeviceType,
)
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import Device, at, one


@dataclass(frozen=True, kw_only=True)
class Smartcard(Device):
    """`mode`: passthrough (of the console's client, by `kind`) or host."""

    tag = "smartcard"
    mode: str = at("@mode")
    kind: str | None = at("@type", default=None)
    address: Address | None = one("address", Address)


def build(given: VmSmartcardDevice, _board: Board, _field: str) -> list[Device]:
    spec = given.spec_params
    kind = None
    if spec.mode is VmSmartcardDeviceMode.PASSTHROUGH:
        kind = (spec.type or VmSmartcardDeviceProtocol.SPICEVMC).value
    return [Smartcard(mode=spec.mode.value, kind=kind, address=address.from_parameters(given.address))]


def tell(card: Smartcard) -> VmSmartcardDevice:
    return VmSmartcardDevice(
        address=address.tell(card.address),
        alias=card.alias,
        device=VmSmartcardDeviceType.SMARTCARD,
        device_type=VmDeviceType.SMARTCARD,
        spec_params=VmSmartcardDeviceSpecParams(
            mode=VmSmartcardDeviceMode(card.mode),
            type=VmSmartcardDeviceProtocol(card.kind) if card.kind else None,
        ),
    )
