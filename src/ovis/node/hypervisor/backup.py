"""Backups that QEMU offers for reading, and the checkpoints that say since when a disk changed.

Both are described in libvirt's XML (domainbackup, domaincheckpoint): `vm/backup/description.py` writes it. libvirt ends
a domain's backup with the domain, and forgets the checkpoints of a transient one with it; their bitmaps stay in the
disks.
"""

from __future__ import annotations

from typing import Protocol


class Backups(Protocol):
    async def begin(
        self,
        domain_id: str,
        backup: str,
        checkpoint: str | None,
        *,
        reuse_scratch: bool = False,
        deadline: float | None = None,
    ) -> None:
        """Offer the disks as they are in this moment. `reuse_scratch`: the scratch files exist and are formatted.

        Raises OperationRefused, OperationFailed: no backup runs, no checkpoint was made.
        """
        ...

    async def running(self, domain_id: str, *, deadline: float | None = None) -> str | None:
        """The description of the backup that runs, with what libvirt has filled in; None: none runs."""
        ...

    async def end(self, domain_id: str, *, deadline: float | None = None) -> None:
        """End it; on return nothing is offered any more. Safe to repeat. Raises DeadlineExceeded."""
        ...

    async def checkpoints(self, domain_id: str, *, deadline: float | None = None) -> list[str]:
        """Names, parents before their children."""
        ...

    async def checkpoint(self, domain_id: str, name: str, *, deadline: float | None = None) -> str | None:
        """Its description without the domain's; None: there is no such checkpoint."""
        ...

    async def redefine(self, domain_id: str, checkpoint: str, *, deadline: float | None = None) -> None:
        """Let libvirt know a checkpoint again whose bitmaps are in the disks. Safe to repeat.

        Raises CheckpointBroken when they are not.
        """
        ...

    async def delete(
        self, domain_id: str, name: str, *, keeps_bitmaps: bool = False, deadline: float | None = None
    ) -> None:
        """Its changes count for its parent from now on. Safe to repeat. Raises CheckpointBroken."""
        ...
