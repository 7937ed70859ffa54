"""What engines let the local policy do with a VM: kept in the metadata, element `qos` of its own namespace.

    <ovirt-tune:qos>
      <ovirt-tune:vcpuLimit>50</ovirt-tune:vcpuLimit>
      <ovirt-tune:ioTune>
        <ovirt-tune:device name="vda">
          <ovirt-tune:maximum><ovirt-tune:total_iops_sec>100</…></…> <ovirt-tune:guaranteed>…</…>

Names are compared without their namespace, which libvirt takes away and gives back. What is unknown survives.
Source: reference/vdsm.md, section 2.3.
"""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from lxml import etree

from ovis.client.types import UpdateVmPolicyParams, VmDiskDeviceTuneLimits
from ovis.node.hypervisor.devices import IoLimits
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import metadata, safe_xml
from ovis.node.vm.errors import BadMetadata
from ovis.node.vm.hotplug.errors import PolicyFailed
from ovis.node.vm.tuning import disks
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

URI = "http://ovirt.org/vm/tune/1.0"
PREFIX = "ovirt-tune"
FIELD = "the VM's policy"
NAMES = {"name": "name", "path": "path", "domainID": "domain_id", "poolID": "pool_id", "imageID": "image_id",
         "volumeID": "volume_id"}  # fmt: skip
_locks: WeakKeyDictionary[Vm, asyncio.Lock] = WeakKeyDictionary()


async def update(vms: Vms, vm: Vm, given: UpdateVmPolicyParams) -> None:
    """What is not given stays as it was. Safe to repeat. Raises BadParameter, PolicyFailed, DomainNotFound."""
    for place, one in enumerate(given.io_tune or ()):
        for name in ("guaranteed", "maximum"):
            disks.check(disks.limits(getattr(one, name)), f"params.ioTune[{place}].{name}")
    async with _locks.setdefault(vm, asyncio.Lock()):
        try:
            text = await vms.hypervisor.metadata(vm.id, URI)
            holder = safe_xml.parse(text, FIELD) if text else etree.Element("qos")
            change(holder, given)
            await vms.hypervisor.set_metadata(vm.id, URI, PREFIX, safe_xml.text_of(holder))
        except DomainNotFound:
            raise
        except HypervisorError as error:
            raise PolicyFailed(vm.id, "policy", str(error)) from error
    await vms.refresh(vm)


def change(holder: etree._Element, given: UpdateVmPolicyParams) -> None:
    """Of the disks with a range those that are given again get a new one."""
    if given.vcpu_limit_percent is not None:
        _one(holder, "vcpuLimit").text = str(given.vcpu_limit_percent)
    if given.io_tune is None:
        return
    group = _one(holder, "ioTune")
    for one in given.io_tune:
        key = {name: str(value) for name, attribute in NAMES.items() if (value := getattr(one, attribute))}
        for former in metadata.children(group):
            if metadata.name(former) == "device" and _is_same(former, key):
                group.remove(former)
        device = etree.SubElement(group, _qualified(holder, "device"), key)
        for name in ("maximum", "guaranteed"):
            limits = disks.limits(getattr(one, name))
            part = etree.SubElement(device, _qualified(holder, name))
            for item in fields(limits):
                etree.SubElement(part, _qualified(holder, item.name)).text = str(getattr(limits, item.name))


def io_tune(vm: Vm) -> list[VmDiskDeviceTuneLimits]:
    """From memory. Raises BadMetadata where somebody else wrote what is no number."""
    root = safe_xml.parse_own(vm.xml, FIELD)
    holder = root.find(f"metadata/{{{URI}}}qos")
    groups = [child for child in metadata.children(holder) if metadata.name(child) == "ioTune"]
    return [
        _limits(child) for group in groups for child in metadata.children(group) if metadata.name(child) == "device"
    ]


def vcpu_limit(vm: Vm) -> int | None:
    """In percent of each CPU; None without a limit. Raises BadMetadata."""
    holder = safe_xml.parse_own(vm.xml, FIELD).find(f"metadata/{{{URI}}}qos")
    for child in metadata.children(holder):
        if metadata.name(child) == "vcpuLimit":
            return _number(child, "qos")
    return None


def _limits(device: etree._Element) -> VmDiskDeviceTuneLimits:
    parts = {metadata.name(child): child for child in metadata.children(device)}
    names = {attribute: value for name, attribute in NAMES.items() if (value := device.get(name))}
    return VmDiskDeviceTuneLimits(
        guaranteed=disks.told(_values(parts.get("guaranteed"), device)),
        maximum=disks.told(_values(parts.get("maximum"), device)),
        **names,
    )


def _values(part: etree._Element | None, device: etree._Element) -> IoLimits:
    known = {item.name for item in fields(IoLimits)}
    who = f"device {device.get('name') or device.get('path') or '?'}"
    return IoLimits(
        **{
            metadata.name(child): _number(child, who)
            for child in metadata.children(part)
            if metadata.name(child) in known
        }
    )


def _number(child: etree._Element, who: str) -> int:
    text = (child.text or "").strip()
    if not (text.isascii() and text.isdigit()):
        raise BadMetadata(who, metadata.name(child), f"{text[:40]!r} is not a number")
    return int(text)


def _is_same(former: etree._Element, key: dict[str, str]) -> bool:
    known = {name: value for name in NAMES if (value := former.get(name))}
    shared = known.keys() & key.keys()
    return bool(shared) and all(known[name] == key[name] for name in shared)


def _one(holder: etree._Element, name: str) -> etree._Element:
    for child in metadata.children(holder):
        if metadata.name(child) == name:
            return child
    return etree.SubElement(holder, _qualified(holder, name))


def _qualified(holder: etree._Element, name: str) -> etree.QName:
    return etree.QName(etree.QName(holder).namespace, name)
