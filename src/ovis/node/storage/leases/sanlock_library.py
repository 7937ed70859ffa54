"""libsanlock's client, called through ctypes. Every function here blocks: call them in threads.

A call connects to the daemon's socket, asks one thing and closes; nothing is shared between threads. Only
`sanlock_register` (holder.py) keeps its connection.

Where the daemon is: the variable SANLOCK_RUN_DIR, which the library reads once, so it is one for a process.
Source: sanlock.h, sanlock_admin.h, sanlock_resource.h, sanlock_rv.h of sanlock 3.8; the library's name (.so.1) stands
for that interface.
"""

from __future__ import annotations

import ctypes
import errno
import os
from ctypes import POINTER, byref, c_char, c_int, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ovis.node.storage.formats.sanlock_areas import BLOCK_4K, MIB, Geometry
from ovis.node.storage.leases.interface import NOTE_BYTES

if TYPE_CHECKING:
    from ovis.node.storage.leases.interface import Lockspace, Resource
    from ovis.node.storage.volumes.store import LeasePlace

NAMES = ("libsanlock_client.so.1", "libsanlock.so.1")
NAME_BYTES, PATH_BYTES = 48, 1024

ADDING, REMOVING = 1, 2  # flags of a listed lockspace
ASYNC, ONLY_UNUSED = 1, 2  # of adding and removing one
CLEAR = 1
WITH_NOTE, NO_WAITING = 1, 8  # of acquiring
HOST_UNKNOWN, HOST_FREE, HOST_LIVE, HOST_DEAD, HOST_MASK = 1, 2, 3, 5, 15

AIO_TIMEOUT = -202
LEADER_MAGIC, LEADER_LOCKSPACE, LEADER_RESOURCE = -223, -226, -227
LEADER_ERRORS = range(-229, -222)  # read, and not what was expected
OWNED = (-243, -244, -245, -247)  # a live host has it, or one that is not yet known to be dead
HOST_ID_BUSY = -262

_ALIGNMENTS = {1 * MIB: 0x10, 2 * MIB: 0x20, 4 * MIB: 0x40, 8 * MIB: 0x80}
_SECTOR_512, _SECTOR_4K = 0x100, 0x200


class SanlockError(Exception):
    """`number`: -errno, or one of sanlock's own below -200."""

    def __init__(self, call: str, number: int) -> None:
        super().__init__(f"{call}: {_explain(number)} ({number})")
        self.number = number


class LibraryMissing(Exception):
    """libsanlock is not installed."""


class _Disk(ctypes.Structure):
    _fields_ = [("path", c_char * PATH_BYTES), ("offset", c_uint64), ("pad1", c_uint32), ("pad2", c_uint32)]


class _Resource(ctypes.Structure):
    """sanlk_resource with room for one disk."""

    _fields_ = [
        ("lockspace", c_char * NAME_BYTES),
        ("name", c_char * NAME_BYTES),
        ("version", c_uint64),
        ("data64", c_uint64),
        ("data32", c_uint32),
        ("unused", c_uint32),
        ("flags", c_uint32),
        ("disks", c_uint32),
        ("disk", _Disk),
    ]


class _Lockspace(ctypes.Structure):
    _fields_ = [("name", c_char * NAME_BYTES), ("host_id", c_uint64), ("flags", c_uint32), ("disk", _Disk)]


class _Host(ctypes.Structure):
    _fields_ = [
        ("host_id", c_uint64),
        ("generation", c_uint64),
        ("timestamp", c_uint64),
        ("io_timeout", c_uint32),
        ("flags", c_uint32),
    ]


@dataclass(frozen=True)
class Host:
    host_id: int
    generation: int
    flags: int = 0

    @property
    def is_gone(self) -> bool:
        return self.flags & HOST_MASK in (HOST_FREE, HOST_DEAD)

    @property
    def renews(self) -> bool | None:
        """False as soon as it has missed a renewal for too long; None: not watched for long enough."""
        state = self.flags & HOST_MASK
        return None if state in (0, HOST_UNKNOWN) else state == HOST_LIVE


@dataclass(frozen=True)
class Listed:
    """A lockspace that the daemon has, or is about to have or to drop (`flags`)."""

    name: str
    host_id: int
    path: str
    flags: int


def version() -> None:
    """Raises SanlockError when the daemon does not answer."""
    number, protocol = c_uint32(), c_uint32()
    _call("sanlock_version", c_uint32(0), byref(number), byref(protocol))


def write_lockspace(lockspace: Lockspace, io_timeout: int) -> None:
    _call("sanlock_write_lockspace", byref(_space(lockspace, 0)), c_int(0), c_uint32(0), c_uint32(io_timeout))


def add_lockspace(lockspace: Lockspace, host_id: int, io_timeout: int, *, wait: bool) -> None:
    flags = 0 if wait else ASYNC
    _call("sanlock_add_lockspace_timeout", byref(_space(lockspace, host_id)), c_uint32(flags), c_uint32(io_timeout))


def remove_lockspace(lockspace: Lockspace, host_id: int) -> None:
    _call("sanlock_rem_lockspace", byref(_space(lockspace, host_id)), c_uint32(ONLY_UNUSED))


