"""Trusted platform modules."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmDeviceType, VmTpmDevice, VmTpmDeviceMode, VmTpmDeviceModel, VmTpmDeviceSpecParams
from ovis.client.types import VmTpmDeviceType as TpmType
from ovis.node.errors import BadParameter
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import YES_NO, Device, at


@dataclass(frozen=True, kw_only=True)
class Tpm(Device):
    """`backend`: emulator (swtpm) or passthrough, which has a `path`."""

    tag = "tpm"
    model: str | None = at("@model", default=None)
    backend: str = at("backend/@type")
    version: str | None = at("backend/@version", default=None)
    persistent_state: bool | None = at("backend/@persistent_state", YES_NO, default=None)
    path: str | None = at("backend/device/@path", default=None)


def build(given: VmTpmDevice, _board: Board, field: str) -> list[Device]:
    """Raises BadParameter."""
    spec = given.spec_params
    if spec.mode is VmTpmDeviceMode.EMULATOR:
        return [Tpm(model=spec.model.value, backend="emulator", version="2.0")]
    if not spec.path:
        raise BadParameter(f"{field}.specParams.path", "is missing; the host's device must be named")
    return [Tpm(model=spec.model.value, backend="passthrough", path=spec.path)]


def tell(tpm: Tpm) -> VmTpmDevice:
    return VmTpmDevice(
        device=TpmType.TPM,
        device_type=VmDeviceType.TPM,
        spec_params=VmTpmDeviceSpecParams(
            mode=VmTpmDeviceMode(tpm.backend), model=VmTpmDeviceModel(tpm.model or "tpm-tis"), path=tpm.path
        ),
    )
