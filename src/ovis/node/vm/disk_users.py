"""Which VM may write to which disk of this host: a disk is never open for writing in two VMs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ovis.node.errors import BadParameter
from ovis.node.vm.devices.disk import REMOVABLE, Disk
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms


def writers(vms: Vms) -> dict[str, str]:
    """{path or address: VM}, of the disks that VMs have and of those that are being plugged in."""
    taken = {
        disk.backing: vm.id
        for vm in vms
        if not vm.is_down
        for disk in vm.definition.disks
        if disk.is_exclusive and disk.backing
    }
    return taken | {path: vm.id for vm in vms if not vm.is_down for path in vm.arriving_disks}


@contextmanager
def arriving(vms: Vms, vm: Vm, disk: Disk) -> Iterator[None]:
    """Reserve what is behind the disk until the VM has it. Raises BadParameter.

    QEMU's own lock, which also knows other names of the same file, refuses as well, but in its words.
    """
    path = disk.backing
    if path is None or disk.readonly:
        yield
        return
    is_exclusive = not disk.shareable and disk.device not in REMOVABLE
    if (other := writers(vms).get(path)) is not None:
        raise BadParameter(f"disk {disk.target}", f"{path} is open for writing in VM {other}")
    if is_exclusive:
        vm.arriving_disks.add(path)
    try:
        yield
    finally:
        vm.arriving_disks.discard(path)
