"""State of a VM that QEMU and its helpers keep in files beside the disks: the TPM's contents, and UEFI variables.

Whoever writes these files does not know of the reader. So a copy counts only when nothing about the files (names,
sizes, inodes, times of change) was different after reading from what it was before; and while a VM runs, only when
nothing had changed for `QUIET_SECONDS` before, since one change of the guest may take several writes. With `force` a
copy without that rest is taken when there is none at the end.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorError, NotResponding, ThreadsExhausted
from ovis.node.vm import safe_xml
from ovis.node.vm.external_kinds import BYTES_MOST, FILES_MOST, Kind, Unreadable

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

QUIET_SECONDS = 1.0
TRY_SECONDS = 10.0
AGAIN_SECONDS = 0.2
DEADLINE = 25.0
NOT_COPIED = {".lock"}
"""Of swtpm: says that it runs."""


class ExternalDataFailed(NodeError):
    wire_name = "ExternalDataFailed"

    def __init__(self, vm_id: str, kind: str, why: str) -> None:
        super().__init__(f"the {kind} data of VM {vm_id}: {why}")
        self.vm_id = vm_id
        self.kind = kind


Signature = tuple[tuple[str, int, int, int], ...]


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
    rests = not vm.has_qemu
    try:
        copy = await vms.external_reads.run(
            f"read the {kind.value} data", lambda: read(kind, place, rests=rests, force=force), deadline=DEADLINE
        )
    except Unreadable as error:
        known = vm.external_data.get(kind)
        if known is None or force:
            raise ExternalDataFailed(vm.id, kind.value, str(error)) from error
        return known
    except (DeadlineExceeded, ThreadsExhausted, NotResponding) as error:
        raise ExternalDataFailed(vm.id, kind.value, str(error)) from error
    vm.external_data[kind] = copy
    return copy


def read(
    kind: Kind,
    place: Path,
    *,
    rests: bool,
    force: bool,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Copy:
    """Blocks. `rests`: nobody writes, so nothing need be waited for. Raises Unreadable."""
    until = now() + TRY_SECONDS
    whole: tuple[dict[str, bytes], Signature] | None = None
    while True:
        try:
            before = _signature(place)
            files = {name: _read_file(place / name) for name, *_ in before if (place / name).is_file()}
            is_whole = _signature(place) == before
        except FileNotFoundError:
            if not place.exists():
                raise Unreadable(f"{place} is not there") from None
            is_whole = False  # a file was replaced meanwhile
        except OSError as error:
            raise Unreadable(f"{place} cannot be read: {error.strerror}") from error
        if is_whole:
            if not any(files.values()):
                raise Unreadable(f"{place} is empty")
            whole = (files, before)
            if rests or now() - max(changed for *_, changed in before) / 1e9 >= QUIET_SECONDS:
                return _copy(kind, *whole)
        if now() >= until:
            break
        sleep(AGAIN_SECONDS)
    if force and whole is not None:
        return _copy(kind, *whole)
    raise Unreadable("it keeps changing")


def read_changed(kind: Kind, place: Path, known: Copy | None) -> Copy:
    """As `read`, of a VM that runs; `known` as long as the files are those from which it was read."""
    if known is not None and known.signature and _signature(place) == known.signature:
        return known
    return read(kind, place, rests=False, force=False)


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
    places = [vms.settings.swtpm_folder / vm_id] if "<tpm" in xml else []
    variables = _variables(xml)
    if variables and not any(variables in vm.xml for vm in vms if vm.id != vm_id):
        places.append(Path(variables))
    for place in places:
        try:
            await vms.external_reads.run(
                "remove external data", partial(_remove, place, vms.settings.nvram_folder), deadline=DEADLINE
            )
        except (OSError, HypervisorError) as error:
            log.warning("%s, state of a VM that is gone, could not be removed: %s", place, error)


def _variables(xml: str) -> str:
    return (safe_xml.parse_own(xml, "the VM's description").findtext("os/nvram") or "").strip()


def _remove(place: Path, nvram_folder: Path) -> None:
    if place.is_symlink():
        return
    if place.is_dir():
        shutil.rmtree(place)
    elif place.is_file() and os.path.realpath(place.parent) == os.path.realpath(nvram_folder):
        place.unlink()


def _signature(place: Path) -> Signature:
    """What tells whether anything was changed. Raises OSError, Unreadable."""
    found = []
    for path in [place, *sorted(place.rglob("*"))] if place.is_dir() else [place]:
        if path.name in NOT_COPIED:
            continue
        status = path.lstat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise Unreadable(f"{path} is neither a file nor a folder")
        found.append((str(path.relative_to(place)), status.st_ino, status.st_size, status.st_mtime_ns))
    if len(found) > FILES_MOST or sum(size for _, _, size, _ in found) > BYTES_MOST:
        raise Unreadable(f"{place} is larger than such data is")
    return tuple(found)


def _read_file(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read(BYTES_MOST)


def _copy(kind: Kind, files: dict[str, bytes], signature: Signature) -> Copy:
    from ovis.node.vm.external_packing import pack  # here: its compressors are loaded by the first who needs them

    content, data = pack(kind, files)
    return Copy(hashlib.sha256(content).hexdigest(), data, signature)
