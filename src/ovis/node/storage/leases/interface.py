"""The lock of a domain: host ids and resources, whoever implements them (sanlock, this process alone, a simulation).

A host that has a host id in a domain's lockspace renews it all the time. A resource is held by a host, not by a task:
tasks of one host exclude each other before they ask (volumes/, pool/). Once a lease or the storage under it is lost the
holder's writers are stopped by force before another host can get it; that is what `lost` is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.volumes.store import LeasePlace

NOTE_BYTES = 512


class HostIdState(Enum):
    """`JOINING` takes a while (21 s with sanlock's usual timeouts)."""

    FREE = "free"
    JOINING = "joining"
    HELD = "held"
    LEAVING = "leaving"


@dataclass(frozen=True)
class Lockspace:
    """`place`: the domain's `ids`."""

    domain: DomainId
    place: LeasePlace
    geometry: Geometry


@dataclass(frozen=True)
class Resource:
    """One lease: its name within the lockspace, and where it lies."""

    lockspace: Lockspace
    name: str
    place: LeasePlace


@dataclass(frozen=True)
class Owner:
    """`version` grows each time the lease is taken."""

    host_id: int
    version: int


@dataclass(frozen=True)
class Found:
    """The lease that lies at a place, whoever holds it."""

    lockspace: str
    name: str


class Tie(Protocol):
    """What keeps the leases of one lockspace held: an open file of this host. A process that inherits it keeps them
    held as long as it lives, even when the agent is gone; and it is found by it when it must be ended (holder.py)."""

    @property
    def is_open(self) -> bool: ...

    @property
    def holder(self) -> int:
        """The process whose end is the end of the leases; 0: there is none, the file itself is the lock."""

    def fileno(self) -> int:
        """For `pass_fds`. Only while `is_open`."""

    def keep(self) -> None:
        """Leases that depend on it are not released one by one any more: a writer that has it does not end."""


class Locks(Protocol):
    """Errors are those of leases/errors.py. All calls may be repeated."""

    async def format_lockspace(self, lockspace: Lockspace) -> None: ...

    async def format_resource(self, resource: Resource) -> None:
        """Write a free lease. The caller knows that nobody holds the old one."""

    async def join(self, lockspace: Lockspace, host_id: int, *, wait: bool = True) -> None:
        """Take the host id. Raises HostIdTaken, LockspaceLost. Sanlock looks for 8 io timeouts and 60 s (140 s)
        whether another host renews it, before it says that one has it, or takes it over from a dead one."""

    async def leave(self, lockspace: Lockspace, host_id: int) -> None: ...

    async def state(self, lockspace: Lockspace) -> HostIdState: ...

    async def acquire(self, resource: Resource, host_id: int) -> None:
        """Raises LeaseHeld (with its Owner) at once when another host has it; nothing waits for it."""

    async def release(self, resource: Resource) -> None: ...

    def has(self, resource: Resource) -> bool:
        """Whether this agent took it and has not given it back; from memory."""

    async def owner(self, resource: Resource) -> Owner | None:
        """Read from storage."""

    async def version(self, resource: Resource) -> int:
        """How often the lease was taken so far, held or not. Read from storage."""

    async def renews(self, lockspace: Lockspace, host_id: int) -> bool | None:
        """Whether some host renews that host id. None: nobody knows, as this host has not watched it for long enough
        (it must be in the lockspace itself)."""

    async def lost(self, lockspace: Lockspace) -> str:
        """Return, with the reason, once this host's id in the lockspace cannot be trusted any more."""

    def tie(self, lockspace: Lockspace) -> Tie | None:
        """For processes that write under a lease of this lockspace. None: there is nothing that they could inherit."""

    async def found(self, lockspace: Lockspace, place: LeasePlace) -> Found | None:
        """What was formatted at a place; None: nothing, or it was cleared. Read from storage."""

    async def clear(self, lockspace: Lockspace, place: LeasePlace) -> None:
        """Leave no lease at the place. The caller knows that nobody holds the one that was there."""

    async def read_note(self, resource: Resource) -> bytes:
        """The bytes kept with a lease that this host holds, without the zeros behind them. Raises NoteFailed."""

    async def write_note(self, resource: Resource, note: bytes) -> None:
        """At most NOTE_BYTES, into a lease that this host holds. On storage when the lease is released at the latest.
        Raises NoteFailed."""

    async def close(self) -> None:
        """Let go of every lease and of everything local. Host ids stay: VMs may depend on them."""
