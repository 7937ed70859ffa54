"""Disks that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import HotplugDiskParams, VmDiskDevice
from ovis.node.errors import BadParameter, MissingParameter
from ovis.node.vm import disk_users, hook_points, safe_xml
from ovis.node.vm.devices import disk
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.disk import Disk
from ovis.node.vm.disks import keeping
from ovis.node.vm.disks.keeping import Kept
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.hotplug.errors import PlugDiskFailed, UnplugDiskFailed
from ovis.node.vm.hotplug.request import Request
from ovis.node.vm.metadata_devices import Data, DeviceNote
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

FIELD = "params.drive"


async def plug(vms: Vms, vm: Vm, params: HotplugDiskParams) -> None:
    """Raises PlugDiskFailed, BadParameter, MissingParameter, VmBusy and what `plugging.plug` raises."""
    async with _volume(vms, vm, params) as kept:
        request = await _request(vms, vm, params, kept)
        await _tell_hooks(vms, vm, request)
        found = _disk(request)
        await vms.preparer.check_devices([request.element], await vms.limits.get(), request.field)
        if found.path and not found.is_removable:
            await vms.drives.check_chain(found.path, f"{request.field}: disk {found.target}")
        with disk_users.arriving(vms, vm, found):
            async with hook_points.plugged(vms, vm, "disk_hotplug", request) as request:
                target = _disk(request).target
                await plugging.plug(vms, vm, f"disk {target}", request, by_target(target), PlugDiskFailed)


async def unplug(vms: Vms, vm: Vm, params: HotplugDiskParams) -> None:
    """Raises UnplugDiskFailed, BadParameter, MissingParameter, VmBusy and what `plugging.unplug` raises."""
    target = await _target(vms, vm, params)
    if (holder := vm.disk_work.holder_of(target)) is not None:
        raise UnplugDiskFailed(vm.id, f"disk {target}", f"{holder} is at work on it")
    image = next((drive.image_id for drive in await vms.drives.drives(vm) if drive.target == target), None)
    async with hook_points.unplugged(vms, vm, "disk_hotunplug", by_target(target)):
        await plugging.unplug(vms, vm, f"disk {target}", by_target(target), UnplugDiskFailed)
    if image is not None:
        await vms.volumes.give_back(vm.id, image)


def by_target(name: str) -> plugging.Finder:
    def is_it(device: Device) -> bool:
        return isinstance(device, Disk) and device.target == name

    return is_it


async def _tell_hooks(vms: Vms, vm: Vm, request: Request) -> None:
    if not vms.hooks.has("after_disk_prepare"):
        return
    from ovis.node.vm.disks import prepared_hooks

    await prepared_hooks.of_disk(
        vms.hooks, vm.id, request.element, request.note.data if request.note else {},
        {**vm.definition.custom, **hook_points.custom_of(request.note)},
        lambda path: vms.preparer.is_block_device(path, request.field),
    )  # fmt: skip
    request.device = Disk.read(request.element)


def _disk(request: Request) -> Disk:
    assert isinstance(request.device, Disk)
    return request.device


@asynccontextmanager
async def _volume(vms: Vms, vm: Vm, params: HotplugDiskParams) -> AsyncIterator[Kept | None]:
    """The volume that a disk is named by, taken in the VM's name; given back when the disk does not get there."""
    ids = _ids(params)
    if ids is None:
        yield None
        return
    if any(drive.image_id == ids.image for drive in await vms.drives.drives(vm)):
        raise PlugDiskFailed(vm.id, f"image {ids.image}", "it has a disk of that image already")
    kept = await vms.volumes.take(vm.id, ids, transient=_is_transient(params))
    try:
        yield kept
    except BaseException:
        if kept is not None:
            await asyncio.shield(vms.own(vms.volumes.give_back(vm.id, ids.image), f"give back image {ids.image}"))
        raise


def _ids(params: HotplugDiskParams) -> VolumeIds | None:
    if params.xml is not None:
        note = Request.of_xml(params.xml, "disk").note
        return None if note is None else keeping.ids_of(*(note.data.get(name) for name in keeping.NAMES))
    drive = params.drive
    if drive is None or drive.path:
        return None
    return keeping.ids_of(drive.pool_id, drive.domain_id, drive.image_id, drive.volume_id)


