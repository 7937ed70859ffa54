"""Keeping what is written of a VM's disks true: its record, and the ids and paths in its metadata.

`note` writes what is about to be done before it is done. `settle` writes what is so, read from libvirt, and may be
repeated at any time. `conclude` is what work that changes chains ends with, also when it went wrong: it stays noted
until the chains that it left are read and written, because what is noted tells which layers a VM begins with whose
QEMU dies before that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec
from lxml import etree

from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import live_metadata
from ovis.node.vm.disks.drives import Drive, device_groups
from ovis.node.vm.disks.work import NOTHING, DiskWork, Merge
from ovis.node.vm.store import Intent
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

AGAIN = 5.0  # seconds; libvirtd starts again within moments

Change = Callable[[DiskWork], DiskWork]
_locks: WeakKeyDictionary[Vm, asyncio.Lock] = WeakKeyDictionary()


async def note(vms: Vms, vm: Vm, change: Change) -> None:
    """From now on an agent that starts again knows of it. Raises OSError, HypervisorError (the store hangs)."""
    async with _lock_of(vm):
        before, vm.disk_work = vm.disk_work, change(vm.disk_work)
        try:
            await _save(vms, vm)
        except BaseException:
            vm.disk_work = before
            raise
    vm.touch()


async def settle(vms: Vms, vm: Vm, change: Change = lambda work: work) -> None:
    """Work goes on as `change` says. What cannot be read or written now is so later."""
    is_read = not vm.has_qemu or await _read(vms, vm, change)
    await remember(vms, vm, change)
    if not is_read:
        vms.own(in_the_end(vm, lambda: _settle_again(vms, vm)), f"read the disks of VM {vm.id}")


async def conclude(vms: Vms, vm: Vm, change: Change) -> None:
    """Work has ended, `change` says which: now, or when libvirt can be asked again. If the VM has ended it is up to
    `recovery.ended`. Clients see the end when everything is written.
    """
    try:
        await _conclude(vms, vm, change)
    except DomainNotFound:
        log.info("VM %s has ended before its disks could be read", vm.id)
    except HypervisorError as error:
        log.warning("the disks of VM %s cannot be read now: %s", vm.id, error)
        vms.own(in_the_end(vm, lambda: _conclude(vms, vm, change)), f"read the disks of VM {vm.id}")


async def _conclude(vms: Vms, vm: Vm, change: Change) -> None:
    """Raises HypervisorError: it is still noted."""
    if vm.is_down:
        return
    await _rewrite_metadata(vms, vm, change)
    await vms.reread(vm)
    if not vm.is_down:
        await remember(vms, vm, change)


async def remember(vms: Vms, vm: Vm, change: Change) -> None:
    """What is so, where nothing is to be read for it. It holds even when it cannot be written."""
    async with _lock_of(vm):
        vm.disk_work = change(vm.disk_work)
        try:
            await _save(vms, vm)
        except (OSError, HypervisorError) as error:
            log.warning("the record of VM %s could not be written: %s", vm.id, error)
    vm.touch()


async def undo(vms: Vms, vm: Vm, work: Callable[[], Awaitable[None]], name: str) -> None:
    """Now, or where libvirt cannot be asked, as soon as it can."""
    try:
        await work()
    except HypervisorError:
        vms.own(in_the_end(vm, work), f"{name} of VM {vm.id}")


async def in_the_end(vm: Vm, work: Callable[[], Awaitable[None]]) -> None:
    """Try again as long as libvirt cannot be asked and the VM runs."""
    told = False
    while vm.has_qemu:
        try:
            await work()
        except DomainNotFound:
            return
        except HypervisorError as error:
            if not told:
                log.warning("the disks of VM %s cannot be settled yet: %s", vm.id, error)
            told = True
            await vm.until(lambda: vm.is_down, seconds=AGAIN)
        else:
            return


async def _settle_again(vms: Vms, vm: Vm) -> None:
    await _rewrite_metadata(vms, vm, lambda work: work)
    await vms.reread(vm)
    await _save(vms, vm)


def work_told_by(values: Mapping[str, object]) -> DiskWork:
    """Of a VM whose record is lost: the merges that its metadata tells of."""
    try:
        merges = msgspec.json.decode(str(values.get("jobs", "{}")), type=dict[str, Merge])
    except msgspec.MsgspecError as error:
        log.warning("the jobs in the metadata of a VM cannot be read: %s", error)
        return NOTHING
    return DiskWork(merges=tuple(merges.values()))


def _lock_of(vm: Vm) -> asyncio.Lock:
    return _locks.setdefault(vm, asyncio.Lock())


async def _save(vms: Vms, vm: Vm) -> None:
    """Whoever is cutting the VM's power has written more than we know."""
    if vm.ending is None and not vm.is_forgotten:
        await vms.save(vm, Intent.DOWN if vm.is_down else Intent.RUNNING)


async def _read(vms: Vms, vm: Vm, change: Change) -> bool:
    """The chains into metadata and record; whether that could be done."""
    try:
        await _rewrite_metadata(vms, vm, change)
        await vms.reread(vm)
    except HypervisorError as error:
        log.warning("the metadata of VM %s could not be brought up to date: %s", vm.id, error)
        return isinstance(error, DomainNotFound)
    return True


async def _rewrite_metadata(vms: Vms, vm: Vm, change: Change) -> None:
    found = await vms.drives.drives(vm)
    await live_metadata.edit(vms, vm, lambda holder: rewrite(holder, found, change(vm.disk_work)))


def rewrite(holder: etree._Element, found: tuple[Drive, ...], work: DiskWork) -> None:
    """Chains of the disks that have a device group, the running jobs, and where disks are being mirrored to."""
    by_target = {drive.target: drive for drive in found}
    for group in device_groups(holder):
        drive = by_target.get(group.get("name", ""))
        if drive is not None:
            _rewrite_group(group, drive, work)
    put(holder, "jobs", _jobs(work) if work.merges else None)


def _rewrite_group(group: etree._Element, drive: Drive, work: DiskWork) -> None:
    if drive.active.volume_id is not None:
        put(group, "volumeID", drive.active.volume_id)
    for child in [c for c in group if _name(c) in ("volumeChain", "diskReplicate")]:
        group.remove(child)
    chain = etree.SubElement(group, "volumeChain")
    for layer in reversed(drive.layers):  # engines expect the base first
        node = etree.SubElement(chain, "volumeChainNode")
        for name, value in (
            ("domainID", drive.domain_id),
            ("imageID", layer.image_id or drive.image_id),
            ("path", layer.path),
            ("volumeID", layer.volume_id),
        ):
            if value is not None:
                etree.SubElement(node, name).text = value
    if (replica := work.replica(drive.target)) is not None:
        mirror = etree.SubElement(group, "diskReplicate")
        etree.SubElement(mirror, "path").text = replica.destination
        etree.SubElement(mirror, "volumeID").text = replica.volume_id


def _jobs(work: DiskWork) -> str:
    return msgspec.json.encode({merge.id: merge for merge in work.merges}).decode()


def put(holder: etree._Element, name: str, text: str | None) -> None:
    """Set the text of a child, whatever its namespace; None removes it."""
    found = next((child for child in holder if _name(child) == name), None)
    if text is None:
        if found is not None:
            holder.remove(found)
        return
    found = etree.SubElement(holder, name) if found is None else found
    found.text = text


def _name(child: etree._Element) -> str:
    return etree.QName(child).localname if isinstance(child.tag, str) else ""
