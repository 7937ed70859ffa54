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


class Locks(Protocol):
    """Errors are those of leases/errors.py. All calls may be repeated."""

    async def format_lockspace(self, lockspace: Lockspace) -> None: ...

    async def format_resource(self, resource: Resource) -> None:
        """Write a free lease. The caller knows that nobody holds the old one."""

    async def join(self, lockspace: Lockspace, host_id: int, *, wait: bool = True) -> None:
        """Take the host id. Raises HostIdTaken, LockspaceLost."""

    async def leave(self, lockspace: Lockspace, host_id: int) -> None: ...

    async def state(self, lockspace: Lockspace) -> HostIdState: ...

    async def acquire(self, resource: Resource, host_id: int) -> None:
        """Raises LeaseHeld (with its Owner) at once when another host has it; nothing waits for it."""

    async def release(self, resource: Resource) -> None: ...

    async def owner(self, resource: Resource) -> Owner | None:
        """Read from storage."""

    async def lost(self, lockspace: Lockspace) -> str:
        """Return, with the reason, once this host's id in the lockspace cannot be trusted any more."""
