"""What is going on with the disks of a VM, as it is kept in the VM's record.

It is on the disk before QEMU is asked, so that an agent that starts again knows what it may find: each kind of work
says what its steps mean. Disks are named by their target (vda), layers by their path.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Step(StrEnum):
    """BEGIN: QEMU is about to be asked. COPY: it has agreed. PIVOT: it is about to be told to change over. CHANGED: it
    has said that it did."""

    BEGIN = "begin"
    COPY = "copy"
    PIVOT = "pivot"
    CHANGED = "changed"


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """The data of `top`, and of all layers above `base`, goes down into `base`. `bandwidth` in bytes/s, 0: no limit."""

    id: str
    disk: str
    image_id: str
    base: str
    top: str
    is_active: bool
    bandwidth: int = 0
    step: Step = Step.BEGIN


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """The disk is mirrored from its layer `source` to `destination`, which is that volume of that storage domain."""

    disk: str
    source: str
    destination: str
    volume_id: str
    domain_id: str | None = None
    pool_id: str | None = None
    step: Step = Step.BEGIN


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """`layers`: the new layer of each disk. `freezes`: the guest's file systems may be frozen."""

    layers: dict[str, str]
    freezes: bool


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """`exports`: the target of each image. `scratch`: files that belong to the backup and go with it."""

    id: str
    exports: dict[str, str]
    socket: str
    scratch: tuple[str, ...] = ()
    checkpoint_id: str | None = None


class DiskWork(msgspec.Struct, frozen=True, kw_only=True):
    merges: tuple[Merge, ...] = ()
    replicas: tuple[Replica, ...] = ()
    snapshot: Snapshot | None = None
    backup: Backup | None = None

    def merge(self, job_id: str) -> Merge | None:
        return next((merge for merge in self.merges if merge.id == job_id), None)

    def replica(self, disk: str) -> Replica | None:
        return next((replica for replica in self.replicas if replica.disk == disk), None)

    def with_merge(self, merge: Merge) -> DiskWork:
        """A merge of the same id is replaced."""
        others = tuple(other for other in self.merges if other.id != merge.id)
        return msgspec.structs.replace(self, merges=(*others, merge))

    def without_merge(self, job_id: str) -> DiskWork:
        return msgspec.structs.replace(self, merges=tuple(m for m in self.merges if m.id != job_id))

    def with_replica(self, replica: Replica) -> DiskWork:
        others = tuple(other for other in self.replicas if other.disk != replica.disk)
        return msgspec.structs.replace(self, replicas=(*others, replica))

    def without_replica(self, disk: str) -> DiskWork:
        return msgspec.structs.replace(self, replicas=tuple(r for r in self.replicas if r.disk != disk))

    def holder_of(self, disk: str) -> str | None:
        """Who is at work on the disk, in words; None: nobody."""
        if self.backup is not None:
            return f"backup {self.backup.id}"
        if self.snapshot is not None:
            return "a snapshot"
        for merge in self.merges:
            if merge.disk == disk:
                return f"merge {merge.id}"
        return "a replication" if self.replica(disk) is not None else None

    @property
    def holder(self) -> str | None:
        """Who is at work on any disk: a VM whose disks are at rest has None."""
        if self.holder_of("") is not None:
            return self.holder_of("")
        if self.merges:
            return f"merge {self.merges[0].id} of {self.merges[0].disk}"
        return f"the replication of {self.replicas[0].disk}" if self.replicas else None


NOTHING = DiskWork()
