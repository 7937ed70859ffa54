"""Whether a VM may leave its QEMU: for another host, or for the disk."""

from __future__ import annotations

from ovis.client.types import VmStatus
from ovis.node.errors import VmBusy
from ovis.node.guest.freezing import is_frozen
from ovis.node.vm.disks import keeping
from ovis.node.vm.migration.errors import MigrationInProgress, MigrationRefused
from ovis.node.vm.vm import Vm

MAY_LEAVE = {VmStatus.UP, VmStatus.POWERING_UP, VmStatus.PAUSED}


def require_free(vm: Vm) -> None:
    """Raises MigrationInProgress, VmNotRunning, VmBusy, MigrationRefused."""
    if vm.departure is not None and vm.departure.is_active:
        raise MigrationInProgress(vm.id, vm.departure.destination)
    vm.require_qemu()
    if vm.operation is not None:
        raise VmBusy(vm.id, vm.operation)
    require_able(vm)


def require_able(vm: Vm) -> None:
    """As the above, for the operation that holds it already."""
    if (holder := vm.disk_work.holder) is not None:
        raise MigrationRefused(vm.id, f"{holder} is at work on its disks")
    if is_frozen(vm):  # only this agent would thaw them again
        raise MigrationRefused(vm.id, "its file systems are frozen")
    if transient := [disk.target for disk in vm.definition.disks if keeping.is_layer_of(vm.id, disk.path or "")]:
        raise MigrationRefused(
            vm.id, f"what it has written to {', '.join(transient)} is transient and on this host alone"
        )
    if vm.status not in MAY_LEAVE:
        raise MigrationRefused(vm.id, f"it is {vm.status.value}")