def lockspaces() -> list[Listed]:
    array, count = POINTER(_Lockspace)(), c_int()
    _call("sanlock_get_lockspaces", byref(array), byref(count), c_uint32(0))
    try:
        found = [array[number] for number in range(count.value)]
        return [Listed(one.name.decode(), one.host_id, one.disk.path.decode(), one.flags & 3) for one in found]
    finally:
        _free(array)


def hosts(lockspace: str, host_id: int) -> list[Host]:
    """What the daemon knows of that host."""
    array, count = POINTER(_Host)(), c_int()
    name = lockspace.encode()
    _call("sanlock_get_hosts", name, c_uint64(host_id), byref(array), byref(count), c_uint32(0))
    return _taken(array, count)


def write_resource(resource: Resource) -> None:
    _call("sanlock_write_resource", byref(_lease(resource)), c_int(0), c_int(0), c_uint32(0))


def clear_resource(lockspace: Lockspace, place: LeasePlace) -> None:
    _call("sanlock_write_resource", byref(_at(lockspace, place)), c_int(0), c_int(0), c_uint32(CLEAR))


def read_resource(lockspace: Lockspace, place: LeasePlace) -> tuple[str, str]:
    """Lockspace and name of what lies there."""
    lease = _at(lockspace, place)
    lease.lockspace = b""
    lease.flags = 0
    _call("sanlock_read_resource", byref(lease), c_uint32(0))
    return lease.lockspace.decode(errors="replace"), lease.name.decode(errors="replace")


def owners(resource: Resource) -> tuple[int, list[Host]]:
    """The lease's version and who has it, on storage."""
    lease, array, count = _lease(resource), POINTER(_Host)(), c_int()
    _call("sanlock_read_resource_owners", byref(lease), c_uint32(0), byref(array), byref(count))
    return lease.version, _taken(array, count)


def acquire(resource: Resource, pid: int) -> None:
    """For the registered process `pid`."""
    lease = _lease(resource)
    array = (POINTER(_Resource) * 1)(ctypes.pointer(lease))
    _call("sanlock_acquire", c_int(-1), c_int(pid), c_uint32(WITH_NOTE | NO_WAITING), c_int(1), array, None)


def release(resource: Resource, pid: int) -> None:
    lease = _lease(resource)
    array = (POINTER(_Resource) * 1)(ctypes.pointer(lease))
    _call("sanlock_release", c_int(-1), c_int(pid), c_uint32(0), c_int(1), array)


def read_note(resource: Resource) -> bytes:
    room = ctypes.create_string_buffer(NOTE_BYTES)
    _call("sanlock_get_lvb", c_uint32(0), byref(_lease(resource)), room, c_int(NOTE_BYTES))
    return room.raw.rstrip(b"\0")


def write_note(resource: Resource, note: bytes) -> None:
    room = ctypes.create_string_buffer(note, NOTE_BYTES)
    _call("sanlock_set_lvb", c_uint32(0), byref(_lease(resource)), room, c_int(NOTE_BYTES))


def _space(lockspace: Lockspace, host_id: int) -> _Lockspace:
    name, flags, disk = _name(lockspace.domain), _flags(lockspace.geometry), _disk(lockspace.place)
    return _Lockspace(name=name, host_id=host_id, flags=flags, disk=disk)


def _lease(resource: Resource) -> _Resource:
    lease = _at(resource.lockspace, resource.place)
    lease.name = _name(resource.name)
    return lease


def _at(lockspace: Lockspace, place: LeasePlace) -> _Resource:
    flags = _flags(lockspace.geometry)
    return _Resource(lockspace=_name(lockspace.domain), flags=flags, disks=1, disk=_disk(place))


def _disk(place: LeasePlace) -> _Disk:
    path = bytes(place.path)
    if len(path) >= PATH_BYTES:
        raise SanlockError(f"{place.path}", -errno.ENAMETOOLONG)
    return _Disk(path=path, offset=place.offset)


def _name(name: str) -> bytes:
    encoded = name.encode()
    if len(encoded) > NAME_BYTES:
        raise SanlockError(name, -errno.ENAMETOOLONG)
    return encoded


def _flags(geometry: Geometry) -> int:
    return _ALIGNMENTS[geometry.alignment] | (_SECTOR_4K if geometry.block_size == BLOCK_4K else _SECTOR_512)


def _taken(array: Any, count: c_int) -> list[Host]:
    try:
        return [Host(array[n].host_id, array[n].generation, array[n].flags) for n in range(count.value)]
    finally:
        _free(array)


def _free(array: Any) -> None:
    free = ctypes.CDLL(None).free
    free.argtypes = [c_void_p]
    free(ctypes.cast(array, c_void_p))


@cache
def _library() -> ctypes.CDLL:
    for name in NAMES:
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            problem = error
    raise LibraryMissing(str(problem))


def _call(function: str, *arguments: Any) -> None:
    number = getattr(_library(), function)(*arguments)
    if number < 0:
        raise SanlockError(function, number)


def _explain(number: int) -> str:
    if number > -200:
        return os.strerror(-number)
    explain = _library().sanlock_strerror
    explain.restype = ctypes.c_char_p
    text: bytes = explain(c_int(number)) or b""
    return text.decode(errors="replace")
