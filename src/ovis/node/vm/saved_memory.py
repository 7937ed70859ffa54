"""A VM on disk: its memory in libvirt's own format, and what the agent knows of it beside that as JSON.

    {"version": 1, "id": ..., "name": ..., "elapsed": seconds, "time_offset": seconds, "paused": bool, "xml": ...}

libvirt marks its file as complete with the last write; what is not complete is not accepted. A block device takes the
JSON at its beginning, ended by a zero byte.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import MigrateParams, VmParameters
from ovis.node.errors import BadParameter, MissingParameter
from ovis.node.hypervisor.errors import OperationFailed

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

VERSION = 1
PARAMETERS_LIMIT = 4 << 20


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
    if len(parts) == 6:
        raise BadParameter(name, "volumes of storage domains are not supported yet, only two paths joined by a comma")
    raise BadParameter(name, "is not two paths joined by a comma")


def place_of_wish(wish: MigrateParams) -> Place:
    """For mode file. Raises MissingParameter, BadParameter."""
    if wish.hiber_vol_handle:
        return place_of(wish.hiber_vol_handle, "params.hiberVolHandle")
    if not wish.dst or not wish.dstparams:
        raise MissingParameter("params.dst" if not wish.dst else "params.dstparams", "mode file needs both paths")
    return place_of(f"{wish.dst},{wish.dstparams}", "params.dst")


def path_of(given: VmParameters) -> str | None:
    """The path of the memory to start from; None for a normal start. Raises BadParameter."""
    if given.hiber_vol_handle:
        return place_of(given.hiber_vol_handle, "vmParams.hiberVolHandle").memory
    if given.memory_dump_volume:
        path = given.memory_dump_volume.get("path")
        if not path:
            raise BadParameter(
                "vmParams.memoryDumpVolume", "volumes of storage domains are not supported yet, only path"
            )
        return path
    return None


async def machine_of(vms: Vms, given: VmParameters, memory: str) -> VmParameters:
    """What the caller wants, with the description that lies in the memory file instead of their own: QEMU can take the
    memory into the machine that it came from only. Raises BadParameter, HypervisorError."""
    await vms.preparer.check_file(memory, "vmParams: saved memory")
    try:
        xml = await vms.hypervisor.migration.saved_xml(memory)
    except OperationFailed as error:
        raise BadParameter(
            "vmParams: saved memory", f"{memory} holds no saved VM, or not all of it: {error}"
        ) from error
    return msgspec.structs.replace(
        given, xml=xml, hiber_vol_handle=None, memory_dump_volume=None, memory_conf_volume=None
    )


# The parameters on disk: these block


def prepare(place: Place, known: Parameters) -> None:
    """Before the save: nothing older may look like its result. Raises OSError."""
    memory = Path(place.memory)
    if stat.S_ISBLK(memory.stat().st_mode):
        _write_flushed(memory, b"\0" * 4096, os.O_WRONLY)
    else:
        _write_flushed(memory, b"", os.O_WRONLY | os.O_TRUNC)
    write_parameters(Path(place.parameters), known)


def write_parameters(path: Path, known: Parameters) -> None:
    """Raises OSError."""
    data = msgspec.json.encode(known)
    if stat.S_ISBLK(path.stat().st_mode):
        _write_flushed(path, data + b"\0", os.O_WRONLY)
        return
    fresh = path.with_name(f"{path.name}.new")
    _write_flushed(fresh, data, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    fresh.replace(path)
    flush(str(path.parent))


def read_parameters(path: Path) -> Parameters:
    """Raises OSError, msgspec.MsgspecError."""
    with path.open("rb") as file:
        data = file.read(PARAMETERS_LIMIT)
    return msgspec.json.decode(data.partition(b"\0")[0], type=Parameters)


def _write_flushed(path: Path, data: bytes, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
