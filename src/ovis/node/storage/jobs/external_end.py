"""An end of a copy that lies outside of storage domains: a managed block volume, a file served by NBD.

What guards it is a lease of its own (`xleases`), whose note says for which job it was made. The copy takes the lease,
finds the note PENDING with its own id and generation, and leaves SUCCEEDED or FAILED and the next generation there.
After a crash it stays PENDING until the caller fences the job.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import JobStatus
from ovis.node.errors import BadParameter
from ovis.node.storage.formats.identifiers import DomainId, LeaseId
from ovis.node.storage.leases import job_notes
from ovis.node.storage.leases.errors import GenerationMismatch, JobStatusMismatch
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.held import held
from ovis.node.storage.volumes.qemu_img import QCOW2, RAW, Disk

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

FORMATS = {"raw": RAW, "cow": QCOW2}
# No driver that opens other files on this host's behalf (json:, data:, fat: ...).
_ADDRESS = re.compile(r"(nbd:unix:/|nbd:[\w.\-\[]|nbd://|nbd\+unix://|rbd:|/)[\x21-\x7e]*", re.ASCII)


@dataclass(frozen=True)
class ExternalEnd:
    """`is_zero`: its caller promises that the target reads as zeros."""

    url: str
    format: str
    domain: DomainId
    lease: LeaseId
    generation: int
    create: bool = True
    is_zero: bool = False

    @property
    def disk(self) -> Disk:
        return Disk(self.url, FORMATS[self.format])


def check(field: str, end: ExternalEnd) -> None:
    """Raises BadParameter."""
    if end.format not in FORMATS:
        raise BadParameter(f"{field}.format", f"{end.format!r} is neither raw nor cow")
    if not _ADDRESS.fullmatch(end.url) or "/../" in end.url:
        raise BadParameter(f"{field}.url", "is neither a path nor an address of NBD or RBD")


@asynccontextmanager
async def working_on(
    storage: Storage, host_id: int, end: ExternalEnd, *, job_id: str, now: float
) -> AsyncIterator[None]:
    """Raises NoSuchLease, LeaseHeld, JobStatusMismatch, GenerationMismatch; LeaseLost: the work was ended."""
    domain = await storage.domain(end.domain)
    resource = await ExternalLeases(domain).find(end.lease)
    async with held(domain.locks, resource, host_id):
        found = job_notes.read(resource, await domain.locks.read_note(resource))
        if found is None or found.job_id.lower() != job_id:
            raise JobStatusMismatch(f"lease {end.lease}", wanted=f"that of job {job_id}", found="another one's")
        if found.job_status is not JobStatus.PENDING:
            raise JobStatusMismatch(f"job {job_id}", wanted=JobStatus.PENDING, found=found.job_status.value)
        if found.generation != end.generation:
            raise GenerationMismatch(f"lease {end.lease}", wanted=end.generation, found=found.generation)
        status = JobStatus.FAILED
        try:
            yield
            status = JobStatus.SUCCEEDED
        finally:
            ended = msgspec.structs.replace(
                found, job_status=status, generation=found.generation + 1, modified=int(now)
            )
            await domain.locks.write_note(resource, job_notes.write(ended))
