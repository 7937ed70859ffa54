"""The order of steps in which every device comes and goes.

Coming: check, libvirt, metadata, record; what fails after libvirt did its part takes the device out again.
Going: the guest is asked, and asked again, until it is gone or the deadline has passed. Then the state is read back:
the answer says what is true, and a guest that lets go later is noticed by `removed`.

Both run to their end even when their caller has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from lxml import etree

from ovis.node.hypervisor.errors import DeadlineExceeded, DomainNotFound, HypervisorError
from ovis.node.vm import live_metadata, metadata_devices, safe_xml
from ovis.node.vm.devices import kinds
from ovis.node.vm.devices.description import Device
from ovis.node.vm.hotplug.errors import PlugFailed, UnplugFailed
from ovis.node.vm.hotplug.request import Request
from ovis.node.vm.metadata_devices import DeviceNote
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LIVE = "libvirt's domain XML"
ASK_EVERY = 5.0  # a guest that boots does not hear the first request; native PCI Express takes the next after 5 s

Finder = Callable[[Device], bool]


def by_alias(alias: str) -> Finder:
    return lambda device: device.alias == alias


async def to_its_end(vms: Vms, work: Coroutine[Any, Any, None], name: str) -> None:
    """What was begun ends by itself, also when who asked for it has gone."""
    await asyncio.shield(vms.own(work, name))


def find(text: str, wanted: Finder) -> Device | None:
    """The device in a description; None when it is not there."""
    root = safe_xml.parse_own(text, LIVE)
    return next((device for device in kinds.read_all(root) if wanted(device)), None)


def element(text: str, wanted: Finder) -> etree._Element | None:
    """As `find`, but the XML of it."""
    for found in safe_xml.parse_own(text, LIVE).iterfind("devices/*"):
        if found.tag in kinds.BY_TAG and (device := kinds.read(found)) is not None and wanted(device):
            return found
    return None


async def plug(vms: Vms, vm: Vm, what: str, request: Request, wanted: Finder, failed: type[PlugFailed]) -> None:
    """Raises `failed`, VmBusy, DomainNotFound: the VM is as it was, or the text says that it is not."""
    async with vm.claim(f"plug in {what}"):
        if find(await vms.hypervisor.xml(vm.id), wanted) is not None:
            raise failed(vm.id, what, "it has that device already")
        await _attach(vms, vm, what, request, wanted, failed)
        try:
            if request.note is not None:
                await note(vms, vm, request.note)
            await vms.refresh(vm)
            await vms.keep(vm)
        except (HypervisorError, OSError, asyncio.CancelledError) as error:
            log.warning("%s of VM %s is taken out again: %s", what, vm.id, error)
            undone = await _take_out(vms, vm, wanted, request.note)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise failed(vm.id, what, f"{error}; {undone}") from error
    log.info("%s was plugged into VM %s", what, vm.id)


async def unplug(vms: Vms, vm: Vm, what: str, wanted: Finder, failed: type[UnplugFailed]) -> None:
    """Raises `failed`, VmBusy, DomainNotFound: the device is still there, or it was not there at all."""
    async with vm.claim(f"unplug {what}"):
        device = find(await vms.hypervisor.xml(vm.id), wanted)
        if device is None:
            raise failed(vm.id, what, "it has no such device")
        await vms.refresh(vm)  # from here on its absence means that it has gone
        if not await _let_go(vms, vm, what, device, failed):
            how = "refuses to let it go" if device.alias in vm.kept_devices else "has not let it go in time"
            raise failed(vm.id, what, f"the guest {how}; it is still there")
        await forget(vms, vm, device)
    log.info("%s was unplugged from VM %s", what, vm.id)


async def _let_go(vms: Vms, vm: Vm, what: str, device: Device, failed: type[UnplugFailed]) -> bool:
    def is_gone() -> bool:
        return vm.is_down or find(vm.xml, lambda other: other.alias == device.alias) is None

    if device.alias is None:
        raise failed(vm.id, what, "libvirt has no name for it")
    vm.kept_devices.discard(device.alias)
    until = vms.monotonic() + vms.settings.unplug_timeout
    is_first = True
    while (left := until - vms.monotonic()) > 0:
        try:
            await vms.hypervisor.devices.detach(vm.id, device.alias)
        except DomainNotFound:
            raise
        except HypervisorError as error:
            if is_first and not isinstance(error, DeadlineExceeded):
                raise failed(vm.id, what, str(error)) from error
            log.info("the guest of VM %s was not asked for %s once more: %s", vm.id, what, error)
        is_first = False
        await vm.until(lambda: is_gone() or device.alias in vm.kept_devices, seconds=min(ASK_EVERY, left))
        if is_gone() or device.alias in vm.kept_devices:
            break
    await vms.refresh(vm)
    return is_gone()


async def note(vms: Vms, vm: Vm, what: DeviceNote) -> None:
    """Raises HypervisorError."""
    await live_metadata.edit(vms, vm, lambda holder: metadata_devices.put(holder, what))


async def forget(vms: Vms, vm: Vm, device: Device) -> None:
    """What the metadata and the record say of a device that has gone. A failure only leaves words behind."""
    key = metadata_devices.key_of(device)
    try:
        if await live_metadata.edit(vms, vm, lambda holder: metadata_devices.drop(holder, key)):
            await vms.refresh(vm)
        await vms.keep(vm)
    except (HypervisorError, OSError) as error:
        log.warning("what was noted of a device of VM %s that has gone could not be removed: %s", vm.id, error)


async def removed(vms: Vms, vm: Vm, alias: str) -> None:
    """libvirt tells that a device has gone, whoever asked for it and however long ago."""
    device = find(vm.xml, lambda other: other.alias == alias)
    await vms.refresh(vm)
    if device is None:
        return
    name = _lasting(device)
    if find(vm.xml, lambda other: _lasting(other) == name) is None:  # else another one has taken its place
        await forget(vms, vm, device)


def _lasting(device: Device) -> dict[str, str]:
    """What names a device before and after it has got an alias, if anything does."""
    key = metadata_devices.key_of(device)
    return {name: value for name, value in key.items() if name != "alias"} if len(key) > 2 else key


async def _attach(vms: Vms, vm: Vm, what: str, request: Request, wanted: Finder, failed: type[PlugFailed]) -> None:
    try:
        await vms.hypervisor.devices.attach(vm.id, safe_xml.text_of(request.element))
    except DomainNotFound:
        raise
    except DeadlineExceeded as error:
        if find(await vms.hypervisor.xml(vm.id), wanted) is None:
            raise failed(vm.id, what, f"{error}; it is not there now") from error
    except HypervisorError as error:
        raise failed(vm.id, what, str(error)) from error


async def _take_out(vms: Vms, vm: Vm, wanted: Finder, noted: DeviceNote | None) -> str:
    """The undo. What it could not do is in the answer."""
    try:
        device = find(await vms.hypervisor.xml(vm.id), wanted)
        if device is not None and device.tag == "lease":
            await vms.hypervisor.devices.detach_lease(vm.id, etree.tostring(device.element(), encoding="unicode"))
        elif device is not None and device.alias is not None:
            await vms.hypervisor.devices.detach(vm.id, device.alias)
        if noted is not None:
            with contextlib.suppress(HypervisorError):
                await live_metadata.edit(vms, vm, lambda holder: metadata_devices.drop(holder, noted.key))
    except HypervisorError as error:
        return f"it could not be taken out again: {error}"
    await vms.refresh(vm)
    return "the guest was asked to give it up again"
