"""The device by which a guest tells that its kernel has panicked. It comes in domain XML only."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.description import Device, at, one


@dataclass(frozen=True, kw_only=True)
class Panic(Device):
    tag = "panic"
    model: str | None = at("@model", default=None)
    address: Address | None = one("address", Address)
