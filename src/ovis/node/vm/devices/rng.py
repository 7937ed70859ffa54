"""Random number devices."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import (
    VmDeviceType,
    VmRngDevice,
    VmRngDeviceModel,
    VmRngDeviceSource,
    VmRngDeviceSpecParams,
    VmRngDeviceType,
)
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import WHOLE, Device, at, one

SOURCES = {VmRngDeviceSource.HWRNG: "/dev/hwrng", VmRngDeviceSource.RANDOM: "/dev/urandom"}


@dataclass(frozen=True, kw_only=True)
class Rng(Device):
    """At most `bytes` in every `period_ms`."""

    tag = "rng"
    model: str = at("@model")
    bytes: int | None = at("rate/@bytes", WHOLE, default=None)
    period_ms: int | None = at("rate/@period", WHOLE, default=None)
    backend: str | None = at("backend/@model", default=None)
    source: str | None = at("backend", default=None)
    address: Address | None = one("address", Address)


def build(given: VmRngDevice, _board: Board, _field: str) -> list[Device]:
    spec = given.spec_params
    return [
        Rng(
            model=given.model.value,
            bytes=spec.bytes or None,
            period_ms=spec.period_ms or None if spec.bytes else None,
            backend="random",
            source=SOURCES.get(spec.source, "/dev/urandom"),
        )
    ]


def tell(rng: Rng) -> VmRngDevice:
    return VmRngDevice(
        device=VmRngDeviceType.VIRTIO,
        device_type=VmDeviceType.RNG,
        model=VmRngDeviceModel.VIRTIO,
        spec_params=VmRngDeviceSpecParams(
            bytes=rng.bytes,
            period_ms=rng.period_ms,
            source=VmRngDeviceSource.HWRNG if rng.source == "/dev/hwrng" else VmRngDeviceSource.RANDOM,
        ),
    )
