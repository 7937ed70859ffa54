"""What can go wrong with locks.

LeaseError
├── HostIdTaken           another host has this host id
├── LockspaceLost         the host id is not held, or not any more
├── LeaveFailed           the host id could not be given back
├── AcquireFailed         the lease was not taken, for another reason than the next
├── LeaseHeld             another host, or another process of this one, has the lease
├── LeaseLost             it was held, and cannot be trusted any more: the work under it was stopped
├── ReleaseFailed         it may still be held
├── FormatFailed          a lockspace or a lease could not be written
├── NotALease             what lies there is no lease, or one with another name
├── NoteFailed            the bytes kept with a lease could not be read or written
├── LocksNotResponding    sanlock does not run or does not answer; what was asked may still happen
├── NoSuchLease, LeaseExists, IndexUnusable      leases of VMs (external.py)
└── GenerationMismatch, JobStatusMismatch        the state found under the lease is not the one expected
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.storage.errors import StorageError

if TYPE_CHECKING:
    from ovis.node.storage.leases.interface import Lockspace, Owner, Resource


class LeaseError(StorageError):
    wire_name = "SanlockInquireError"


class HostIdTaken(LeaseError):
    wire_name = "AcquireHostIdFailure"

    def __init__(self, lockspace: Lockspace, host_id: int, why: str) -> None:
        super().__init__(f"host id {host_id} of storage domain {lockspace.domain} cannot be taken: {why}")
        self.host_id = host_id


class LockspaceLost(LeaseError):
    wire_name = "AcquireHostIdFailure"

    def __init__(self, lockspace: Lockspace, why: str) -> None:
        super().__init__(f"this host has no host id in storage domain {lockspace.domain}: {why}")


class LeaveFailed(LeaseError):
    wire_name = "ReleaseHostIdFailure"

    def __init__(self, lockspace: Lockspace, host_id: int, why: str) -> None:
        super().__init__(f"host id {host_id} of storage domain {lockspace.domain} was not given back: {why}")


class LeaseHeld(LeaseError):
    """Nothing was changed. `owner` None: somebody has it, but who could not be read."""

    wire_name = "AcquireLockFailure"

    def __init__(self, resource: Resource, owner: Owner | None, why: str = "") -> None:
        whom = f"host {owner.host_id} (version {owner.version})" if owner else "a host that could not be read"
        tail = f": {why}" if why else ""
        super().__init__(f"lease {resource.name} of storage domain {resource.lockspace.domain} is held by {whom}{tail}")
        self.owner = owner


class AcquireFailed(LeaseError):
    wire_name = "AcquireLockFailure"

    def __init__(self, resource: Resource, why: str) -> None:
        super().__init__(f"lease {resource.name} of storage domain {resource.lockspace.domain} was not taken: {why}")


class LeaseLost(LeaseError):
    wire_name = "AcquireLockFailure"

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} was lost in the middle of the work, which was stopped: {why}")


class ReleaseFailed(LeaseError):
    wire_name = "ReleaseLockFailure"

    def __init__(self, resource: Resource, why: str) -> None:
        super().__init__(
            f"lease {resource.name} of storage domain {resource.lockspace.domain} may still be held: {why}"
        )


class FormatFailed(LeaseError):
    wire_name = "ClusterLockInitError"

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} could not be written: {why}")


class NotALease(LeaseError):
    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


class NoteFailed(LeaseError):
    wire_name = "SanlockLVBError"

    def __init__(self, resource: Resource, why: str) -> None:
        super().__init__(f"the note of lease {resource.name} of storage domain {resource.lockspace.domain}: {why}")


class LocksNotResponding(LeaseError):
    def __init__(self, why: str) -> None:
        super().__init__(f"the lock manager cannot be asked: {why}")


class InNoPool(LeaseError):
    wire_name = "StoragePoolNotConnected"

    def __init__(self) -> None:
        super().__init__("this host is in no storage pool, and has no host id to take leases with")


class NoSuchLease(LeaseError):
    wire_name = "NoSuchLease"

    def __init__(self, domain: str, lease: str) -> None:
        super().__init__(f"storage domain {domain} has no lease {lease}")
        self.domain, self.lease = domain, lease


class LeaseExists(LeaseError):
    wire_name = "InvalidParameterException"

    def __init__(self, domain: str, lease: str) -> None:
        super().__init__(f"storage domain {domain} has a lease {lease} already")
        self.domain, self.lease = domain, lease


class IndexUnusable(LeaseError):
    wire_name = "InvalidMetadata"

    def __init__(self, domain: str, why: str) -> None:
        super().__init__(f"the lease index of storage domain {domain} cannot be used: {why}; rebuild it")


class GenerationMismatch(LeaseError):
    wire_name = "GenerationMismatch"

    def __init__(self, what: str, *, wanted: int, found: int) -> None:
        super().__init__(f"{what} has generation {found}, not {wanted}: somebody changed it; nothing was done")
        self.wanted, self.found = wanted, found


class JobStatusMismatch(LeaseError):
    wire_name = "JobStatusMismatch"

    def __init__(self, what: str, *, wanted: str, found: str) -> None:
        super().__init__(f"{what} is {found}, not {wanted}; nothing was done")
        self.wanted, self.found = wanted, found
