"""The tasks that this host runs: its own, kept on its disk, and those of the pool's manager, kept on the master domain.

    task_id = await storage.tasks.start("copyImage", [Begin(...), Copy(...), Publish(...)], claims=[...], tag=SPM)

Tasks with the tag `spm` exist only while this host is SPM: `take_over` loads what an earlier SPM (or this host, before
it crashed) left and recovers it; `let_go` ends all work on them without a word to storage.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from ovis.node.storage.claims import Claim
from ovis.node.storage.io.interface import IoFailure
from ovis.node.storage.tasks import record as records
from ovis.node.storage.tasks.errors import (
    BadTaskRecord,
    MasterMoves,
    NoSuchTask,
    NotSpm,
    TaskNotCleared,
    TasksInTheWay,
    WrongTaskState,
)
from ovis.node.storage.tasks.record import OnCrash, Record
from ovis.node.storage.tasks.slots import Slots
from ovis.node.storage.tasks.states import UNBEGUN
from ovis.node.storage.tasks.steps import Step
from ovis.node.storage.tasks.store import TaskStore
from ovis.node.storage.tasks.task import Task, Trust

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

SPM = "spm"
HALT_SECONDS = 5.0
KEPT = 1000
"""Ended tasks that nobody clears; beyond that the oldest are forgotten."""


class Tasks:
    def __init__(self, storage: Storage, own: TaskStore, *, at_once: int) -> None:
        self._storage = storage
        self._own = own
        self._spm: TaskStore | None = None
        self._slots = Slots(at_once)
        self._is_still = False
        self._trust: Trust = nullcontext
        self._tasks: dict[str, Task] = {}

    async def start(
        self,
        verb: str,
        steps: Sequence[Step],
        *,
        claims: Iterable[Claim] = (),
        tag: str = "",
        on_crash: OnCrash = OnCrash.UNDO,
        priority: int = 0,
        task_id: str | None = None,
    ) -> str:
        """The id of a task that is on storage and under way. `verb` is what clients are told it is for.

        Raises NotSpm (tag `spm`), TaskNotSaved; then nothing was started.
        """
        store = self._store(tag)
        if tag == SPM and self._is_still:
            raise MasterMoves
        record = Record(
            id=task_id or str(uuid.uuid4()),
            verb=verb,
            tag=tag,
            steps=tuple(steps),
            claims=tuple(claims),
            on_crash=on_crash,
            priority=priority,
            created=self._storage.now(),
        )
        task = self._made(record, store)
        try:
            await task.begin()
        except BaseException:
            self._tasks.pop(record.id, None)
            raise
        await self._forget_old()
        return record.id

    def find(self, task_id: str) -> Task:
        """Raises NoSuchTask."""
        task = self._tasks.get(str(task_id).lower())
        if task is None:
            raise NoSuchTask(task_id)
        return task

    def all(self) -> list[Task]:
        return list(self._tasks.values())

    def tagged(self, tag: str) -> list[Task]:
        return [task for task in self._tasks.values() if task.record.tag == tag]

    def stop(self, task_id: str) -> None:
        self.find(task_id).stop()

    async def revert(self, task_id: str) -> None:
        await self.find(task_id).revert()

    async def clear(self, task_id: str) -> None:
        """Forget an ended task. Raises NoSuchTask, WrongTaskState, TaskNotCleared."""
        task = self.find(task_id)
        if not task.has_ended:
            raise WrongTaskState(task.task_id, f"not ended: {task.record.state}", "cleared")
        await task.ended()
        try:
            await self._store(task.record.tag).remove(task.task_id)
        except (OSError, IoFailure) as error:
            raise TaskNotCleared(task.task_id, str(error)) from error
        self._tasks.pop(task.task_id, None)

    async def wait(self, task_id: str) -> Task:
        """The task once nothing of it runs any more. Its result says how it went."""
        task = self.find(task_id)
        await task.ended()
        return task

    async def recover_own(self) -> None:
        """Go on with, or undo, what this host did when its agent ended."""
        await self._load(self._own, "")

    async def take_over(self, store: TaskStore, trust: Trust = nullcontext) -> None:
        """This host is SPM now. A task runs within `trust()`, which ends its work when the lease is lost and ties the
        processes that it starts to the lease. Raises OSError, IoFailure."""
        self._spm, self._trust = store, trust
        await self._load(store, SPM)

    async def let_go(self) -> None:
        """This host is SPM no more, or must not act as one: no writer of a task runs when this returns."""
        self._spm = None
        tasks = self.tagged(SPM)
        await asyncio.gather(*(task.halt(HALT_SECONDS) for task in tasks))
        for task in tasks:
            self._tasks.pop(task.task_id, None)

    @asynccontextmanager
    async def held_still(self, pool: str, *, but: str) -> AsyncIterator[None]:
        """Meanwhile no task of the SPM runs but that one, and none is started. Raises TasksInTheWay."""
        if running := [task.task_id for task in self.tagged(SPM) if not task.has_ended and task.task_id != but]:
            raise TasksInTheWay(pool, running)
        self._is_still = True
        try:
            yield
        finally:
            self._is_still = False

    async def copy_to(self, store: TaskStore) -> None:
        """Put the records of the SPM's tasks into an empty store. What lies there already is of no task any more."""
        for task_id in await store.load():
            await store.remove(task_id)
        for task in self.tagged(SPM):
            await store.save(task.task_id, records.write(task.record))

    def use(self, store: TaskStore, trust: Trust = nullcontext) -> None:
        """The records of the SPM's tasks are kept there from now on."""
        self._spm, self._trust = store, trust
        for task in self.tagged(SPM):
            task.store = store

    async def close(self) -> None:
        await asyncio.gather(*(task.halt(HALT_SECONDS) for task in self._tasks.values()))

    def _store(self, tag: str) -> TaskStore:
        if tag != SPM:
            return self._own
        if self._spm is None:
            raise NotSpm
        return self._spm

    def _made(self, record: Record, store: TaskStore) -> Task:
        trust = self._trust if record.tag == SPM else nullcontext
        self._tasks[record.id] = task = Task(self._storage, record, store, self._slots, trust)
        return task

    async def _load(self, store: TaskStore, tag: str) -> None:
        loaded: list[Record] = []
        for task_id, data in (await store.load()).items():
            try:
                record = await asyncio.to_thread(records.read, data, task_id=task_id)  # may import modules of steps
            except BadTaskRecord:
                log.exception("task %s is left as it is", task_id)
                continue
            record.tag = tag
            loaded.append(record)
        # Those that had begun held their claims, and get them before those that waited for the same.
        for record in sorted(loaded, key=lambda record: (record.state in UNBEGUN, record.created)):
            if record.id not in self._tasks:
                self._made(record, store).recover()

    async def _forget_old(self) -> None:
        ended = sorted((t for t in self._tasks.values() if t.has_ended), key=lambda task: task.record.created)
        for task in ended[: max(len(ended) - KEPT, 0)]:
            with contextlib.suppress(TaskNotCleared):  # then it is tried again at the next start
                await self.clear(task.task_id)
