"""Locks of a domain that one host alone can reach: this process is the only holder.

Two agents on one machine exclude each other by flock(2) on the domain's `ids`: taking a host id is taking that lock.
The lock belongs to the open file, so a process that inherits it (`tie`) keeps other agents out as long as it lives,
even when this agent is gone. Sanlock's bytes are neither read nor written: `ids` and `leases` may stay empty.

A version counts how often this process took the lease; it starts again with the process, and nothing depends on it:
on a domain of one host nobody can compare it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections import Counter
from pathlib import PurePosixPath

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.leases.errors import AcquireFailed, HostIdTaken, LockspaceLost, NoteFailed
from ovis.node.storage.leases.interface import Found, HostIdState, Lockspace, Owner, Resource, Tie
from ovis.node.storage.volumes.store import LeasePlace


class LockedFile:
    """A Tie: the open file that carries the lock."""

    holder = 0

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def is_open(self) -> bool:
        return self._descriptor >= 0

    def fileno(self) -> int:
        return self._descriptor

    def keep(self) -> None:
        """Nothing: other agents are kept out by the open file itself."""

    def close(self) -> None:
        if self.is_open:
            os.close(self._descriptor)
            self._descriptor = -1


class LocalLocks:
    """All local domains of this agent."""

    def __init__(self) -> None:
        self._joined: dict[DomainId, tuple[int, LockedFile]] = {}
        self._left: dict[DomainId, asyncio.Event] = {}
        self._held: dict[tuple[DomainId, str], Owner] = {}
        self._versions: Counter[tuple[DomainId, str]] = Counter()

    async def format_lockspace(self, lockspace: Lockspace) -> None: ...

    async def format_resource(self, resource: Resource) -> None: ...

    async def join(self, lockspace: Lockspace, host_id: int, *, wait: bool = True) -> None:
        joined = self._joined.get(lockspace.domain)
        if joined is not None:
            if joined[0] != host_id:
                raise HostIdTaken(lockspace, host_id, f"this agent is in it as {joined[0]}")
            return
        self._joined[lockspace.domain] = (host_id, LockedFile(_lock(lockspace, host_id)))
        self._left[lockspace.domain] = asyncio.Event()

    async def leave(self, lockspace: Lockspace, host_id: int) -> None:
        joined = self._joined.pop(lockspace.domain, None)
        if joined is None:
            return
        self._drop_leases(lockspace.domain)
        self._left.pop(lockspace.domain).set()
        joined[1].close()

    async def state(self, lockspace: Lockspace) -> HostIdState:
        return HostIdState.HELD if lockspace.domain in self._joined else HostIdState.FREE

    async def acquire(self, resource: Resource, host_id: int) -> None:
        joined = self._joined.get(resource.lockspace.domain)
        if joined is None:
            raise LockspaceLost(resource.lockspace, "it was not joined")
        if joined[0] != host_id:
            raise AcquireFailed(resource, f"this host is in the lockspace as {joined[0]}, not {host_id}")
        key = _key(resource)
        if key not in self._held:
            self._versions[key] += 1
            self._held[key] = Owner(host_id, self._versions[key])

    async def release(self, resource: Resource) -> None:
        self._held.pop(_key(resource), None)

    def has(self, resource: Resource) -> bool:
        return _key(resource) in self._held

    async def owner(self, resource: Resource) -> Owner | None:
        return self._held.get(_key(resource))

    async def version(self, resource: Resource) -> int:
        return self._versions[_key(resource)]

    async def renews(self, lockspace: Lockspace, host_id: int) -> bool | None:
        return None  # other hosts are out of sight

    async def lost(self, lockspace: Lockspace) -> str:
        left = self._left.get(lockspace.domain)
        if left is None:
            return "this agent has not joined"
        await left.wait()
        return "this agent has left"

    def tie(self, lockspace: Lockspace) -> Tie | None:
        joined = self._joined.get(lockspace.domain)
        return joined[1] if joined else None

    async def found(self, lockspace: Lockspace, place: LeasePlace) -> Found | None:
        return None

    async def clear(self, lockspace: Lockspace, place: LeasePlace) -> None: ...

    async def read_note(self, resource: Resource) -> bytes:
        raise NoteFailed(resource, "local domains keep no notes")

    async def write_note(self, resource: Resource, note: bytes) -> None:
        raise NoteFailed(resource, "local domains keep no notes")

    async def close(self) -> None:
        for domain, (_, file) in self._joined.items():
            self._drop_leases(domain)
            self._left[domain].set()
            file.close()
        self._joined.clear()
        self._left.clear()

    def _drop_leases(self, domain: DomainId) -> None:
        for key in [key for key in self._held if key[0] == domain]:
            del self._held[key]


def _key(resource: Resource) -> tuple[DomainId, str]:
    return resource.lockspace.domain, resource.name


def _lock(lockspace: Lockspace, host_id: int) -> int:
    # Two calls on a local disk that never wait for a lock: no thread for them.
    path = lockspace.place.path
    if path.is_relative_to("/dev"):
        path = PurePosixPath(os.path.realpath(path))  # of a logical volume: the link is that of udev
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise LockspaceLost(lockspace, f"{lockspace.place.path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise LockspaceLost(lockspace, f"{lockspace.place.path} cannot be locked: {error.strerror}") from error
        why = "another agent of this machine, or a process that it left behind, uses the domain"
        raise HostIdTaken(lockspace, host_id, why) from error
    return descriptor
