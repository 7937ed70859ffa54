"""What lies in the CD and floppy drives of a running VM."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from ovis.client.types import (
    DriveSpec,
    DriveSpecGUID,
    DriveSpecPath,
    DriveSpecPathCdrom,
    DriveSpecPayload,
    DriveSpecVolume,
    DriveSpecVolumeCdrom,
)
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import disk_users, live_metadata, metadata_devices, safe_xml
from ovis.node.vm.devices.board import LETTERS, PREFIXES
from ovis.node.vm.devices.disk import Disk
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.disks import by_target
from ovis.node.vm.hotplug.errors import ChangeMediumFailed
from ovis.node.vm.metadata_devices import Data, DeviceNote
from ovis.node.vm.payloads import media as payloads
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)
FIELD = "driveSpec"
MULTIPATH = "/dev/mapper"
PAUSES = (0.0, 0.5, None)
"""Seconds between the tries to change a medium; none after the last."""


@dataclass(frozen=True)
class Drive:
    """Which one: by its place on its bus, or the only one."""

    iface: str | None = None
    index: int | None = None


async def change(vms: Vms, vm: Vm, kind: str, spec: DriveSpec) -> None:
    """`kind` is cdrom or floppy. Safe to repeat. Raises BadParameter, VmBusy, DomainNotFound.

    ChangeMediumFailed: the text says what lies in the drive now.
    """
    target = _drive(vm, kind, _which(spec))
    path = await _path(vms, vm, target, kind, spec)
    is_block = bool(path) and await vms.preparer.is_block_device(path, FIELD)
    async with vm.claim(f"change medium of {target}"):
        element = plugging.element(await vms.hypervisor.xml(vm.id), by_target(target))
        if element is None:
            raise ChangeMediumFailed(vm.id, f"drive {target}", "the VM has no such drive")
        put(element, path, is_block=is_block)
        disk = Disk.read(element)
        if path:
            await _check(vms, element, path, spec)
        with disk_users.arriving(vms, vm, disk):
            await _update(vms, vm, target, element)
        await vms.refresh(vm)
        await vms.keep(vm)
        await _note_payload(vms, vm, target, spec)
    log.info("drive %s of VM %s holds %s", target, vm.id, path or "nothing")


async def _check(vms: Vms, element: etree._Element, path: str, spec: DriveSpec) -> None:
    """Raises BadParameter. What was made here stands outside of the places that callers may name."""
    if not isinstance(spec, DriveSpecPayload):
        await vms.preparer.check_devices([element], await vms.limits.get(), FIELD)
        await vms.drives.check_chain(path, FIELD)


def put(element: etree._Element, path: str, *, is_block: bool) -> None:
    """Change a drive's element: another source, none for an empty path."""
    for tag in ("source", "backingStore"):
        for child in element.findall(tag):
            element.remove(child)
    target = element.find("target")
    if target is not None:
        target.attrib.pop("tray", None)
    element.set("type", "block" if is_block else "file")
    if path:
        source = etree.Element("source", {"dev" if is_block else "file": path})
        driver = element.find("driver")
        element.insert(0 if driver is None else element.index(driver) + 1, source)


def _which(spec: DriveSpec) -> Drive:
    match spec:
        case DriveSpecPathCdrom() | DriveSpecVolumeCdrom():
            return Drive(spec.iface, spec.index)
        case _:
            return Drive()


def _drive(vm: Vm, kind: str, which: Drive) -> str:
    drives = [disk for disk in vm.definition.disks if disk.device == kind]
    if not drives:
        raise ChangeMediumFailed(vm.id, f"{kind} drive", "the VM has none")
    if which.index is not None and which.iface is not None and 0 <= which.index < len(LETTERS):
        # An engine that says ide to a machine without IDE means the same place on the bus that it has instead.
        ending = LETTERS[which.index]
        wanted = PREFIXES.get(which.iface, "sd") + ending
        for disk in drives:
            if disk.target == wanted or (which.iface == "ide" and disk.target == "sd" + ending):
                return disk.target
        if len(drives) > 1:
            raise BadParameter(f"{FIELD}.index", f"there is no {kind} drive {which.index} on bus {which.iface}")
    return drives[0].target


async def _path(vms: Vms, vm: Vm, target: str, kind: str, spec: DriveSpec) -> str:
    """ "" for no medium."""
    match spec:
        case DriveSpecPath() | DriveSpecPathCdrom():
            return spec.path
        case DriveSpecVolumeCdrom():
            return "" if spec.drive_spec is None else await _volume(vms, vm, spec.drive_spec)
        case DriveSpecVolume():
            return await _volume(vms, vm, spec)
        case DriveSpecGUID():
            if "/" in spec.guid:
                raise BadParameter(f"{FIELD}.GUID", f"{spec.guid[:60]!r} is no name of a multipath device")
            return f"{MULTIPATH}/{spec.guid}"
        case DriveSpecPayload():
            payload = spec.spec_params.vm_payload
            return await payloads.make(vms.settings, vm.id, target, kind, payload.file, payload.vol_id or "")
        case _:
            raise BadParameter(FIELD, "says neither a path nor a volume")


async def _note_payload(vms: Vms, vm: Vm, target: str, spec: DriveSpec) -> None:
    """So that a host to which the VM moves can make the medium too. A failure only costs that."""
    key = {"devtype": "disk", "name": target}
    payload: dict[str, Data] = {}
    if isinstance(spec, DriveSpecPayload):
        given = spec.spec_params.vm_payload
        payload["payload"] = {"file": dict(given.file), "volId": given.vol_id or ""}

    def change(holder: etree._Element) -> None:
        known = metadata_devices.find(holder, Disk(target=target))
        data = {name: value for name, value in (known.data if known else {}).items() if name != "payload"}
        if data or payload:
            metadata_devices.put(holder, DeviceNote(key, {**data, **payload}))
        else:
            metadata_devices.drop(holder, key)

    try:
        await live_metadata.edit(vms, vm, change)
    except HypervisorError as error:
        log.warning("what lies in drive %s of VM %s could not be noted: %s", target, vm.id, error)


async def _volume(vms: Vms, vm: Vm, spec: DriveSpecVolume) -> str:
    ids = VolumeIds.of(spec.volume_id, spec.image_id, spec.domain_id, spec.pool_id)
    return (await vms.drives.volume(vm.id, ids)).path


async def _update(vms: Vms, vm: Vm, target: str, element: etree._Element) -> None:
    """First as the guest likes, then, for its system may have locked the tray, by force.

    Once more by force: a firmware that boots closes a tray just when QEMU has opened it ("Tray … is not open").
    """
    text = safe_xml.text_of(element)
    for number, pause in enumerate(PAUSES):
        try:
            await vms.hypervisor.devices.update(vm.id, text, force=number > 0)
        except DomainNotFound:
            raise
        except HypervisorError as error:
            if pause is None:
                await vms.refresh(vm)
                held = next((disk.path for disk in vm.definition.disks if disk.target == target), None)
                now = f"it holds {held or 'nothing'} now"
                raise ChangeMediumFailed(vm.id, f"drive {target}", f"{error}; {now}") from error
            log.info("drive %s of VM %s is opened by force: %s", target, vm.id, error)
            await asyncio.sleep(pause)
        else:
            return
