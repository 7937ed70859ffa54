import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from ovis.client.types import HostJobStatus, HostJobType
from ovis.node.errors import BadParameter
from ovis.node.jobs import FORGOTTEN_AFTER, KEPT, Job, JobExists, JobNotActive, JobNotDone, Jobs, NoSuchJob, Phase
from ovis.wire.events import Bus, Event

ID = "aaaaaaaa-0000-4000-8000-000000000001"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def number(n: int) -> str:
    return f"aaaaaaaa-0000-4000-8000-{n:012d}"


def on_jobs(test: Callable[[Jobs, Bus, Clock], Awaitable[None]]) -> None:
    async def main() -> None:
        bus, clock = Bus(), Clock()
        jobs = Jobs(bus, monotonic=clock)
        try:
            async with asyncio.timeout(5):
                await test(jobs, bus, clock)
        finally:
            await jobs.close()

    asyncio.run(main())


async def nothing(_: Job) -> None:
    return


async def for_ever(_: Job) -> None:
    await asyncio.Event().wait()


async def ended(job: Job) -> None:
    assert job.task is not None
    await asyncio.wait([job.task])


def start(jobs: Jobs, work: Callable[[Job], Awaitable[None]] = nothing, job_id: str = ID) -> Job:
    return jobs.start(job_id, HostJobType.V2V, "copy a disk", work)


def test_each_change_is_an_event() -> None:
    async def test(jobs: Jobs, bus: Bus, _: Clock) -> None:
        events = bus.subscribe("|jobs|status|*")
        await ended(start(jobs))
        found = [event for _ in range(3) if isinstance(event := events.take(), Event)]
        assert {event.name for event in found} == {f"|jobs|status|{ID}"}
        told = [msgspec.json.decode(event.params) for event in found]
        assert [one["status"] for one in told] == ["pending", "running", "done"]
        assert told[0]["id"] == ID
        assert told[0]["job_type"] == "v2v"
        assert "error" not in told[2]

    on_jobs(test)


def test_a_failed_job_says_why() -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        async def fail(_: Job) -> None:
            raise BadParameter("ova", "is no archive")

        job = start(jobs, fail)
        await ended(job)
        assert job.info.status is HostJobStatus.FAILED
        assert job.error is not None
        assert (job.error.code, job.error.message) == (91, "ova: is no archive")

    on_jobs(test)


def test_an_unforeseen_error_fails_the_job_without_details(caplog: pytest.LogCaptureFixture) -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        async def fail(_: Job) -> None:
            raise ZeroDivisionError("secret")

        job = start(jobs, fail)
        await ended(job)
        assert job.phase is Phase.FAILED
        assert job.error is not None
        assert "secret" not in job.error.message
        assert "ZeroDivisionError" in caplog.text

    on_jobs(test)


def test_aborting_ends_the_work_and_is_safe_to_repeat() -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        job = start(jobs, for_ever)
        await asyncio.sleep(0)
        jobs.abort(ID)
        assert job.info.status is HostJobStatus.RUNNING
        jobs.abort(ID)
        await ended(job)
        assert job.phase is Phase.ABORTED
        with pytest.raises(JobNotActive):
            jobs.abort(ID)

    on_jobs(test)


def test_a_job_that_was_only_just_started_can_be_aborted() -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        job = start(jobs, for_ever)
        jobs.abort(ID)
        await ended(job)
        assert job.phase is Phase.ABORTED

    on_jobs(test)


def test_a_waiting_job_can_be_aborted() -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        slots = asyncio.Semaphore(1)
        first = jobs.start(number(1), HostJobType.V2V, "first", for_ever, slots=slots)
        second = jobs.start(number(2), HostJobType.V2V, "second", nothing, slots=slots)
        third = jobs.start(number(3), HostJobType.V2V, "third", nothing, slots=slots)
        await asyncio.sleep(0)
        assert (first.phase, second.phase) == (Phase.RUNNING, Phase.PENDING)
        jobs.abort(second.id)
        await ended(second)
        assert second.phase is Phase.ABORTED
        jobs.abort(first.id)
        await ended(third)
        assert third.phase is Phase.DONE

    on_jobs(test)


def test_an_id_is_used_once_and_freed_by_deleting() -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        job = start(jobs)
        with pytest.raises(JobExists):
            start(jobs, job_id=ID.upper())
        with pytest.raises(JobNotDone):
            jobs.delete(ID)
        await ended(job)
        jobs.delete(ID)
        with pytest.raises(NoSuchJob):
            jobs.find(ID)
        start(jobs)

    on_jobs(test)


def test_ended_jobs_are_forgotten_after_an_hour_unless_they_are_kept() -> None:
    async def test(jobs: Jobs, _: Bus, clock: Clock) -> None:
        kept = jobs.start(number(1), HostJobType.V2V, "kept", nothing, keep=True)
        running = start(jobs, for_ever, number(2))
        gone = start(jobs, nothing, number(3))
        await ended(kept)
        await ended(gone)
        clock.now = FORGOTTEN_AFTER - 1
        assert len(jobs.select()) == 3
        clock.now = FORGOTTEN_AFTER
        assert [job.id for job in jobs] == [kept.id, running.id]

    on_jobs(test)


def test_kept_jobs_are_bounded() -> None:
    async def test(jobs: Jobs, _: Bus, clock: Clock) -> None:
        for n in range(KEPT + 2):
            clock.now = n
            jobs.restore(Job(number(n), HostJobType.V2V, "old", phase=Phase.DONE, keep=True))
        assert [job.id for job in jobs][:1] == [number(2)]

    on_jobs(test)


def test_jobs_are_chosen_by_kind_and_id() -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        start(jobs, for_ever, number(1))
        jobs.start(number(2), HostJobType.STORAGE, "other", for_ever)
        assert [job.id for job in jobs.select(HostJobType.STORAGE)] == [number(2)]
        assert [job.id for job in jobs.select(ids=[number(1), number(9)])] == [number(1)]
        assert jobs.select(HostJobType.STORAGE, [number(1)]) == []

    on_jobs(test)


def test_the_end_of_the_agent_does_not_wait_for_slow_ends() -> None:
    async def test(jobs: Jobs, _: Bus, __: Clock) -> None:
        async def slow(_: Job) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(60)

        job = start(jobs, slow)
        await asyncio.sleep(0)
        async with asyncio.timeout(2):
            await jobs.close()
        assert job.task is not None
        assert job.task.done()

    on_jobs(test)


def test_the_end_of_the_agent_is_no_abort() -> None:
    async def test(jobs: Jobs, bus: Bus, _: Clock) -> None:
        job = start(jobs, for_ever)
        await asyncio.sleep(0)
        await jobs.close()
        assert job.phase is Phase.RUNNING

    on_jobs(test)
