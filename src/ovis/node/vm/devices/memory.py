"""Memory modules that are plugged into a running VM."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmDeviceType, VmMemoryDevice, VmMemoryDeviceType
from ovis.node.errors import BadParameter
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.description import KIB, WHOLE, YES_NO, Device, at, one

BLOCK = 128 << 20
"""What Linux guests plug in and out at once on x86; other sizes leave part of a module unused, and a guest whose
memory was not a multiple of it once crashed QEMU 7.2 (software emulation) when a module came."""


@dataclass(frozen=True, kw_only=True)
class Memory(Device):
    """`size` in bytes; `node` of the guest's NUMA topology."""

    tag = "memory"
    model: str = at("@model", default="dimm")
    access: str | None = at("@access", default=None)
    discard: bool | None = at("@discard", YES_NO, default=None)
    path: str | None = at("source/path", default=None)
    node_mask: str | None = at("source/nodemask", default=None)
    page_size: int | None = at("source/pagesize", KIB, default=None)
    size: int = at("target/size", KIB)
    node: int | None = at("target/node", WHOLE, default=None)
    requested: int | None = at("target/requested", KIB, default=None)
    address: Address | None = one("address", Address)


def build(given: VmMemoryDevice, field: str) -> Memory:
    """Raises BadParameter."""
    check_size(given.size, f"{field}.size")
    return Memory(size=given.size, node=given.node, address=address.from_parameters(given.address))


def check_size(size: int, field: str) -> None:
    if size <= 0 or size % BLOCK:
        raise BadParameter(field, f"{size} bytes is not a multiple of {BLOCK >> 20} MiB, which guests plug at once")


def tell(memory: Memory) -> VmMemoryDevice:
    return VmMemoryDevice(
        address=address.tell(memory.address),
        alias=memory.alias,
        device=VmMemoryDeviceType.MEMORY,
        device_type=VmDeviceType.MEMORY,
        node=memory.node or 0,
        size=memory.size,
    )
