"""Bounded pools of threads for calls that block and cannot be cancelled.

A call that has not returned at its deadline is *lost*: its caller gets `DeadlineExceeded`, its thread counts as lost
and comes back by itself when the call returns. While a domain has a lost call in a pool, further calls to that domain
are refused at once (`NotResponding`), so one stuck QEMU costs a pool one thread. When every thread is lost, calls are
refused at once (`ThreadsExhausted`); so they are when too many wait. Nothing waits beyond its own deadline.

The threads are daemons of our own instead of `concurrent.futures`: its threads are joined at interpreter exit, and one
call stuck in a dead daemon would keep the process from ending.

All book-keeping happens in the event loop that runs `Pool.run`; a thread only takes a job and hands back its outcome.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorLost, NotResponding, ThreadsExhausted

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class PoolState:
    threads: int
    running: int
    lost: int
    waiting: int


class _Job(Generic[T]):
    def __init__(
        self, name: str, work: Callable[[], T], domain_id: str | None, loop: asyncio.AbstractEventLoop, deadline: float
    ) -> None:
        self.name = name
        self.work = work
        self.domain_id = domain_id
        self.deadline = deadline
        self.begun = loop.time()
        self.future: asyncio.Future[T] = loop.create_future()
        self.timer: asyncio.TimerHandle | None = None
        self.loop = loop
        self.lost = False


_AnyJob = _Job[object]


class Pool:
    """`per_domain` calls of one domain run at once at most; its further ones wait without holding up other domains'."""

    def __init__(self, name: str, *, threads: int, waiting: int = 2000, per_domain: int = 1) -> None:
        self.name = name
        self._limit = threads
        self._waiting_limit = waiting
        self._per_domain = per_domain
        self._inbox: SimpleQueue[_AnyJob | None] = SimpleQueue()
        self._threads = 0
        self._waiting: dict[_AnyJob, None] = {}  # in the order of arrival
        self._running: set[_AnyJob] = set()
        self._of_domain: Counter[str] = Counter()
        self._lost = 0
        self._closed = False

    @property
    def state(self) -> PoolState:
        return PoolState(self._limit, len(self._running), self._lost, len(self._waiting))

    async def run(self, name: str, work: Callable[[], T], *, deadline: float, domain_id: str | None = None) -> T:
        """`work()` in a thread; its result or its exception.

        When the caller is cancelled a running call goes on and keeps its thread, a waiting one is dropped.
        """
        self._admit(domain_id)
        loop = asyncio.get_running_loop()
        job: _Job[T] = _Job(name, work, domain_id, loop, deadline)
        plain: _AnyJob = job  # type: ignore[assignment]  # the book-keeping does not look at the result
        plain.timer = loop.call_later(deadline, self._expire, plain)
        self._waiting[plain] = None
        self._dispatch()
        try:
            return await job.future
        except asyncio.CancelledError:
            if plain in self._waiting:
                self._drop_waiting(plain)
            raise

    def close(self) -> None:
        """Threads end as soon as their calls return; calls that wait are refused."""
        self._closed = True
        for job in list(self._waiting):
            self._drop_waiting(job, HypervisorLost("the agent is closing its connection"))
        for _ in range(self._threads):
            self._inbox.put(None)

    def _admit(self, domain_id: str | None) -> None:
        if self._closed:
            raise HypervisorLost("the agent has closed its connection")
        if domain_id and (stuck := self._stuck_of(domain_id)):
            raise NotResponding(domain_id, stuck)
        if self._lost >= self._limit or len(self._waiting) >= self._waiting_limit:
            raise self._exhausted()

    def _exhausted(self) -> ThreadsExhausted:
        return ThreadsExhausted(self.name, threads=self._limit, lost=self._lost, waiting=len(self._waiting))

    def _stuck_of(self, domain_id: str) -> int:
        return sum(1 for job in self._running if job.lost and job.domain_id == domain_id)

    def _dispatch(self) -> None:
        while len(self._running) < self._limit and (job := self._next()) is not None:
            del self._waiting[job]
            self._running.add(job)
            if job.domain_id:
                self._of_domain[job.domain_id] += 1
            if self._threads < len(self._running):
                self._threads += 1
                threading.Thread(target=self._serve, name=f"{self.name} {self._threads}", daemon=True).start()
            self._inbox.put(job)

    def _next(self) -> _AnyJob | None:
        return next(
            (job for job in self._waiting if not job.domain_id or self._of_domain[job.domain_id] < self._per_domain),
            None,
        )

    def _expire(self, job: _AnyJob) -> None:
        if job in self._waiting:
            error = DeadlineExceeded(job.name, job.deadline, started=False, domain_id=job.domain_id)
            self._drop_waiting(job, error)
            return
        if job not in self._running:
            return
        job.lost = True
        self._lost += 1
        log.warning(
            "%s%s is stuck after %g s (%s: %d of %d threads stuck)",
            job.name, f" of {job.domain_id}" if job.domain_id else "", job.deadline, self.name, self._lost, self._limit,
        )  # fmt: skip
        if not job.future.done():
            job.future.set_exception(DeadlineExceeded(job.name, job.deadline, started=True, domain_id=job.domain_id))
        self._refuse_hopeless(job.domain_id)

    def _refuse_hopeless(self, domain_id: str | None) -> None:
        if self._lost >= self._limit:
            for waiting in list(self._waiting):
                self._drop_waiting(waiting, self._exhausted())
        elif domain_id:
            for waiting in [job for job in self._waiting if job.domain_id == domain_id]:
                self._drop_waiting(waiting, NotResponding(domain_id, self._stuck_of(domain_id)))

    def _drop_waiting(self, job: _AnyJob, error: Exception | None = None) -> None:
        del self._waiting[job]
        if job.timer:
            job.timer.cancel()
        if error and not job.future.done():
            job.future.set_exception(error)

    def _finish(self, job: _AnyJob, result: object, error: Exception | None) -> None:
        self._running.discard(job)
        if job.timer:
            job.timer.cancel()
        if job.domain_id:
            self._of_domain[job.domain_id] -= 1
            if not self._of_domain[job.domain_id]:
                del self._of_domain[job.domain_id]
        if job.lost:
            self._lost -= 1
            log.warning("%s returned after %.1f s, its thread is free again", job.name, job.loop.time() - job.begun)
        if not job.future.done():
            if error:
                job.future.set_exception(error)
            else:
                job.future.set_result(result)
        if not self._closed:
            self._dispatch()

    def _serve(self) -> None:
        while (job := self._inbox.get()) is not None:
            result: object = None
            failure: Exception | None = None
            try:
                result = job.work()
            except Exception as error:  # noqa: BLE001 - handed to the caller; the thread outlives its work
                failure = error
            try:
                job.loop.call_soon_threadsafe(self._finish, job, result, failure)
            except RuntimeError:
                return  # the loop is closed: nobody is left to be told
            del job, result, failure  # or the last answer stays in memory until the next call