def _is_transient(params: HotplugDiskParams) -> bool:
    if params.xml is not None:
        note = Request.of_xml(params.xml, "disk").note
        return note is not None and keeping.is_transient(note.data.get(keeping.SHARED))
    return params.drive is not None and keeping.is_transient(params.drive.shared)


async def _request(vms: Vms, vm: Vm, params: HotplugDiskParams, kept: Kept | None) -> Request:
    if params.xml is not None:
        request = Request.of_xml(params.xml, "disk")
        return request if kept is None else _pointed(request, kept)
    if params.drive is None:
        raise MissingParameter("params", "either xml or drive says which disk")
    given = keeping.with_path(params.drive, kept) if kept else await _with_path(vms, vm, params.drive)
    board = await _board(vms, vm, given.path)
    (built,) = disk.build(given, board, FIELD)
    assert isinstance(built, Disk)
    return Request.of_device(built, FIELD, _note(built, given, kept))


def _pointed(request: Request, kept: Kept) -> Request:
    """The disk of an XML request with its real path, and its chain among the notes."""
    assert request.note is not None
    keeping.point(request.element, kept)
    domain = str(request.note.data.get("domainID"))
    data = {**request.note.data, "volumeChain": keeping.chain_of(domain, kept)}
    return Request(request.element, request.field, DeviceNote(request.note.key, data))


async def _with_path(vms: Vms, vm: Vm, given: VmDiskDevice) -> VmDiskDevice:
    """A disk that is named by a volume of no domain of this host gets the path of the file where one is found."""
    if given.path or not given.volume_id:
        return given
    ids = VolumeIds.of(given.volume_id, given.image_id, given.domain_id, given.pool_id)
    return msgspec.structs.replace(given, path=(await vms.drives.volume(vm.id, ids)).path)


async def _board(vms: Vms, vm: Vm, path: str | None) -> Board:
    """The machine as it is, with its taken names."""
    is_block = bool(path) and await vms.preparer.is_block_device(path or "", FIELD)
    root = safe_xml.parse_own(await vms.hypervisor.xml(vm.id), plugging.LIVE)
    taken = {target.get("dev", "") for target in root.iterfind("devices/disk/target")}
    return Board(
        is_q35="q35" in vm.definition.machine,
        display_address=vms.settings.display_address,
        block_paths=frozenset({path}) if is_block and path else frozenset(),
        taken=taken,
    )


def _note(built: Disk, given: VmDiskDevice, kept: Kept | None) -> DeviceNote | None:
    data: dict[str, Data] = dict(keeping.ids_told(given))
    if kept is not None:
        data["volumeChain"] = keeping.chain_of(str(given.domain_id), kept)
    return DeviceNote({"devtype": "disk", "name": built.target}, data) if data else None


async def _target(vms: Vms, vm: Vm, params: HotplugDiskParams) -> str:
    """By which name libvirt knows the disk that is meant."""
    if params.xml is not None:
        alias = Request.alias(params.xml, "disk")
        by_name = next((found.target for found in vm.definition.disks if alias and found.alias == alias), None)
        if alias is not None and by_name is None:
            raise UnplugDiskFailed(vm.id, f"disk {alias}", "it has no such device")
        return by_name or _disk(Request.of_xml(params.xml, "disk")).target
    given = params.drive
    if given is None:
        raise MissingParameter("params", "either xml or drive says which disk")
    for found in vm.definition.disks:
        named = (found.target == given.name, found.alias == given.alias, found.path == given.path)
        wanted = (given.name, given.alias, given.path)
        if any(is_it for is_it, want in zip(named, wanted, strict=True) if want):
            return found.target
    if given.volume_id and given.image_id:
        ids = VolumeIds.of(given.volume_id, given.image_id, given.domain_id, given.pool_id)
        return (await vms.drives.find(vm, ids)).target
    raise BadParameter(FIELD, f"VM {vm.id} has no disk with that name, alias, path or volume")
