"""Storage leases that QEMU's lock manager holds for a VM, so that it never runs on two hosts."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmDeviceType, VmLeaseDevice
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import WHOLE, Device, at


@dataclass(frozen=True, kw_only=True)
class Lease(Device):
    """`lockspace` is the storage domain, `key` the lease in it; `offset` in bytes into `path`."""

    tag = "lease"
    lockspace: str | None = at("lockspace", default=None)
    key: str = at("key")
    path: str = at("target/@path")
    offset: int | None = at("target/@offset", WHOLE, default=None)


def build(given: VmLeaseDevice, path: str, offset: int) -> Lease:
    return Lease(lockspace=given.sd_id, key=given.lease_id, path=path, offset=offset)


def build_unplaced(given: VmLeaseDevice, board: Board, field: str) -> list[Device]:
    """Of a new VM: where it lies is written when its description is prepared (lease_places)."""
    return [Lease(lockspace=given.sd_id, key=given.lease_id, path="")]


def tell(lease: Lease) -> VmLeaseDevice:
    return VmLeaseDevice(lease_id=lease.key, sd_id=lease.lockspace or "", type=VmDeviceType.LEASE)
