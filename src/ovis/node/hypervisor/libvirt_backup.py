"""Backups and checkpoints on libvirt.

Source: libvirt virDomainBackupBegin, virDomainCheckpointCreateXML; error numbers of virterror.h.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libvirt

from ovis.node.hypervisor.errors import CheckpointBroken, DeadlineExceeded

if TYPE_CHECKING:
    from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor

POOL = "slow"
BEGIN = 90.0  # formats a scratch file for each disk
END = 30.0
LOOK_EVERY = 0.02


class LibvirtBackups:
    def __init__(self, driver: LibvirtHypervisor) -> None:
        self._driver = driver

    async def begin(
        self,
        domain_id: str,
        backup: str,
        checkpoint: str | None,
        *,
        reuse_scratch: bool = False,
        deadline: float | None = None,
    ) -> None:
        flags = libvirt.VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL if reuse_scratch else 0

        def work(domain: libvirt.virDomain) -> None:
            with _told_apart():
                domain.backupBegin(backup, checkpoint, flags)

        await self._driver.on_domain(POOL, "begin backup", domain_id, work, deadline or BEGIN)

    async def running(self, domain_id: str, *, deadline: float | None = None) -> str | None:
        return await self._driver.on_domain("query", "backup", domain_id, _running, deadline)

    async def end(self, domain_id: str, *, deadline: float | None = None) -> None:
        seconds = deadline or END

        def work(domain: libvirt.virDomain) -> None:
            # libvirt answers before the job is over, and a new backup would be refused until then.
            until = time.monotonic() + seconds - 1
            asked = False
            while _is_running(domain):
                if not asked:
                    domain.abortJob()
                    asked = True
                if time.monotonic() > until:
                    raise DeadlineExceeded("end backup", seconds, started=True, domain_id=domain_id)
                time.sleep(LOOK_EVERY)

        await self._driver.on_domain(POOL, "end backup", domain_id, work, seconds)

    async def checkpoints(self, domain_id: str, *, deadline: float | None = None) -> list[str]:
        def work(domain: libvirt.virDomain) -> list[str]:
            found = domain.listAllCheckpoints(libvirt.VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL)
            return [checkpoint.getName() for checkpoint in found]

        return await self._driver.on_domain("query", "checkpoints", domain_id, work, deadline)

    async def checkpoint(self, domain_id: str, name: str, *, deadline: float | None = None) -> str | None:
        def work(domain: libvirt.virDomain) -> str | None:
            found = _find(domain, name)
            return None if found is None else found.getXMLDesc(libvirt.VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN)

        return await self._driver.on_domain("query", "checkpoint", domain_id, work, deadline)

    async def redefine(self, domain_id: str, checkpoint: str, *, deadline: float | None = None) -> None:
        flags = libvirt.VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE | libvirt.VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE

        def work(domain: libvirt.virDomain) -> None:
            with _told_apart():
                domain.checkpointCreateXML(checkpoint, flags)

        await self._driver.on_domain(POOL, "redefine checkpoint", domain_id, work, deadline)

    async def delete(
        self, domain_id: str, name: str, *, keeps_bitmaps: bool = False, deadline: float | None = None
    ) -> None:
        flags = libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY if keeps_bitmaps else 0

        def work(domain: libvirt.virDomain) -> None:
            found = _find(domain, name)
            if found is not None:
                with _told_apart():
                    found.delete(flags)

        await self._driver.on_domain(POOL, "delete checkpoint", domain_id, work, deadline)


def _is_running(domain: libvirt.virDomain) -> bool:
    """Another job of the domain, such as a migration, is none of ours and must not be aborted."""
    return domain.jobStats(0).get("operation") == libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP


def _running(domain: libvirt.virDomain) -> str | None:
    try:
        return domain.backupGetXMLDesc(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_BACKUP:
            return None
        raise


def _find(domain: libvirt.virDomain, name: str) -> libvirt.virDomainCheckpoint | None:
    try:
        return domain.checkpointLookupByName(name, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_CHECKPOINT:
            return None
        raise


@contextlib.contextmanager
def _told_apart() -> Iterator[None]:
    """A checkpoint that does not fit the disks has an error number of its own."""
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_CHECKPOINT_INCONSISTENT:
            raise CheckpointBroken(error.get_error_message() or str(error)) from error
        raise
