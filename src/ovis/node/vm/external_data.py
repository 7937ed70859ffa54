"""State of a VM that QEMU and its helpers keep in files beside the disks: the TPM's contents, and UEFI variables.

How it is read whole while others write it is told in external_files.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorError, NotResponding, ThreadsExhausted
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.vm import safe_xml
from ovis.node.vm.external_access import DEADLINE
from ovis.node.vm.external_files import Found, Signature
from ovis.node.vm.external_kinds import Kind, Unreadable

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)


class ExternalDataFailed(NodeError):
    wire_name = "ExternalDataFailed"

    def __init__(self, vm_id: str, kind: str, why: str) -> None:
        super().__init__(f"the {kind} data of VM {vm_id}: {why}")
        self.vm_id = vm_id
        self.kind = kind


@dataclass(frozen=True)
class Copy:
    """`data` holds secrets of the guest: never log it."""

    hash: str
    data: str
    signature: Signature = field(default=(), compare=False)
    """Of the files from which it was read."""

    def __repr__(self) -> str:
        return f"Copy({self.hash})"


NOTHING = Copy("", "")
"""Of a VM that has no such device."""


async def get(vms: Vms, vm: Vm, kind: Kind, *, force: bool) -> Copy:
    """The state of now; without `force` the copy read last when the state keeps changing. Raises ExternalDataFailed."""
    place = place_of(vms, vm, kind)
    if place is None:
        return NOTHING
    try:
        found = await vms.state_files.read(kind, place, rests=not vm.has_qemu, force=force)
        assert found is not None
        copy = await pack(vms, kind, found)
    except Unreadable as error:
        known = vm.external_data.get(kind)
        if known is None or force:
            raise ExternalDataFailed(vm.id, kind.value, str(error)) from error
        return known
    except (DeadlineExceeded, ThreadsExhausted, NotResponding, PrivilegedError) as error:
        raise ExternalDataFailed(vm.id, kind.value, str(error)) from error
    vm.external_data[kind] = copy
    return copy


async def pack(vms: Vms, kind: Kind, found: Found) -> Copy:
    """Compressed in a thread. Raises DeadlineExceeded, ThreadsExhausted."""
    return await vms.external_reads.run(f"pack the {kind.value} data", partial(copy_of, kind, found), deadline=DEADLINE)


def place_of(vms: Vms, vm: Vm, kind: Kind) -> Path | None:
    """The variables file or the TPM's folder; None when the VM has none."""
    root = safe_xml.parse_own(vm.xml, "the VM's description")
    if kind is Kind.NVRAM:
        path = (root.findtext("os/nvram") or "").strip()
        return Path(path) if path else None
    return None if root.find("devices/tpm/backend[@type='emulator']") is None else vms.settings.swtpm_folder / vm.id


async def forget(vms: Vms, vm_id: str, xml: str) -> None:
    """The VM is not of this host any more: what its guest kept beside its disks goes. libvirt leaves it to us.

    Whoever wants to start it again has fetched the state before, and hands it back. A variables file outside of
    libvirt's folder was put there by the VM's owner and stays.
    """
    places = {Kind.TPM: vms.settings.swtpm_folder / vm_id} if "<tpm" in xml else {}
    variables = _variables(xml)
    is_shared = any(variables in vm.xml for vm in vms if vm.id != vm_id)
    if variables and Path(variables).parent == vms.settings.nvram_folder and not is_shared:
        places[Kind.NVRAM] = Path(variables)
    for kind, place in places.items():
        try:
            await vms.state_files.remove(kind, place)
        except (OSError, HypervisorError, PrivilegedError) as error:
            log.warning("%s, state of a VM that is gone, could not be removed: %s", place, error)


def _variables(xml: str) -> str:
    return (safe_xml.parse_own(xml, "the VM's description").findtext("os/nvram") or "").strip()


def copy_of(kind: Kind, found: Found) -> Copy:
    """Blocks."""
    from ovis.node.vm.external_packing import (
        pack as packed,  # here: its compressors are loaded by the first who needs them
    )

    content, data = packed(kind, dict(found.files))
    return Copy(hashlib.sha256(content).hexdigest(), data, found.signature)
