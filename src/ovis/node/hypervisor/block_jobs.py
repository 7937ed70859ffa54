"""What QEMU does to the chains of a running domain's disks: new layers, merges, mirrors, sizes.

A disk is named by its target (vda), a layer of its chain by the `index` that libvirt shows in the live description.
Long work runs in QEMU as the disk's one block job; its end is told by the event `BlockJob`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class NewLayer:
    """The file that takes the writes of `disk` from now on; it exists, its backing file is the present layer."""

    disk: str
    path: str
    format: str = "qcow2"
    is_block: bool = False


@dataclass(frozen=True)
class BlockJobState:
    """kind: as in the event `BlockJob`. `cur` is comparable with `end` only; `bandwidth` in bytes/s, 0: no limit."""

    kind: str
    cur: int
    end: int
    bandwidth: int = 0


@dataclass(frozen=True)
class DiskSize:
    """In bytes: what the guest sees, what is used of file or device, how long that is."""

    capacity: int
    allocation: int
    physical: int


class BlockJobs(Protocol):
    async def snapshot(
        self, domain_id: str, layers: Sequence[NewLayer], *, memory: str | None = None, deadline: float | None = None
    ) -> None:
        """Put a layer on top of each named disk, all in one moment or none. `memory`: file for the guest's memory.

        Raises OperationRefused, OperationFailed: the old chains are in use. After DeadlineExceeded with `started` it
        may happen later: read the description again.
        """
        ...

    async def cancel_snapshot(self, domain_id: str, *, deadline: float | None = None) -> None:
        """Give up one that still writes memory. Safe to repeat."""
        ...

    async def commit(
        self,
        domain_id: str,
        disk: str,
        *,
        base: int,
        top: int,
        is_active: bool,
        bandwidth: int = 0,
        relative: bool = False,
        deadline: float | None = None,
    ) -> None:
        """Begin to write the data of `top` and everything above `base` down into `base` (indexes of layers).

        `is_active`: top is the layer in use; such a job gets ready and then waits for `pivot` or `cancel`. `relative`:
        the layer above `top` names its backing file by a relative path, and shall go on doing so.
        """
        ...

    async def copy(
        self,
        domain_id: str,
        disk: str,
        to: NewLayer,
        *,
        is_shallow: bool,
        bandwidth: int = 0,
        deadline: float | None = None,
    ) -> None:
        """Begin to mirror the disk to an existing file. `is_shallow`: its top layer only; gets ready, then waits."""
        ...

    async def job(self, domain_id: str, disk: str, *, deadline: float | None = None) -> BlockJobState | None:
        """The disk's job; None: there is none."""
        ...

    async def pivot(self, domain_id: str, disk: str, *, deadline: float | None = None) -> None:
        """End a job that is ready; the guest goes on on its destination. Raises DomainBusy when it is not ready."""
        ...

    async def cancel(self, domain_id: str, disk: str, *, deadline: float | None = None) -> None:
        """End the disk's job; the guest stays where it is. Safe to repeat."""
        ...

    async def resize(self, domain_id: str, disk: str, size: int, *, deadline: float | None = None) -> None:
        """Let the guest see `size` bytes; grows the file where it has to."""
        ...

    async def size(self, domain_id: str, disk: str, *, deadline: float | None = None) -> DiskSize: ...

    async def watch(self, domain_id: str, disk: str, threshold: int, *, deadline: float | None = None) -> None:
        """Tell by the event `BlockThreshold` once, when a write passes that byte of the top layer's file or device."""
        ...
