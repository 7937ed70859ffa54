"""A VM on disk: its memory in libvirt's own format, and what the agent knows of it beside that as JSON.

    {"version": 1, "id": ..., "name": ..., "elapsed": seconds, "time_offset": seconds, "paused": bool, "xml": ...}

libvirt marks its file as complete with the last write; what is not complete is not accepted. A block device takes the
JSON at its beginning, ended by a zero byte.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import MigrateParams, VmParameters
from ovis.node import durable_files
from ovis.node.errors import BadParameter, MissingParameter
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm import safe_xml
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.prepare import canonical_id

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

VERSION = 1
PARAMETERS_LIMIT = 4 << 20
VOLUME_KEYS = ("volumeID", "imageID", "domainID", "poolID")


class Place(msgspec.Struct, frozen=True):
    """Paths of the two files or block devices."""

    memory: str
    parameters: str


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    id: str
    name: str
    elapsed: int
    time_offset: int
    paused: bool
    xml: str


def place_of(handle: str, name: str) -> Place:
    """Two absolute paths joined by a comma. Raises BadParameter."""
    parts = handle.split(",")
    if len(parts) == 2 and all(part.startswith("/") for part in parts):
        return Place(*parts)
    raise BadParameter(name, "is neither six ids nor two paths joined by commas")


async def located(vms: Vms, vm_id: str, handle: str, field: str) -> Place:
    """The files of a handle, which exist in the allowed places: two paths, or the six ids of two volumes.

    Raises BadParameter, DriveNotFound.
    """
    parts = [part.strip() for part in handle.split(",")]
    if len(parts) == 6:
        domain, pool, image, volume, other_image, other_volume = (canonical_id(part, field) for part in parts)
        memory = await vms.drives.volume(vm_id, VolumeIds(volume, image, domain, pool))
        parameters = await vms.drives.volume(vm_id, VolumeIds(other_volume, other_image, domain, pool))
        found = Place(memory.path, parameters.path)
    else:
        found = place_of(handle, field)
    for path in (found.memory, found.parameters):
        await vms.preparer.check_file(path, field)
    return found


def handle_of_wish(wish: MigrateParams) -> str:
    """For a migration of mode file. Raises MissingParameter."""
    if wish.hiber_vol_handle:
        return wish.hiber_vol_handle
    if not wish.dst or not wish.dstparams:
        raise MissingParameter("params.dst" if not wish.dst else "params.dstparams", "mode file needs both paths")
    return f"{wish.dst},{wish.dstparams}"


async def path_of(vms: Vms, vm_id: str, given: VmParameters) -> str | None:
    """The path of the memory to start from; None for a normal start. Raises BadParameter, DriveNotFound."""
    if given.hiber_vol_handle:
        return (await located(vms, vm_id, given.hiber_vol_handle, "vmParams.hiberVolHandle")).memory
    if given.memory_dump_volume:
        return await _path_of_volume(vms, vm_id, given.memory_dump_volume, "vmParams.memoryDumpVolume")
    return None


async def _path_of_volume(vms: Vms, vm_id: str, given: Mapping[str, str], field: str) -> str:
    path = given.get("path")
    if not path:
        ids = [canonical_id(given.get(name) or "", f"{field}.{name}") for name in VOLUME_KEYS]
        path = (await vms.drives.volume(vm_id, VolumeIds(*ids))).path
    await vms.preparer.check_file(path, field)
    return path


async def machine_of(vms: Vms, given: VmParameters, memory: str) -> VmParameters:
    """What the caller wants, with the description that lies in the memory file instead of their own: QEMU can take the
    memory into the machine that it came from only. Raises BadParameter, HypervisorError."""
    try:
        xml = await vms.hypervisor.migration.saved_xml(memory)
    except OperationFailed as error:
        raise BadParameter(
            "vmParams: saved memory", f"{memory} holds no saved VM, or not all of it: {error}"
        ) from error
    xml = safe_xml.without_options(xml, "vmParams: saved memory")  # hooks at before_vm_dehibernate give them again
    return msgspec.structs.replace(
        given, xml=xml, hiber_vol_handle=None, memory_dump_volume=None, memory_conf_volume=None
    )


# The parameters on disk: these block


def prepare(place: Place, known: Parameters) -> None:
    """Before the save: nothing older may look like its result. Raises OSError."""
    memory = Path(place.memory)
    if stat.S_ISBLK(memory.stat().st_mode):
        durable_files.write(memory, b"\0" * 4096, flags=0)
    else:
        durable_files.write(memory, b"", flags=os.O_TRUNC)
    write_parameters(Path(place.parameters), known)


def write_parameters(path: Path, known: Parameters) -> None:
    """Raises OSError."""
    data = msgspec.json.encode(known)
    if stat.S_ISBLK(path.stat().st_mode):
        durable_files.write(path, data + b"\0", flags=0)
    else:
        durable_files.replace(path, data)


def read_parameters(path: Path) -> Parameters:
    """Raises OSError, msgspec.MsgspecError."""
    with path.open("rb") as file:
        data = file.read(PARAMETERS_LIMIT)
    return msgspec.json.decode(data.partition(b"\0")[0], type=Parameters)
