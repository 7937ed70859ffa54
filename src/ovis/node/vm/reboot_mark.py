"""The mark that makes the next reboot of a guest the end of its VM (`libvirt_events.rebooted` acts on it).

It stands in the metadata of the running domain: so it survives agent and libvirtd, goes along with a migration, and
ends with the VM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.vm import live_metadata, metadata

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

NAME = "destroy_on_reboot"


async def set_mark(vms: Vms, vm: Vm) -> None:
    """Safe to repeat. Raises VmNotRunning, HypervisorError: then a reboot is still a reboot."""
    vm.require_qemu()
    await live_metadata.edit(vms, vm, lambda holder: metadata.set_in(holder, {NAME: True}))
    await vms.refresh(vm)
