"""Checkpoints of a running VM: moments since which its disks know what has changed.

The knowledge (bitmaps) lies in the qcow2 disks; the descriptions are libvirt's and end with the VM, so that a client
keeps them and defines them again. Several are worked on in order; the first failure ends it and is part of the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import CheckpointBroken, HypervisorError
from ovis.node.vm import safe_xml
from ovis.node.vm.backup import description
from ovis.node.vm.disks.errors import CheckpointFailed, DiskBusy, DiskError, InconsistentCheckpoint, NoSuchCheckpoint
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.errors import BadXml
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms


@dataclass(frozen=True)
class Data:
    """What a checkpoint without XML is built from. `disks` are those that it tracks."""

    disks: Sequence[VolumeIds]
    parent: str | None
    creation_time: int


@dataclass(frozen=True)
class Known:
    id: str
    xml: str | None
    data: Data | None


@dataclass(frozen=True)
class Outcome:
    """`done` in order; `error` ended the work early."""

    done: list[str]
    error: DiskError | None = None


async def names(vms: Vms, vm: Vm) -> list[str]:
    """From the oldest to the newest. Raises VmNotRunning, HypervisorError."""
    vm.require_qemu()
    return await vms.hypervisor.backups.checkpoints(vm.id)


async def dump(vms: Vms, vm: Vm, checkpoint_id: str) -> str:
    """libvirt's XML. Raises VmNotRunning, NoSuchCheckpoint, HypervisorError."""
    vm.require_qemu()
    xml = await vms.hypervisor.backups.checkpoint(vm.id, checkpoint_id)
    if xml is None:
        raise NoSuchCheckpoint(vm.id, f"no checkpoint {checkpoint_id}")
    return xml


async def redefine(vms: Vms, vm: Vm, wanted: Sequence[Known]) -> Outcome:
    """Let libvirt know them again. Safe to repeat. Raises VmNotRunning, VmBusy, DiskBusy, BadParameter."""
    vm.require_qemu()
    _require_rest(vm)
    texts = {known.id: await _xml(vms, vm, known) for known in wanted}

    async def one(name: str) -> None:
        await vms.hypervisor.backups.redefine(vm.id, texts[name])

    async with vm.claim("redefine checkpoints"):
        return await _each(vm, texts, one)


async def delete(vms: Vms, vm: Vm, ids: Iterable[str]) -> Outcome:
    """Remove them with their bitmaps; unknown ones count as removed. Raises VmNotRunning, VmBusy, DiskBusy."""
    vm.require_qemu()
    _require_rest(vm)

    async def one(name: str) -> None:
        await vms.hypervisor.backups.delete(vm.id, name)

    async with vm.claim("delete checkpoints"):
        return await _each(vm, ids, one)


def _require_rest(vm: Vm) -> None:
    """libvirt would wait half a minute for the work on the disks to end, and then refuse."""
    if (holder := vm.disk_work.holder) is not None:
        raise DiskBusy(vm.id, f"{holder} is at work on its disks")


async def _each(vm: Vm, ids: Iterable[str], work: Callable[[str], Awaitable[None]]) -> Outcome:
    done: list[str] = []
    for name in ids:
        try:
            await work(name)
        except CheckpointBroken as error:
            return Outcome(done, InconsistentCheckpoint(vm.id, f"checkpoint {name}: {error.message}"))
        except HypervisorError as error:
            return Outcome(done, CheckpointFailed(vm.id, f"checkpoint {name}: {error}"))
        done.append(name)
    return Outcome(done)


async def _xml(vms: Vms, vm: Vm, known: Known) -> str:
    if known.xml is not None:
        return _checked(known.id, known.xml)
    if known.data is None:
        raise BadParameter("checkpoints", f"{known.id} has neither xml nor config")
    tracked = {(await vms.drives.find(vm, ids)).target for ids in known.data.disks}
    others = [drive.target for drive in await vms.drives.drives(vm) if drive.target not in tracked]
    return description.checkpoint(
        known.id, sorted(tracked), others, parent=known.data.parent, creation_time=known.data.creation_time
    )


def _checked(checkpoint_id: str, xml: str) -> str:
    """From a client: it names this checkpoint, and no domain that libvirt would have to take its word for."""
    field = f"checkpoints: {checkpoint_id}.xml"
    try:
        root = safe_xml.parse(xml, field)
    except BadXml as error:
        raise BadParameter(field, error.problem) from error
    if root.tag != "domaincheckpoint" or (root.findtext("name") or "").strip() != checkpoint_id:
        raise BadParameter(field, f"is no domaincheckpoint with the name {checkpoint_id}")
    for domain in root.findall("domain"):
        root.remove(domain)
    return etree.tostring(root, encoding="unicode")
