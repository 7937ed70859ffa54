"""Sound cards."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmDeviceType, VmSoundDevice, VmSoundDeviceType
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import Device, at, one

MODELS = {"hda": "ich6"}


@dataclass(frozen=True, kw_only=True)
class Sound(Device):
    tag = "sound"
    model: str = at("@model")
    address: Address | None = one("address", Address)


def build(given: VmSoundDevice, _board: Board, _field: str) -> list[Device]:
    model = MODELS.get(given.device.value, given.device.value)
    return [Sound(model=model, address=address.from_parameters(given.address))]


def tell(sound: Sound) -> VmSoundDevice:
    return VmSoundDevice(
        address=address.tell(sound.address),
        alias=sound.alias,
        device=VmSoundDeviceType(sound.model),
        device_type=VmDeviceType.SOUND,
    )
