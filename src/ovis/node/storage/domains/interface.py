"""A storage domain on this host: a folder on a mounted file system or an LVM volume group, behind one interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.repository import DomainPaths
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.leases.interface import Locks, Lockspace
from ovis.node.storage.volumes.store import LeasePlace, VolumeStore


@dataclass(frozen=True)
class DomainSpace:
    """Bytes. `metadata_total` and `metadata_free`: LVM's own metadata area on block domains, None on file domains."""

    total: int
    free: int
    metadata_total: int | None = None
    metadata_free: int | None = None
    metadata_is_valid: bool = True


class Domain(Protocol):
    """What is read here is read from storage, unless said otherwise; nothing is remembered between calls but `id`,
    `paths`, `version` and `lockspace`, which do not change while the domain is there (an upgrade makes a new object).
    """

    @property
    def id(self) -> DomainId: ...

    @property
    def version(self) -> int: ...

    @property
    def paths(self) -> DomainPaths: ...

    @property
    def io(self) -> FileIo: ...

    @property
    def store(self) -> VolumeStore: ...

    @property
    def locks(self) -> Locks: ...

    @property
    def lockspace(self) -> Lockspace: ...

    @property
    def is_block(self) -> bool: ...

    async def read_record(self) -> DomainRecord: ...

    async def write_record(self, record: DomainRecord) -> None:
        """Old or new after a crash; nothing is answered before it is on storage."""

    async def space(self) -> DomainSpace: ...

    async def check_path(self) -> float:
        """Seconds that one direct read of the metadata took, through a process of this domain."""

    async def open_master(self) -> None:
        """Make master/{tasks,vms} reachable (block domains mount the LV `master`). Only the SPM may. Repeatable."""

    async def close_master(self) -> None: ...

    def special(self, name: str) -> LeasePlace:
        """Where `ids`, `leases`, `xleases`, `inbox` or `outbox` lies: a file, or the device of a logical volume."""

    async def close(self) -> None:
        """Let go of processes and active logical volumes of this host; the domain itself is not touched."""
