"""Handing a VM's TPM and UEFI state back before it starts, as the caller got it from VM.getExternalData.

What is new is written beside its place and flushed before it takes it, so that a crash leaves the former state or the
new one. libvirt takes over what it finds there, and gives it to the user that QEMU runs as.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.client.types import VmParameters
from ovis.node import durable_files
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import DeadlineExceeded, ThreadsExhausted
from ovis.node.vm.external_data import DEADLINE, ExternalDataFailed, place_of
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
            await vms.external_reads.run(
                f"hand the {kind.value} data back", partial(_write, what, vms.settings), deadline=DEADLINE
            )
        except (DeadlineExceeded, ThreadsExhausted, OSError) as error:
            raise ExternalDataFailed(vm.id, kind.value, f"was not handed back: {error}") from error


def _write(what: _Return, settings: VmSettings) -> None:
    """Blocks."""
    from ovis.node.vm.external_packing import unpack  # here: see `external_data`

    try:
        files = unpack(what.kind, what.data)
    except Unreadable as error:
        raise BadParameter(what.field, str(error)) from error
    if what.kind is Kind.NVRAM:
        _check_place(what, settings)
        _replace_file(what.place, next(iter(files.values())))
    else:
        _replace_folder(what.place, files)


def _check_place(what: _Return, settings: VmSettings) -> None:
    """The description may name the firmware's own files, which are for all VMs."""
    folder = Path(os.path.realpath(what.place.parent))
    places = [Path(os.path.realpath(place)) for place in (*settings.allowed_paths, settings.nvram_folder)]
    if not any(folder.is_relative_to(place) for place in places) or what.place.is_symlink():
        raise BadParameter(what.field, f"{what.place} is no place to which such data may be written")


def _replace_file(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        durable_files.write(fresh, data, flags=os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        fresh.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    durable_files.flush(place.parent)


def _replace_folder(place: Path, files: dict[str, bytes]) -> None:
    """A folder cannot replace a full one in one step; a crash between the two leaves none, and the former beside it."""
    place.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    fresh, former = (place.with_name(f".{place.name}.{end}") for end in ("new", "former"))
    for leftover in (fresh, former):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fresh.mkdir()
        fresh.chmod(0o711)  # as libvirt has it: the TPM runs as a user who owns what is below only
        for name, data in files.items():
            path = fresh / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable_files.write(path, data, flags=os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        if place.exists():
            place.rename(former)
        fresh.rename(place)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if former.exists() and not place.exists():
            former.rename(place)
        raise
    durable_files.flush(place.parent)
    shutil.rmtree(former, ignore_errors=True)
