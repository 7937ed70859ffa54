"""Memory modules. The guest has the last word: taking one out is only asked for, and may happen late or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import HotplugMemoryParams
from ovis.node.errors import MissingParameter
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import hook_points, live_metadata, metadata
from ovis.node.vm.devices import memory
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.memory import BLOCK, Memory
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.errors import PlugMemoryFailed, UnplugMemoryFailed
from ovis.node.vm.hotplug.request import Request
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

FIELD = "params.memory"


async def plug(vms: Vms, vm: Vm, params: HotplugMemoryParams) -> None:
    """Raises PlugMemoryFailed, BadParameter, MissingParameter, VmBusy and what `plugging.plug` raises."""
    request = _request(params)
    module = _module(request)
    memory.check_size(module.size, f"{request.field}: size")
    await vms.preparer.check_devices([request.element], await vms.limits.get(), request.field)
    what = f"memory module of {module.size >> 20} MiB"
    _check_room(vm, module, what)
    known = {device.alias for device in _modules(await vms.hypervisor.xml(vm.id))}
    async with hook_points.plugged(vms, vm, "memory_hotplug", request) as request:
        await plugging.plug(
            vms, vm, what, request, lambda d: isinstance(d, Memory) and d.alias not in known, PlugMemoryFailed
        )
    if params.mem_guaranteed_size is not None:
        mib = params.mem_guaranteed_size >> 20
        await live_metadata.edit(vms, vm, lambda holder: metadata.set_in(holder, {"minGuaranteedMemoryMb": mib}))
        await vms.refresh(vm)


async def ask_back(vms: Vms, vm: Vm, params: HotplugMemoryParams) -> None:
    """Returns when the guest was asked. Raises UnplugMemoryFailed, MissingParameter, VmBusy, DomainNotFound."""
    alias = Request.alias(params.xml, "memory") if params.xml is not None else None
    wanted = _module(_request(params)) if alias is None else Memory(size=0, alias=alias)
    what = f"memory module {wanted.alias or ''} of {wanted.size >> 20} MiB".replace("  ", " ")
    async with vm.claim(f"unplug {what}"):
        found = next((m for m in _modules(await vms.hypervisor.xml(vm.id)) if _is_meant(m, wanted)), None)
        if found is None or found.alias is None:
            raise UnplugMemoryFailed(vm.id, what, "it has no such module")
        try:
            await vms.hypervisor.devices.detach(vm.id, found.alias)
        except DomainNotFound:
            raise
        except HypervisorError as error:
            raise UnplugMemoryFailed(vm.id, what, str(error)) from error


def _request(params: HotplugMemoryParams) -> Request:
    if params.xml is not None:
        return Request.of_xml(params.xml, "memory")
    if params.memory is None:
        raise MissingParameter("params", "either xml or memory says which module")
    given = params.memory
    built = memory.build(given, FIELD)
    request = Request.of_device(built, FIELD)
    if given.alias:
        request.device = Memory(size=built.size, node=built.node, address=built.address, alias=given.alias)
    return request


def _module(request: Request) -> Memory:
    assert isinstance(request.device, Memory)
    return request.device


def _check_room(vm: Vm, module: Memory, what: str) -> None:
    known = vm.definition
    if known.max_memory is None:
        raise PlugMemoryFailed(vm.id, what, "the VM was started without maxMemory, which hot plug needs")
    if known.memory % BLOCK:
        raise PlugMemoryFailed(vm.id, what, f"the VM's memory is not a multiple of {BLOCK >> 20} MiB")
    if known.memory + module.size > known.max_memory:
        raise PlugMemoryFailed(vm.id, what, f"the VM would have more than its maximum, {known.max_memory >> 20} MiB")


def _modules(text: str) -> list[Memory]:
    found: list[Memory] = []

    def collect(device: Device) -> bool:
        if isinstance(device, Memory):
            found.append(device)
        return False

    plugging.find(text, collect)
    return found


def _is_meant(module: Memory, wanted: Memory) -> bool:
    """By alias where it is given, else by size, node, and place where that is given."""
    if wanted.alias:
        return module.alias == wanted.alias
    is_alike = module.size == wanted.size and wanted.node in (None, module.node)
    return is_alike and (wanted.address is None or module.address == wanted.address)
