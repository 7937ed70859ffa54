"""Graphics adapters."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmDeviceType, VmVideoDevice, VmVideoDeviceSpecParams, VmVideoDeviceType
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import WHOLE, YES_NO, Device, at, one

MODELS = {"std": "vga", "vmware": "vmvga"}
NAMES = {model: name for name, model in MODELS.items()}


@dataclass(frozen=True, kw_only=True)
class Video(Device):
    """Sizes in KiB, as libvirt writes them."""

    tag = "video"
    model: str = at("model/@type")
    ram_kib: int | None = at("model/@ram", WHOLE, default=None)
    vram_kib: int | None = at("model/@vram", WHOLE, default=None)
    vgamem_kib: int | None = at("model/@vgamem", WHOLE, default=None)
    heads: int | None = at("model/@heads", WHOLE, default=None)
    primary: bool | None = at("model/@primary", YES_NO, default=None)
    address: Address | None = one("address", Address)


def build(given: VmVideoDevice, _board: Board, _field: str) -> list[Device]:
    kind = MODELS.get(given.device.value, given.device.value)
    spec = given.spec_params
    if spec is None or kind == "none":
        return [Video(model=kind, address=address.from_parameters(given.address))]
    has_all = kind == "qxl"  # libvirt refuses the others elsewhere
    return [
        Video(
            model=kind,
            ram_kib=_kib(spec.ram) if has_all else None,
            vram_kib=_kib(spec.vram),
            vgamem_kib=_kib(spec.vgamem) if has_all else None,
            heads=spec.heads or None,
            address=address.from_parameters(given.address),
        )
    ]


def _kib(size: int | None) -> int | None:
    return size >> 10 if size else None


def _bytes(kib: int | None) -> int | None:
    return None if kib is None else kib << 10


def tell(video: Video) -> VmVideoDevice:
    return VmVideoDevice(
        address=address.tell(video.address),
        alias=video.alias,
        device=VmVideoDeviceType(NAMES.get(video.model, video.model)),
        device_type=VmDeviceType.VIDEO,
        spec_params=VmVideoDeviceSpecParams(
            heads=video.heads,
            ram=_bytes(video.ram_kib),
            vgamem=_bytes(video.vgamem_kib),
            vram=_bytes(video.vram_kib),
        ),
    )
