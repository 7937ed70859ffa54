"""USB devices of the console's client. They come in domain XML only."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.description import Device, at, one


@dataclass(frozen=True, kw_only=True)
class RedirDevice(Device):
    tag = "redirdev"
    bus: str = at("@bus", default="usb")
    kind: str = at("@type")
    address: Address | None = one("address", Address)
