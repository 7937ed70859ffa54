"""Several hosts over one simulated shared storage, in one process: the rules of sanlock without its waiting times.

    storage = SharedLeases()
    one, other = storage.host("one"), storage.host("other")

A host whose host id is lost (`lose`) is trusted by nobody, itself included; its leases stay taken until the others may
believe that it is dead (`dead_after` on `storage.clock`, moved by `advance`), or until it joins again: sanlock gives it
a new generation then, and what the old one held is free. `die` is the end of a host: it renews nothing any more and
its calls fail. `storage.fail_next("acquire")` makes the next call of that name fail once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.leases.errors import (
    AcquireFailed,
    HostIdTaken,
    LeaseHeld,
    LocksNotResponding,
    LockspaceLost,
    NotALease,
    NoteFailed,
)
from ovis.node.storage.leases.interface import (
    NOTE_BYTES,
    Found,
    HostIdState,
    Lockspace,
    Owner,
    Resource,
    Tie,
)
from ovis.node.storage.volumes.store import LeasePlace

Spot = tuple[PurePosixPath, int]


@dataclass
class _Lease:
    found: Found
    version: int = 0
    holder: _Membership | None = None
    note: bytes = b""


@dataclass(eq=False)
class _Membership:
    """One stay of a host in a lockspace; a second one is a new generation. `silent_since`: None while it renews."""

    host: str
    host_id: int
    silent_since: float | None = None
    has_left: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""


class SharedLeases:
    def __init__(self, *, dead_after: float = 140.0) -> None:
        self.clock = 0.0
        self.dead_after = dead_after
        self.slow_joins = False
        """Joining takes until `finish_joins`."""
        self._lockspaces: dict[DomainId, dict[int, _Membership]] = {}
        self._leases: dict[Spot, _Lease] = {}
        self._failing: dict[str, int] = {}
        self._joins = asyncio.Event()

    def host(self, name: str) -> SimulatedLocks:
        return SimulatedLocks(self, name)

    def advance(self, seconds: float) -> None:
        self.clock += seconds

    def finish_joins(self) -> None:
        self.slow_joins = False
        self._joins.set()

    def fail_next(self, call: str, *, times: int = 1) -> None:
        self._failing[call] = times

    def check(self, call: str) -> None:
        if self._failing.get(call, 0) > 0:
            self._failing[call] -= 1
            raise LocksNotResponding(f"{call} was made to fail")

    async def joined(self) -> None:
        if self.slow_joins:
            await self._joins.wait()

    def members(self, lockspace: Lockspace) -> dict[int, _Membership]:
        if lockspace.domain not in self._lockspaces:
            raise NotALease(f"lockspace of {lockspace.domain}", "it was never formatted")
        return self._lockspaces[lockspace.domain]

    def is_dead(self, member: _Membership) -> bool:
        silent = member.silent_since
        return member.has_left or (silent is not None and self.clock - silent >= self.dead_after)

    def format(self, lockspace: Lockspace) -> None:
        self._lockspaces[lockspace.domain] = {}

    def put(self, place: LeasePlace, found: Found | None) -> None:
        spot = (place.path, place.offset)
        if found is None:
            self._leases.pop(spot, None)
        else:
            self._leases[spot] = _Lease(found)

    def at(self, place: LeasePlace) -> _Lease | None:
        return self._leases.get((place.path, place.offset))

    def lease(self, resource: Resource) -> _Lease:
        lease = self.at(resource.place)
        if lease is None or lease.found != Found(resource.lockspace.domain, resource.name):
            what = f"lease {resource.name} at {resource.place.path}:{resource.place.offset}"
            raise NotALease(what, f"found there: {lease.found if lease else 'nothing'}")
        if lease.holder is not None and self.is_dead(lease.holder):
            lease.holder = None
        return lease

    def let_go(self, member: _Membership) -> None:
        for lease in self._leases.values():
            if lease.holder is member:
                lease.holder = None


class SimulatedLocks:
    """The Locks of one host."""

    def __init__(self, storage: SharedLeases, host: str) -> None:
        self._storage = storage
        self._host = host
        self._joined: dict[DomainId, _Membership] = {}
        self._joining: set[DomainId] = set()
        self.is_dead = False

    def lose(self, lockspace: Lockspace, reason: str = "its host id could not be renewed") -> None:
        """The storage of one domain is gone for this host."""
        member = self._joined.pop(lockspace.domain)
        member.silent_since = self._storage.clock
        member.reason = reason
        member.lost.set()

    def die(self) -> None:
        """As a power cut: nobody is told."""
        self.is_dead = True
        for member in self._joined.values():
            member.silent_since = self._storage.clock

    async def format_lockspace(self, lockspace: Lockspace) -> None:
        self._enter("format_lockspace")
        self._storage.format(lockspace)

    async def format_resource(self, resource: Resource) -> None:
        self._enter("format_resource")
        self._storage.put(resource.place, Found(resource.lockspace.domain, resource.name))

    async def join(self, lockspace: Lockspace, host_id: int, *, wait: bool = True) -> None:
        self._enter("join")
        current = self._joined.get(lockspace.domain)
        if current is not None:
            if current.host_id != host_id:
                raise HostIdTaken(lockspace, host_id, f"this host is in it as {current.host_id}")
            return
        self._joining.add(lockspace.domain)
        if wait:
            await self._finish_join(lockspace, host_id)
        elif self._storage.slow_joins:
            self._late = asyncio.ensure_future(self._finish_join(lockspace, host_id))
        else:
            await self._finish_join(lockspace, host_id)

    async def _finish_join(self, lockspace: Lockspace, host_id: int) -> None:
        try:
            await self._storage.joined()
            members = self._storage.members(lockspace)
            there = members.get(host_id)
            if there is not None and not self._storage.is_dead(there) and there.host != self._host:
                raise HostIdTaken(lockspace, host_id, "another host renews it")
            if there is not None:
                self._storage.let_go(there)
            members[host_id] = self._joined[lockspace.domain] = _Membership(self._host, host_id)
        finally:
            self._joining.discard(lockspace.domain)

    async def leave(self, lockspace: Lockspace, host_id: int) -> None:
        self._enter("leave")
        member = self._joined.pop(lockspace.domain, None)
        if member is not None:
            member.has_left = True
            member.reason = "this host has left"
            member.lost.set()
            self._storage.let_go(member)

    async def state(self, lockspace: Lockspace) -> HostIdState:
        self._enter("state")
        if lockspace.domain in self._joining:
            return HostIdState.JOINING
        return HostIdState.HELD if lockspace.domain in self._joined else HostIdState.FREE

    async def acquire(self, resource: Resource, host_id: int) -> None:
        self._enter("acquire")
        member = self._member(resource.lockspace)
        if member.host_id != host_id:
            raise AcquireFailed(resource, f"this host is in the lockspace as {member.host_id}, not {host_id}")
        lease = self._storage.lease(resource)
        if lease.holder is member:
            return
        if lease.holder is not None:
            raise LeaseHeld(resource, Owner(lease.holder.host_id, lease.version))
        lease.holder = member
        lease.version += 1

    async def release(self, resource: Resource) -> None:
        self._enter("release")
        member = self._joined.get(resource.lockspace.domain)
        lease = self._storage.at(resource.place)
        if lease is not None and member is not None and lease.holder is member:
            lease.holder = None

    def has(self, resource: Resource) -> bool:
        member, lease = self._joined.get(resource.lockspace.domain), self._storage.at(resource.place)
        return member is not None and lease is not None and lease.holder is member

    async def owner(self, resource: Resource) -> Owner | None:
        self._enter("owner")
        lease = self._storage.lease(resource)
        return Owner(lease.holder.host_id, lease.version) if lease.holder else None

    async def version(self, resource: Resource) -> int:
        self._enter("version")
        return self._storage.lease(resource).version

    async def renews(self, lockspace: Lockspace, host_id: int) -> bool | None:
        self._enter("renews")
        if lockspace.domain not in self._joined:
            return None
        member = self._storage.members(lockspace).get(host_id)
        return member is not None and not member.has_left and member.silent_since is None

    async def lost(self, lockspace: Lockspace) -> str:
        member = self._joined.get(lockspace.domain)
        if member is None:
            return "this host has no host id there"
        await member.lost.wait()
        return member.reason

    def tie(self, lockspace: Lockspace) -> Tie | None:
        return None

    async def found(self, lockspace: Lockspace, place: LeasePlace) -> Found | None:
        self._enter("found")
        lease = self._storage.at(place)
        return replace(lease.found) if lease else None

    async def clear(self, lockspace: Lockspace, place: LeasePlace) -> None:
        self._enter("clear")
        self._storage.put(place, None)

    async def read_note(self, resource: Resource) -> bytes:
        self._enter("read_note")
        return self._held(resource).note

    async def write_note(self, resource: Resource, note: bytes) -> None:
        self._enter("write_note")
        if len(note) > NOTE_BYTES:
            raise NoteFailed(resource, f"{len(note)} bytes, there is room for {NOTE_BYTES}")
        self._held(resource).note = note.rstrip(b"\0")

    async def close(self) -> None:
        for member in self._joined.values():
            self._storage.let_go(member)

    def _held(self, resource: Resource) -> _Lease:
        lease = self._storage.lease(resource)
        if lease.holder is not self._member(resource.lockspace):
            raise NoteFailed(resource, "this host does not hold it")
        return lease

    def _member(self, lockspace: Lockspace) -> _Membership:
        member = self._joined.get(lockspace.domain)
        if member is None:
            raise LockspaceLost(lockspace, "it never joined, or lost it")
        return member

    def _enter(self, call: str) -> None:
        if self.is_dead:
            raise LocksNotResponding(f"host {self._host} is dead")
        self._storage.check(call)
