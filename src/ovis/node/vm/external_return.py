"""Handing a VM's TPM and UEFI state back before it starts, as the caller got it from VM.getExternalData.

What is new is written beside its place and flushed before it takes it, so that a crash leaves the former state or the
new one. libvirt takes over what it finds there, and gives it to the user that QEMU runs as.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.client.types import VmParameters
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import DeadlineExceeded, ThreadsExhausted
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.vm.external_access import DEADLINE
from ovis.node.vm.external_data import ExternalDataFailed, place_of
from ovis.node.vm.external_kinds import Kind, Unreadable
from ovis.node.vm.settings import VmSettings

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms


@dataclass(frozen=True)
class _Return:
    kind: Kind
    field: str
    data: str
    place: Path


async def hand_back(vms: Vms, vm: Vm, given: VmParameters) -> None:
    """Raises BadParameter, ExternalDataFailed: what was there before still is."""
    for kind, field, data in (
        (Kind.NVRAM, "vmParams._X_nvramdata", given.x_nvramdata),
        (Kind.TPM, "vmParams._X_tpmdata", given.x_tpmdata),
    ):
        if not data:
            continue
        place = place_of(vms, vm, kind)
        if place is None:
            raise BadParameter(field, f"the VM has no place for {kind.value} data in its description")
        what = _Return(kind, field, data, place)
        try:
            files = await vms.external_reads.run(
                f"unpack the {kind.value} data", partial(_unpacked, what, vms.settings), deadline=DEADLINE
            )
            await vms.state_files.write(kind, place, files)
        except (DeadlineExceeded, ThreadsExhausted, OSError, PrivilegedError) as error:
            raise ExternalDataFailed(vm.id, kind.value, f"was not handed back: {error}") from error


def _unpacked(what: _Return, settings: VmSettings) -> dict[str, bytes]:
    """Blocks. Raises BadParameter."""
    from ovis.node.vm.external_packing import unpack  # here: see `external_data`

    if what.kind is Kind.NVRAM:
        _check_place(what, settings)
    try:
        return unpack(what.kind, what.data)
    except Unreadable as error:
        raise BadParameter(what.field, str(error)) from error


def _check_place(what: _Return, settings: VmSettings) -> None:
    """The description may name the firmware's own files, which are for all VMs."""
    if what.place.parent == settings.nvram_folder:  # which the agent's user may not even enter
        return
    folder = Path(os.path.realpath(what.place.parent))
    places = [Path(os.path.realpath(place)) for place in (*settings.allowed_paths, settings.nvram_folder)]
    if not any(folder.is_relative_to(place) for place in places) or what.place.is_symlink():
        raise BadParameter(what.field, f"{what.place} is no place to which such data may be written")
