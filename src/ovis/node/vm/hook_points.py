"""Where the hooks of the administrator meet VMs: one call for each point.

A domain is handed over as libvirt has it or will get it, a device as libvirt has it or will get it. Points of devices
(`device_create` and its kind) come once for each device that has custom properties. What is left of a description after
the points that may change it is what libvirt gets; it is not checked as a caller's is: hooks are the administrator's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lxml import etree

from ovis.node.hooks.hooks import NONE, Hooks
from ovis.node.vm import definition, metadata, metadata_devices, safe_xml, xml_difference
from ovis.node.vm.devices import kinds
from ovis.node.vm.errors import BadXml
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.request import Request
from ovis.node.vm.metadata_devices import Data, DeviceNote
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

LEFT = "what the hooks left"
HAVE_FAILURES = ("update_device", "nic_hotplug", "nic_hotunplug")
"""With a point for their failure."""


async def domain(vms: Vms, vm: Vm, point: str, variables: Mapping[str, str] = NONE) -> str:
    """The description as the scripts left it. Raises HookFailed."""
    if not vms.hooks.has(point):
        return vm.xml
    return await vms.hooks.run(point, vm.xml, vm_id=vm.id, variables={**vm.definition.custom, **variables})


async def new_domain(vms: Vms, vm: Vm, point: str, variables: Mapping[str, str] = NONE) -> None:
    """As `domain`, and this is what the VM is from now on. Raises HookFailed."""
    text = await domain(vms, vm, point, variables)
    if text != vm.xml:
        _become(vms.hooks, vm, point, text)


async def devices(vms: Vms, vm: Vm, point: str) -> None:
    """Once for each device that has custom properties. Raises HookFailed."""
    if vms.hooks.has(point):
        for element, custom in _with_custom(safe_xml.parse_own(vm.xml, LEFT)):
            await _run(vms.hooks, vm, point, safe_xml.text_of(element), custom)


async def new_devices(vms: Vms, vm: Vm, point: str) -> None:
    """As `devices`, and this is what the VM is from now on. Raises HookFailed."""
    if not vms.hooks.has(point):
        return
    root = safe_xml.parse_own(vm.xml, LEFT)
    for element, custom in list(_with_custom(root)):
        before = safe_xml.text_of(element)
        text = await _run(vms.hooks, vm, point, before, custom)
        if text != before:
            holder = element.getparent()
            assert holder is not None
            holder.replace(element, _element(vms.hooks, point, text, element))
    _become(vms.hooks, vm, point, safe_xml.text_of(root))


@asynccontextmanager
async def plugged(vms: Vms, vm: Vm, name: str, request: Request) -> AsyncIterator[Request]:
    """Around a device that comes: before it, which may change it, and after it or its failure. Raises HookFailed."""
    point = f"before_{name}"
    if vms.hooks.has(point):
        text = safe_xml.text_of(request.element)
        left = await _run(vms.hooks, vm, point, text, custom_of(request.note))
        if left != text:
            request = Request(_element(vms.hooks, point, left, request.element), request.field, request.note)
    text, custom = safe_xml.text_of(request.element), custom_of(request.note)
    async with _afterwards(vms, vm, name, text, custom):
        yield request


@asynccontextmanager
async def unplugged(vms: Vms, vm: Vm, name: str, wanted: plugging.Finder) -> AsyncIterator[None]:
    """Around a device that goes. Raises HookFailed: it stays."""
    if not vms.hooks.has(f"before_{name}", f"after_{name}", f"after_{name}_fail"):
        yield
        return
    found = plugging.element(vm.xml, wanted)
    if found is None:  # which the caller finds out, too
        yield
        return
    device = kinds.read(found)
    holder = metadata.element(safe_xml.parse_own(vm.xml, LEFT))
    custom = custom_of(None if device is None else metadata_devices.find(holder, device))
    text = safe_xml.text_of(found)
    await _run(vms.hooks, vm, f"before_{name}", text, custom)
    async with _afterwards(vms, vm, name, text, custom):
        yield


def custom_of(note: DeviceNote | None) -> dict[str, str]:
    """The custom properties of a device."""
    return _texts(None if note is None else note.data.get("custom"))


@asynccontextmanager
async def _afterwards(vms: Vms, vm: Vm, name: str, text: str, custom: Mapping[str, str]) -> AsyncIterator[None]:
    try:
        yield
    except Exception:
        if name in HAVE_FAILURES:
            await _run(vms.hooks, vm, f"after_{name}_fail", text, custom)
        raise
    await _run(vms.hooks, vm, f"after_{name}", text, custom)


async def _run(hooks: Hooks, vm: Vm, point: str, text: str, custom: Mapping[str, str]) -> str:
    return await hooks.run(point, text, vm_id=vm.id, variables={**vm.definition.custom, **custom})


def _with_custom(root: etree._Element) -> Iterator[tuple[etree._Element, dict[str, str]]]:
    holder = metadata.element(root)
    for element in root.iterfind("devices/*"):
        try:
            device = kinds.read(element) if element.tag in kinds.BY_TAG else None
        except BadXml:
            continue  # nobody needs to know such a device but libvirt
        if device is not None and (custom := custom_of(metadata_devices.find(holder, device))):
            yield element, custom


def _texts(data: Data | None) -> dict[str, str]:
    values = data.items() if isinstance(data, dict) else ()
    return {name: value if isinstance(value, str) else repr(value) for name, value in values}


def _element(hooks: Hooks, point: str, text: str, former: etree._Element) -> etree._Element:
    try:
        made = safe_xml.parse_own(text, LEFT)
        kinds.read(made)
    except BadXml as error:
        hooks.refuse(point, str(error), instead=None)
        return former
    if made.tag != former.tag:
        hooks.refuse(point, f"{made.tag!r} was left of {former.tag!r}", instead=None)
        return former
    return made


def _become(hooks: Hooks, vm: Vm, point: str, text: str) -> None:
    """Raises HookFailed: it is no description, or one of another VM."""
    try:
        root = safe_xml.parse_own(text, LEFT)
        found = definition.read(root, LEFT)
    except BadXml as error:
        hooks.refuse(point, str(error), instead=None)
        return
    if (found.id, found.name) != (vm.id, vm.name):
        hooks.refuse(point, f"{LEFT} is of another VM: {found.id}, {found.name!r}", instead=None)
        return
    vm.changes += tuple(xml_difference.difference(safe_xml.parse_own(vm.xml, LEFT), root))
    vm.definition, vm.xml = found, text
