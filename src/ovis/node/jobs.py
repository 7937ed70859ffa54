"""Background jobs of the host: long work that a caller starts, follows by its id, may stop, and deletes.

    pending ──> running ──> done | failed
       └─> aborting <┘
              └──> aborted (or done, when the request came too late)

Each change is published as `|jobs|status|<id>`; progress is not. A job that has ended is forgotten an hour later,
unless it was started with `keep`: then its maker holds a result for it, and it stays until it is deleted.

A job lives in the memory of this agent. What must survive a restart is written by the job's own work: before it starts,
and before it returns, because from then on callers are told that it is done.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from enum import StrEnum

import msgspec

from ovis.client import codec
from ovis.client.types import ErrorInfo, HostJobInfo, HostJobStatus, HostJobType, JobEvent, JobEventStatus
from ovis.node.errors import NodeError
from ovis.node.wire_errors import as_node_error, code_of
from ovis.wire.events import Bus

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = 3600.0  # seconds after the end; what existing engines count on (reference/vdsm.md, 2)
KEPT = 200  # ended jobs of `keep`: beyond it the oldest one goes
CLOSING_ROUNDS, CLOSING_SECONDS = 3, 0.3  # the agent is to stop within 2 s
Work = Callable[["Job"], Awaitable[None]]


class NoSuchJob(NodeError):
    wire_name = "NoSuchJob"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id} on this host")
        self.job_id = job_id


class JobExists(NodeError):
    wire_name = "JobExists"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"a job {job_id} exists on this host already")
        self.job_id = job_id


class JobNotDone(NodeError):
    wire_name = "JobNotDone"

    def __init__(self, job_id: str, phase: str) -> None:
        super().__init__(f"job {job_id} is {phase}")
        self.job_id = job_id
        self.phase = phase


class JobNotActive(NodeError):
    wire_name = "JobNotActive"

    def __init__(self, job_id: str, phase: str) -> None:
        super().__init__(f"job {job_id} has ended already: it is {phase}")
        self.job_id = job_id
        self.phase = phase


class Phase(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    ABORTING = "aborting"
    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"


NEXT: Mapping[Phase, Collection[Phase]] = {
    Phase.PENDING: {Phase.RUNNING, Phase.ABORTING, Phase.FAILED},
    Phase.RUNNING: {Phase.DONE, Phase.FAILED, Phase.ABORTING},
    Phase.ABORTING: {Phase.ABORTED, Phase.DONE},
    Phase.DONE: (),
    Phase.FAILED: (),
    Phase.ABORTED: (),
}


class Job:
    """`description` and `percent` (0 to 100, None: unknown) may be changed by the work as it goes on."""

    def __init__(
        self, job_id: str, kind: HostJobType, description: str, *, phase: Phase = Phase.PENDING, keep: bool = False
    ) -> None:
        self.id = job_id
        self.kind = kind
        self.description = description
        self.keep = keep
        self.phase = phase
        self.percent: int | None = None
        self.error: ErrorInfo | None = None
        self.ended: float | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def is_active(self) -> bool:
        return bool(NEXT[self.phase])

    @property
    def info(self) -> HostJobInfo:
        """The API has no word for `aborting` here: such a job is still running."""
        phase = Phase.RUNNING if self.phase is Phase.ABORTING else self.phase
        return HostJobInfo(
            id=self.id,
            job_type=self.kind,
            description=self.description,
            status=HostJobStatus(phase.value),
            progress_percent=self.percent,
            error=self.error,
        )


class Jobs:
    """`monotonic`: a clock in seconds. Everything happens in the event loop."""

    def __init__(self, events: Bus, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._events = events
        self._monotonic = monotonic
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        self._forget_old()
        return iter(list(self._jobs.values()))

    def start(
        self,
        job_id: str,
        kind: HostJobType,
        description: str,
        work: Work,
        *,
        slots: asyncio.Semaphore | None = None,
        keep: bool = False,
    ) -> Job:
        """Begin `work`; it is `pending` until `slots` has room. Raises JobExists.

        `work` returns: done. It raises NodeError or an error of the hypervisor: failed, and the error is told. It is
        cancelled: aborted.
        """
        self.check_free(job_id)
        job = Job(job_id.lower(), kind, description, keep=keep)
        self._jobs[job.id] = job
        self._publish(job)
        job.task = asyncio.get_running_loop().create_task(self._run(job, work, slots), name=f"job {job.id}")
        return job

    def check_free(self, job_id: str) -> None:
        """Raises JobExists."""
        self._forget_old()
        if job_id.lower() in self._jobs:
            raise JobExists(job_id)

    def restore(self, job: Job) -> None:
        """Know a job again that ended before this agent started. Nothing is published."""
        job.ended = self._monotonic()
        self._jobs[job.id] = job

    def find(self, job_id: str) -> Job:
        """Raises NoSuchJob."""
        self._forget_old()
        job = self._jobs.get(job_id.lower())
        if job is None:
            raise NoSuchJob(job_id)
        return job

    def select(self, kind: HostJobType | None = None, ids: Collection[str] = ()) -> list[Job]:
        """Jobs of that kind (None: all) among those ids (none: all)."""
        wanted = {job_id.lower() for job_id in ids}
        return [job for job in self if kind in (None, job.kind) and (not wanted or job.id in wanted)]

    def abort(self, job_id: str) -> None:
        """Ask a job to stop; safe to repeat while it does. Raises NoSuchJob, JobNotActive."""
        job = self.find(job_id)
        if not job.is_active:
            raise JobNotActive(job_id, job.phase)
        if job.phase is not Phase.ABORTING:
            self._enter(job, Phase.ABORTING)
            assert job.task is not None
            # Not at once: a task that is cancelled before its first step never takes it, and could not tell its end.
            asyncio.get_running_loop().call_soon(job.task.cancel)

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended. Raises NoSuchJob, JobNotDone."""
        job = self.find(job_id)
        if job.is_active:
            raise JobNotDone(job_id, job.phase)
        del self._jobs[job.id]

    async def close(self) -> None:
        """Cancel what runs. Such a job does not count as aborted: nobody asked for it.

        A job that takes its time to end in good order is cancelled again, which must end it at once.
        """
        tasks = {job.task for job in self._jobs.values() if job.task is not None and not job.task.done()}
        for _ in range(CLOSING_ROUNDS):
            for task in tasks:
                task.cancel()
            if tasks:
                _, tasks = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        for task in tasks:
            log.warning("%s does not end", task.get_name())

    async def _run(self, job: Job, work: Work, slots: asyncio.Semaphore | None) -> None:
        try:
            if slots is None:
                await self._work(job, work)
            else:
                async with slots:
                    await self._work(job, work)
        except asyncio.CancelledError:
            if job.phase is not Phase.ABORTING:
                raise
            self._enter(job, Phase.ABORTED)

    async def _work(self, job: Job, work: Work) -> None:
        if job.phase is Phase.PENDING:  # else it was stopped already, and its work is told so by a cancellation
            self._enter(job, Phase.RUNNING)
        try:
            await work(job)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job has failed and its caller is told
            if job.phase is Phase.ABORTING:
                log.info("job %s: while it was stopped: %s", job.id, error)
                self._enter(job, Phase.ABORTED)
                return
            job.error = self.explain(job.id, error)
            self._enter(job, Phase.FAILED)
        else:
            self._enter(job, Phase.DONE)

    @staticmethod
    def explain(job_id: str, error: Exception) -> ErrorInfo:
        """What callers are told; an error that nobody foresaw goes to the log."""
        known = error if isinstance(error, NodeError) else as_node_error(error)
        if known is None:
            log.error("job %s failed in an unforeseen way", job_id, exc_info=error)
            return ErrorInfo(code=code_of("GeneralException"), message="failed inside the agent; see its log")
        return ErrorInfo(code=code_of(known.wire_name), message=str(known))

    def _enter(self, job: Job, phase: Phase) -> None:
        if phase not in NEXT[job.phase]:
            raise ValueError(f"a job that is {job.phase} cannot become {phase}")
        job.phase = phase
        level = logging.WARNING if phase is Phase.FAILED else logging.INFO
        log.log(level, "job %s (%s) is %s%s", job.id, job.description, phase, f": {job.error}" if job.error else "")
        if not job.is_active:
            job.ended = self._monotonic()
        self._publish(job)

    def _publish(self, job: Job) -> None:
        event = JobEvent(
            id=job.id,
            description=job.description,
            job_type=job.kind.value,
            status=JobEventStatus(job.phase.value),
            error=job.error,
        )
        members = msgspec.json.decode(codec.encode_value(event), type=dict[str, msgspec.Raw])
        self._events.publish(f"|jobs|status|{job.id}", members)

    def _forget_old(self) -> None:
        due = self._monotonic() - FORGOTTEN_AFTER
        ended = sorted((job.ended, job.id) for job in self._jobs.values() if job.ended is not None)
        kept = [job_id for _, job_id in ended if self._jobs[job_id].keep]
        gone = {job_id for at, job_id in ended if at <= due and not self._jobs[job_id].keep}
        for job_id in gone.union(kept[: max(len(kept) - KEPT, 0)]):
            del self._jobs[job_id]
