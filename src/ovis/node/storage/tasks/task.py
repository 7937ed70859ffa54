"""One task: its record in memory, and the way it takes through its steps, there and back.

The record is saved before a step begins, so that after a crash `position` names the only step that may be half done.
An end is told to nobody before it is saved: a task that was seen to succeed is never undone by the next SPM. A record
that cannot be saved is tried again until it can, or until the role is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from ovis.client.types import ErrorInfo, TaskDetails, TaskInfo, TaskResult, TaskStatus
from ovis.node.jobs import Jobs
from ovis.node.privileged.errors import HelperLost
from ovis.node.storage.claims import ClaimTimeout
from ovis.node.storage.io.interface import IoFailure, IoLost
from ovis.node.storage.leases.errors import LeaseLost
from ovis.node.storage.tasks import record as records
from ovis.node.storage.tasks.errors import TaskInterrupted, TaskNotSaved, TaskStopped, WrongTaskState
from ovis.node.storage.tasks.record import OnCrash, Record
from ovis.node.storage.tasks.slots import Slots
from ovis.node.storage.tasks.states import ENDED, NEXT, RESULTS, SHOWN, STOPPABLE, UNBEGUN, State
from ovis.node.storage.tasks.steps import Step
from ovis.node.storage.tasks.store import TaskStore

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
DEATHS = 3
"""Of the processes that do the work: how often a step that cannot be undone is begun again."""
Trust = Callable[[], AbstractAsyncContextManager[None]]
CLAIM_SECONDS = 3600.0
"""A task waits longer for what others work on than a call would."""


class Task:
    """Implements steps.Work for its steps. `deadline`s are those of the steps; stopping is by cancellation."""

    def __init__(
        self, storage: Storage, record: Record, store: TaskStore, slots: Slots, trust: Trust = nullcontext
    ) -> None:
        self.storage = storage
        self.record = record
        self.done_part: tuple[int, int] | None = None
        self.store = store
        self._slots = slots
        self._trust = trust
        self._stop_asked = False
        self._has_begun = False
        self._has_claims = False
        self._saving_from: State | None = None
        self._runner: asyncio.Task[None] | None = None

    # What steps see

    @property
    def task_id(self) -> str:
        return self.record.id

    @property
    def notes(self) -> Mapping[str, Any]:
        return self.record.notes

    async def remember(self, **facts: Any) -> None:
        self.record.notes.update(facts)
        await self._save()

    def progress(self, done: int, total: int) -> None:
        self.done_part = (done, total)

    # What clients see

    @property
    def has_ended(self) -> bool:
        return self._shown_state in ENDED

    @property
    def result(self) -> TaskResult:
        return RESULTS[self.record.state] if self.has_ended else TaskResult.EMPTY

    @property
    def message(self) -> str:
        if self.has_ended or self.record.code:
            return self.record.message
        place = f"step {self.record.position + 1} of {len(self.record.steps)}"
        part = f", {100 * self.done_part[0] // self.done_part[1]} %" if self.done_part and self.done_part[1] else ""
        return f"{self.record.state}: {place}{part}"

    @property
    def status(self) -> TaskStatus:
        return TaskStatus(
            code=self.record.code,
            message=self.message,
            task_id=self.record.id,
            task_result=self.result,
            task_state=SHOWN[self._shown_state],
        )

    @property
    def info(self) -> TaskInfo:
        return TaskInfo(id=self.record.id, verb=self.record.verb)

    @property
    def details(self) -> TaskDetails:
        return TaskDetails(
            code=self.record.code,
            id=self.record.id,
            message=self.message,
            state=SHOWN[self._shown_state],
            tag=self.record.tag,
            task_result=self.result,
            verb=self.record.verb,
        )

    # What the manager does with it

    async def begin(self) -> None:
        """Save it for the first time and let it run. Raises TaskNotSaved; then there is no task."""
        self._enter(State.PREPARING)
        try:
            await self.store.save(self.record.id, records.write(self.record))
        except (OSError, IoFailure) as error:
            raise TaskNotSaved(self.record.id, str(error)) from error
        self._run(back=False)

    def recover(self) -> None:
        """Go on after a crash, or back, as its record says; nothing to do for one that had ended."""
        record = self.record
        if record.state in ENDED:
            return
        self._has_begun = record.state not in UNBEGUN
        record.state = State.WAIT_RECOVER
        goes_on = not record.can_go_back or record.on_crash is OnCrash.GO_ON
        if not record.is_going_back and not goes_on:
            self._explain(TaskInterrupted(record.id))
        self._run(back=record.is_going_back or not goes_on)

    def stop(self) -> None:
        """Safe to repeat. Raises WrongTaskState when it has gone too far to be undone: it ends by itself."""
        if self.record.state not in STOPPABLE or self._runner is None:
            return
        if self._has_begun and not self.record.can_go_back:
            raise WrongTaskState(self.record.id, "past the point where it can be undone, and ends by itself", "stopped")
        self._stop_asked = True
        self._runner.cancel()

    async def revert(self) -> None:
        """Begin to undo an ended task. Raises WrongTaskState."""
        if not self.has_ended:
            raise WrongTaskState(self.record.id, f"not ended: {self.record.state}", "undone")
        if self.record.state is not State.FINISHED:
            raise WrongTaskState(self.record.id, f"{self.record.state} already", "undone")
        if not self.record.can_go_back:
            raise WrongTaskState(self.record.id, "of a kind that cannot be undone", "undone")
        await self.ended()
        self._enter(State.WAIT_RECOVER)
        self.record.position = max(len(self.record.steps) - 1, 0)
        self._has_begun = True
        self._run(back=True)

    async def ended(self) -> None:
        """Wait until nothing of it runs any more."""
        while self._runner is not None:
            await asyncio.wait([self._runner])

    async def halt(self, seconds: float) -> None:
        """End its work at once, where it stands: its record stays for whoever recovers it."""
        runner = self._runner
        if runner is not None:
            self._stop_asked = False
            runner.cancel()
            _, late = await asyncio.wait([runner], timeout=seconds)
            if late:
                log.error("task %s (%s) does not end", self.record.id, self.record.verb)

    # How it runs

    def _run(self, *, back: bool) -> None:
        self._runner = asyncio.create_task(self._go(back=back), name=f"task {self.record.verb} {self.record.id}")

    async def _go(self, *, back: bool) -> None:
        try:
            async with self._trust(), AsyncExitStack() as held:  # what was claimed stays claimed on the way back
                if back or not await self._forward(held):
                    await self._back(held)
        except LeaseLost as error:  # another host goes on with it
            log.warning("task %s (%s) was ended where it stood: %s", self.record.id, self.record.verb, error)
        except Exception:
            log.exception("task %s (%s) is left where it is", self.record.id, self.record.verb)
        finally:
            self._runner = None

    async def _forward(self, held: AsyncExitStack) -> bool:
        """Whether it is done; otherwise the record says why not."""
        try:
            self._enter(State.ACQUIRING)
            await self._claim(held)
            self._enter(State.QUEUED)
            async with self._slots.taken(self.record.priority):
                self._enter(State.RUNNING)
                await self._do_steps()
                await self._end(State.FINISHED, 0, f"{len(self.record.steps)} steps done")
        except asyncio.CancelledError:
            if not self._stop_asked:
                raise  # halted: the record says where
            self._stop_asked = False
            _uncancel()
            self._explain(TaskStopped(self.record.id))
        except Exception as error:  # noqa: BLE001 - whatever it is, the task has failed and its caller is told
            self._explain(error)
        else:
            return True
        self._enter(State.ABORTING)
        return False

    async def _do_steps(self) -> None:
        record = self.record
        self._has_begun = True
        for position in range(record.position, len(record.steps)):
            record.position = position
            self.done_part = None
            await self._save()
            step = record.steps[position]
            log.debug("task %s (%s): %s", record.id, record.verb, step)
            await self._do(step)

    async def _do(self, step: Step) -> None:
        for _ in range(DEATHS):
            try:
                return await step.do(self)
            except (IoLost, HelperLost) as error:
                if self.record.can_go_back:
                    raise
                # as after the death of the agent itself
                log.warning("task %s (%s): %s; it is done again", self.record.id, self.record.verb, error)
        return await step.do(self)

    async def _back(self, held: AsyncExitStack) -> None:
        """Undo what was begun, newest first; all of it, whatever fails."""
        record = self.record
        if self._has_begun and not record.can_go_back:
            await self._end(State.FAILED, record.code, f"{record.message}; it was past the point of return")
            return
        if record.state is State.ABORTING:
            self._enter(State.WAIT_RECOVER)
        record.is_going_back = True
        self._enter(State.RACQUIRING)
        failures: list[str] = []
        if self._has_begun:
            await self._save()
            try:
                await self._claim(held)
            except ClaimTimeout as error:
                failures = [str(error)]
        if not failures:
            self._enter(State.RECOVERING)
            failures = await self._undo_steps() if self._has_begun else []
        if failures:
            self._enter(State.RABORTING)
            await self._end(State.FAILED, record.code, f"{record.message}; {'; '.join(failures)}")
        else:
            await self._end(State.RECOVERED, record.code, record.message or "undone")

    async def _claim(self, held: AsyncExitStack) -> None:
        if not self._has_claims:
            claims = self.storage.claims.hold(self.record.claims, by=self._who, seconds=CLAIM_SECONDS)
            await held.enter_async_context(claims)
            self._has_claims = True
            held.callback(setattr, self, "_has_claims", False)

    async def _undo_steps(self) -> list[str]:
        record = self.record
        failures = []
        for position in range(min(record.position, len(record.steps) - 1), -1, -1):
            record.position = position
            await self._save()
            problem = await self._undo(record.steps[position])
            if problem:
                failures.append(problem)
        return failures

    async def _undo(self, step: Step) -> str:
        try:
            await step.undo(self)
        except Exception as error:
            log.exception("task %s (%s): undoing %s failed", self.record.id, self.record.verb, step)
            return f"undoing {step.step_name} failed: {error}"
        return ""

    async def _end(self, state: State, code: int, message: str) -> None:
        """Save the end before anybody sees it."""
        record = self.record
        before = record.state, record.code, record.message
        if state not in NEXT[record.state]:
            raise ValueError(f"a task that is {record.state} cannot become {state}")
        self._saving_from = record.state
        record.state, record.code, record.message = state, code, message
        try:
            await self._save()
        except BaseException:
            record.state, record.code, record.message = before
            raise
        finally:
            self._saving_from = None
        level = logging.INFO if state is State.FINISHED else logging.WARNING
        log.log(level, "task %s (%s) is %s: %s", record.id, record.verb, state, message)

    @property
    def _shown_state(self) -> State:
        """While an end is being saved: the state before it."""
        return self.record.state if self._saving_from is None else self._saving_from

    @property
    def _who(self) -> str:
        return f"task {self.record.verb} {self.record.id}"

    async def _save(self) -> None:
        data = records.write(self.record)
        pause = FIRST_PAUSE
        while True:
            try:
                await _to_its_end(self.store.save(self.record.id, data))
            except (OSError, IoFailure) as error:
                log.warning("task %s: its record cannot be saved, tried again in %g s: %s", self.task_id, pause, error)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _enter(self, state: State) -> None:
        if state not in NEXT[self.record.state]:
            raise ValueError(f"a task that is {self.record.state} cannot become {state}")
        self.record.state = state

    def _explain(self, error: Exception) -> None:
        info = _told(self.record, error)
        self.record.code, self.record.message = info.code, info.message


def _told(record: Record, error: Exception) -> ErrorInfo:
    return Jobs.explain(f"{record.id} ({record.verb})", error)


async def _to_its_end(saving: Coroutine[Any, Any, None]) -> None:
    """A write that is under way is not left behind when its task is cancelled: a later one must not overtake it."""
    write = asyncio.ensure_future(saving)
    try:
        await asyncio.shield(write)
    except asyncio.CancelledError:
        if not write.done():
            await asyncio.wait([write])
        if not write.cancelled():
            write.exception()  # of no interest any more
        raise


def _uncancel() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
