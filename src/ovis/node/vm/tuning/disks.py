"""Throughput limits of disks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING

from ovis.client.types import VmDiskDeviceIoTuneParams, VmDiskDeviceTuneParams
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.devices import IoLimits
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm.definition import Disk
from ovis.node.vm.hotplug.errors import IoTuneFailed
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

LIMITABLE = ("disk", "lun")


async def read(vms: Vms, vm: Vm) -> list[VmDiskDeviceTuneParams]:
    """Raises IoTuneFailed, DomainNotFound."""
    found = []
    for disk in vm.definition.disks:
        if disk.device not in LIMITABLE:
            continue
        try:
            limits = await vms.hypervisor.devices.io_limits(vm.id, disk.target)
        except DomainNotFound:
            raise
        except HypervisorError as error:
            raise IoTuneFailed(vm.id, f"disk {disk.target}", f"its limits cannot be read: {error}") from error
        found.append(VmDiskDeviceTuneParams(io_tune=told(limits), name=disk.target, path=disk.path))
    return found


async def write(vms: Vms, vm: Vm, wanted: Iterable[VmDiskDeviceTuneParams]) -> None:
    """All names are looked at before the first disk is changed. Safe to repeat.

    Raises BadParameter, DomainNotFound; IoTuneFailed: the disks before the named one are changed.
    """
    chosen = [(_disk(vm, one, f"tunables[{place}]"), limits(one.io_tune)) for place, one in enumerate(wanted)]
    for place, (disk, limit) in enumerate(chosen):
        check(limit, f"tunables[{place}].ioTune")
        try:
            await vms.hypervisor.devices.set_io_limits(vm.id, disk.target, limit)
        except DomainNotFound:
            raise
        except HypervisorError as error:
            raise IoTuneFailed(vm.id, f"disk {disk.target}", str(error)) from error


def told(limits: IoLimits) -> VmDiskDeviceIoTuneParams:
    return VmDiskDeviceIoTuneParams(
        total_bytes_sec_bytes_per_second=limits.total_bytes_sec,
        read_bytes_sec_bytes_per_second=limits.read_bytes_sec,
        write_bytes_sec_bytes_per_second=limits.write_bytes_sec,
        total_iops_sec=limits.total_iops_sec,
        read_iops_sec=limits.read_iops_sec,
        write_iops_sec=limits.write_iops_sec,
    )


def limits(given: VmDiskDeviceIoTuneParams) -> IoLimits:
    return IoLimits(
        total_bytes_sec=given.total_bytes_sec_bytes_per_second,
        read_bytes_sec=given.read_bytes_sec_bytes_per_second,
        write_bytes_sec=given.write_bytes_sec_bytes_per_second,
        total_iops_sec=given.total_iops_sec,
        read_iops_sec=given.read_iops_sec,
        write_iops_sec=given.write_iops_sec,
    )


def check(limit: IoLimits, field: str) -> None:
    """Raises BadParameter for what QEMU refuses."""
    for kind in ("bytes", "iops"):
        total, read_, write_ = (getattr(limit, f"{part}_{kind}_sec") for part in ("total", "read", "write"))
        if total and (read_ or write_):
            raise BadParameter(field, f"total_{kind}_sec excludes read_{kind}_sec and write_{kind}_sec")
    for item in fields(limit):
        if not 0 <= getattr(limit, item.name) <= 10**15:
            raise BadParameter(f"{field}.{item.name}", "is beyond what QEMU can count")


def _disk(vm: Vm, wanted: VmDiskDeviceTuneParams, field: str) -> Disk:
    for disk in vm.definition.disks:
        if (wanted.name and disk.target == wanted.name) or (wanted.path and disk.path == wanted.path):
            return disk
    raise BadParameter(field, f"VM {vm.id} has no disk {wanted.name or wanted.path or 'without name and path'}")
