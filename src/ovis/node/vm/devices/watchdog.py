"""Watchdog cards."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import (
    VmDeviceType,
    VmWatchdogDevice,
    VmWatchdogDeviceAction,
    VmWatchdogDeviceModel,
    VmWatchdogDeviceSpecParams,
    VmWatchdogDeviceType,
)
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import Device, at, one

MODELS = {model.value.lower(): model for model in VmWatchdogDeviceModel}


@dataclass(frozen=True, kw_only=True)
class Watchdog(Device):
    tag = "watchdog"
    model: str = at("@model")
    action: str | None = at("@action", default=None)
    address: Address | None = one("address", Address)


def build(given: VmWatchdogDevice, _board: Board, _field: str) -> list[Device]:
    spec = given.spec_params
    return [
        Watchdog(
            model=spec.model.value.lower() if spec and spec.model else "i6300esb",
            action=spec.action.value if spec and spec.action else "none",
            address=address.from_parameters(given.address),
        )
    ]


def tell(watchdog: Watchdog) -> VmWatchdogDevice:
    return VmWatchdogDevice(
        address=address.tell(watchdog.address),
        alias=watchdog.alias,
        device=VmWatchdogDeviceType.WATCHDOG,
        device_type=VmDeviceType.WATCHDOG.value,
        spec_params=VmWatchdogDeviceSpecParams(
            action=VmWatchdogDeviceAction(watchdog.action) if watchdog.action else None,
            model=MODELS.get(watchdog.model),
        ),
    )
