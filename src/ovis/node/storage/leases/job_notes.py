"""What a lease keeps of the job that it protects: JSON of at most 512 bytes, with the API's names.

    {"type": "JOB", "generation": 0, "job_id": "...", "job_status": "PENDING",
     "created": 1700000000, "modified": 1700000000, "host_hardware_id": "..."}

A job checks and changes it while it holds the lease. Who fences the job does, too: a job that comes later, or comes
back, finds another status and generation and stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from ovis.client import codec
from ovis.client.types import JobMetadata, JobStatus, LeaseMetadata
from ovis.node.storage.leases.errors import GenerationMismatch, JobStatusMismatch, NoteFailed
from ovis.node.storage.leases.held import held

if TYPE_CHECKING:
    from ovis.node.storage.leases.interface import Locks, Resource


def first(given: LeaseMetadata, *, now: float, hardware_id: str) -> JobMetadata:
    """What a new lease keeps."""
    job = cast("JobMetadata", given)
    return msgspec.structs.replace(job, created=int(now), modified=int(now), host_hardware_id=hardware_id)


def write(job: JobMetadata) -> bytes:
    return codec.encode_value(job)


def read(resource: Resource, note: bytes) -> JobMetadata | None:
    """None: nothing was ever written. Raises NoteFailed."""
    if not note:
        return None
    try:
        return cast("JobMetadata", codec.decode_value(JobMetadata, note))
    except (msgspec.MsgspecError, ValueError) as error:
        raise NoteFailed(resource, f"is no record of a job: {error}") from error


async def fence(
    locks: Locks, resource: Resource, host_id: int, believed: LeaseMetadata, *, now: float, hardware_id: str
) -> None:
    """Bar the job from going on. Raises LeaseHeld while its host has the lease; GenerationMismatch, JobStatusMismatch,
    NoteFailed when the record is not the one that the caller believes in: nothing was changed."""
    wanted = cast("JobMetadata", believed)
    async with held(locks, resource, host_id):
        found = read(resource, await locks.read_note(resource))
        if found is None or found.job_id != wanted.job_id:
            raise JobStatusMismatch(f"lease {resource.name}", wanted=_of(wanted), found=_of(found))
        if found.generation != wanted.generation:
            raise GenerationMismatch(f"lease {resource.name}", wanted=wanted.generation, found=found.generation)
        if found.job_status is not JobStatus.PENDING or wanted.job_status is not JobStatus.PENDING:
            raise JobStatusMismatch(f"job {found.job_id}", wanted="PENDING", found=found.job_status.value)
        fenced = msgspec.structs.replace(
            found,
            job_status=JobStatus.FENCED,
            generation=found.generation + 1,
            modified=int(now),
            host_hardware_id=hardware_id,
        )
        await locks.write_note(resource, write(fenced))


def _of(job: JobMetadata | None) -> str:
    return f"that of job {job.job_id}" if job else "that of no job"
