"""The states of a task, how they follow each other, and what clients are told.

    init ─ preparing ─ acquiring ─ queued ─ running ─ finished ─┐ (revert)
              └───────────┴──────────┴─────────┤                │
                                            aborting            │
                                    failed ────┴──── waitrecover┘
                                                          │
                               (a crash, to go on) ───────┤
                     acquiring ─ queued ─ running         │
                                                      racquiring ─ recovering ─ recovered
                                                                       └─ raborting ─ failed

    preparing     its record is being written
    acquiring     waits for its claims (claims.py); racquiring: the same, to undo
    queued        has its claims, waits until fewer tasks run
    running       its steps are done one after the other
    aborting      told to stop, or a step failed: the step that runs is being ended
    waitrecover   to be undone, or to go on after a crash
    recovering    steps are undone, newest first
    raborting     an undo failed
    finished, recovered, failed     ended; kept until cleared

`blocked` and `unknown` are words of the API's older agents; nothing here enters them.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum

from ovis.client.types import TaskResult, TaskState


class State(StrEnum):
    UNKNOWN = "unknown"
    INIT = "init"
    PREPARING = "preparing"
    BLOCKED = "blocked"
    ACQUIRING = "acquiring"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    ABORTING = "aborting"
    WAIT_RECOVER = "waitrecover"
    RECOVERING = "recovering"
    RACQUIRING = "racquiring"
    RABORTING = "raborting"
    RECOVERED = "recovered"
    FAILED = "failed"


NEXT: Mapping[State, Set[State]] = {
    State.UNKNOWN: frozenset(),
    State.BLOCKED: frozenset(),
    State.INIT: {State.PREPARING},
    State.PREPARING: {State.ACQUIRING, State.ABORTING, State.WAIT_RECOVER},
    State.ACQUIRING: {State.QUEUED, State.ABORTING, State.WAIT_RECOVER},
    State.QUEUED: {State.RUNNING, State.ABORTING, State.WAIT_RECOVER},
    State.RUNNING: {State.FINISHED, State.ABORTING, State.WAIT_RECOVER},
    State.ABORTING: {State.WAIT_RECOVER, State.FAILED},
    State.WAIT_RECOVER: {State.ACQUIRING, State.RACQUIRING, State.WAIT_RECOVER},
    State.RACQUIRING: {State.RECOVERING, State.RABORTING, State.WAIT_RECOVER},
    State.RECOVERING: {State.RECOVERED, State.RABORTING, State.WAIT_RECOVER},
    State.RABORTING: {State.FAILED, State.WAIT_RECOVER},
    State.FINISHED: {State.WAIT_RECOVER},
    State.RECOVERED: frozenset(),
    State.FAILED: frozenset(),
}

ENDED = frozenset({State.FINISHED, State.RECOVERED, State.FAILED})
UNBEGUN = frozenset({State.INIT, State.PREPARING, State.ACQUIRING, State.QUEUED})
STOPPABLE = frozenset({State.PREPARING, State.ACQUIRING, State.QUEUED, State.RUNNING})

SHOWN: Mapping[State, TaskState] = {
    State.UNKNOWN: TaskState.UNKNOWN,
    State.INIT: TaskState.INIT,
    State.PREPARING: TaskState.RUNNING,
    State.BLOCKED: TaskState.RUNNING,
    State.ACQUIRING: TaskState.RUNNING,
    State.QUEUED: TaskState.RUNNING,
    State.RUNNING: TaskState.RUNNING,
    State.ABORTING: TaskState.ABORTING,
    State.RABORTING: TaskState.ABORTING,
    State.WAIT_RECOVER: TaskState.CLEANING,
    State.RACQUIRING: TaskState.CLEANING,
    State.RECOVERING: TaskState.CLEANING,
    State.FINISHED: TaskState.FINISHED,
    State.RECOVERED: TaskState.FINISHED,
    State.FAILED: TaskState.FINISHED,
}

RESULTS: Mapping[State, TaskResult] = {
    State.FINISHED: TaskResult.SUCCESS,
    State.RECOVERED: TaskResult.CLEAN_SUCCESS,
    State.FAILED: TaskResult.CLEAN_FAILURE,
}
