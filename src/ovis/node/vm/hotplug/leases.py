"""Storage leases that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import VmLeaseDevice
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import safe_xml
from ovis.node.vm.devices import lease
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.lease import Lease
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.errors import PlugLeaseFailed, UnplugLeaseFailed
from ovis.node.vm.hotplug.request import Request
from ovis.node.vm.lease_places import NoLease
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms


async def plug(vms: Vms, vm: Vm, given: VmLeaseDevice) -> None:
    """Raises PlugLeaseFailed, VmBusy and what `plugging.plug` raises."""
    what = f"lease {given.lease_id}"
    try:
        place = await vms.leases.find(given.sd_id, given.lease_id)
    except NoLease as error:
        raise PlugLeaseFailed(vm.id, what, str(error)) from error
    request = Request.of_device(lease.build(given, place.path, place.offset), "lease")
    await plugging.plug(vms, vm, what, request, by_key(given), PlugLeaseFailed)


async def unplug(vms: Vms, vm: Vm, given: VmLeaseDevice) -> None:
    """Raises UnplugLeaseFailed, VmBusy, DomainNotFound: it is still held."""
    what = f"lease {given.lease_id}"
    async with vm.claim(f"unplug {what}"):
        element = plugging.element(await vms.hypervisor.xml(vm.id), by_key(given))
        if element is None:
            raise UnplugLeaseFailed(vm.id, what, "it does not hold that lease")
        try:
            await vms.hypervisor.devices.detach_lease(vm.id, safe_xml.text_of(element))
        except DomainNotFound:
            raise
        except HypervisorError as error:
            raise UnplugLeaseFailed(vm.id, what, str(error)) from error
        await vms.refresh(vm)
        await vms.keep(vm)


def by_key(given: VmLeaseDevice) -> plugging.Finder:
    def is_it(device: Device) -> bool:
        return isinstance(device, Lease) and (device.key, device.lockspace) == (given.lease_id, given.sd_id)

    return is_it
