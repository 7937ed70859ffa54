"""How much of its memory the guest keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import live_metadata, metadata
from ovis.node.vm.hotplug.errors import BalloonFailed
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

WHAT = "balloon"


async def set_target(vms: Vms, vm: Vm, target: int) -> None:
    """Bytes, which the guest follows in its own time. Safe to repeat. Raises BalloonFailed, DomainNotFound."""
    known = vm.definition
    if not known.balloon:
        raise BalloonFailed(vm.id, WHAT, "the VM has none")
    if not known.guaranteed_memory <= target <= known.memory:
        low, high = known.guaranteed_memory >> 10, known.memory >> 10
        raise BalloonFailed(vm.id, WHAT, f"{target >> 10} KiB is not between {low}, which is guaranteed, and {high}")
    try:
        await vms.hypervisor.devices.set_balloon(vm.id, target)
        kib = target >> 10
        await live_metadata.edit(vms, vm, lambda holder: metadata.set_in(holder, {"balloonTarget": kib}))
    except DomainNotFound:
        raise
    except HypervisorError as error:
        raise BalloonFailed(vm.id, WHAT, str(error)) from error
    await vms.refresh(vm)
