"""When a migration does not come to its end by itself: which measure is due, from what is seen of it. No I/O.

An iteration sends the memory that changed during the one before. It makes progress when it has less to send than every
earlier one had; iterations without progress are counted, and the schedule says at which count which measure is taken:

    stalling: [{limit: 1, setDowntime 150}, {limit: 2, setDowntime 200}, {limit: -1, abort}]

takes 150 ms at the second iteration without progress, 200 ms at the third, and gives up at the next one after that.
A schedule that holds no way out gets one: after its last measure, `patience` seconds without progress end the
migration. So they do at any time when nothing moves at all. Two measures are `pace` seconds apart at least: iterations
of a small rest take milliseconds, and a whole schedule would be over before its first measure could work.
Source: the schema's ConvergenceSchedule; reference/vdsm.md, 2.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import ConvergenceAction, ConvergenceSchedule
from ovis.node.errors import BadParameter

FIELD = "params.convergenceSchedule"


@dataclass(frozen=True)
class SetDowntime:
    """The longest standstill allowed, in seconds."""

    seconds: float


@dataclass(frozen=True)
class PostCopy:
    pass


@dataclass(frozen=True)
class Abort:
    why: str


Action = SetDowntime | PostCopy | Abort
NO_CONVERGENCE = Abort("the guest changes its memory faster than it can be sent, and the schedule is at its end")


@dataclass(frozen=True)
class Step:
    """`limit`: iterations without progress that must be exceeded; None: the next one after the step before."""

    limit: int | None
    action: Action


@dataclass(frozen=True)
class Schedule:
    init: tuple[Action, ...]
    stalling: tuple[Step, ...]

    @property
    def uses_post_copy(self) -> bool:
        return any(isinstance(step, PostCopy) for step in (*self.init, *(step.action for step in self.stalling)))


DEFAULT = Schedule(
    (SetDowntime(0.1),),
    (
        Step(1, SetDowntime(0.15)),
        Step(2, SetDowntime(0.2)),
        Step(3, SetDowntime(0.3)),
        Step(4, SetDowntime(0.4)),
        Step(6, SetDowntime(0.5)),
        Step(None, NO_CONVERGENCE),
    ),
)
"""That of the policy which engines call minimal downtime."""


def read(given: ConvergenceSchedule | None) -> Schedule:
    """Raises BadParameter for a measure that nobody knows."""
    if given is None:
        return DEFAULT
    return Schedule(
        tuple(_action(action, f"{FIELD}.init[{number}]") for number, action in enumerate(given.init)),
        tuple(
            Step(item.limit if item.limit >= 0 else None, _action(item.action, f"{FIELD}.stalling[{number}].action"))
            for number, item in enumerate(given.stalling)
        ),
    )


def _action(given: ConvergenceAction, field: str) -> Action:
    match given.name:
        case "setDowntime":
            try:
                milliseconds = int(given.params[0])
            except (IndexError, ValueError) as error:
                raise BadParameter(f"{field}.params", "setDowntime needs a number of milliseconds") from error
            if not 0 < milliseconds <= 600_000:
                raise BadParameter(f"{field}.params", f"{milliseconds} ms is not from 1 ms to 10 minutes")
            return SetDowntime(milliseconds / 1000)
        case "postcopy":
            return PostCopy()
        case "abort":
            return NO_CONVERGENCE
        case other:
            raise BadParameter(f"{field}.name", f"{other[:40]!r} is none of setDowntime, postcopy, abort")


class Convergence:
    """What has been seen of one migration; times are monotonic seconds."""

    def __init__(self, schedule: Schedule, *, patience: float, pace: float, now: float) -> None:
        self._steps = list(schedule.stalling)
        self._patience = patience
        self._pace = pace
        self._step_at = now - pace
        self._seen: tuple[int, int] | None = None
        self._least: int | None = None
        self._moved_at = now
        self._progress_at = now
        self._progress_iteration = 0
        self._last_step_iteration = 0
        self._gave_up = False

    def observe(self, *, iteration: int, remaining: int, now: float) -> list[Action]:
        """The measures that are due now, each of them once. `remaining` in bytes."""
        self._compare(iteration, remaining, now)
        due: list[Action] = []
        if self._steps and now - self._step_at >= self._pace and self._is_due(self._steps[0], iteration):
            due.append(self._steps.pop(0).action)
            self._last_step_iteration = iteration
            self._progress_at = self._step_at = now
        if not due and not self._gave_up and self._is_hopeless(iteration, now):
            self._gave_up = True
            due.append(NO_CONVERGENCE)
        return due

    def _compare(self, iteration: int, remaining: int, now: float) -> None:
        # What is left as an iteration begins; later in it that says nothing of the next one.
        begins = self._seen is None or self._seen[0] != iteration
        if begins and (self._least is None or remaining < self._least):
            self._least = remaining
            self._progress_at = now
            self._progress_iteration = iteration
        if self._seen != (iteration, remaining):
            self._moved_at = now
        self._seen = (iteration, remaining)

    def _is_due(self, step: Step, iteration: int) -> bool:
        stalled = iteration - self._progress_iteration
        if step.limit is None:
            return stalled > 0 and iteration > self._last_step_iteration
        return stalled > step.limit

    def _is_hopeless(self, iteration: int, now: float) -> bool:
        stalls = not self._steps and iteration > self._progress_iteration
        return now - (self._progress_at if stalls else self._moved_at) > self._patience
