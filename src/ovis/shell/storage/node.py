"""The typed client within a command, and the tasks that verbs of storage start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ovis.client.node import Node
from ovis.client.types import TaskResult, TaskState
from ovis.client.untyped import RpcError
from ovis.shell.api import node_schema
from ovis.shell.failures import Exit, Failure
from ovis.shell.talk import Options, connected, refused

LOOK_EVERY = 0.2
TASK_SECONDS = 600.0
SLOW_SECONDS = 120.0
"""For verbs that join a domain's lockspace: sanlock takes 20 s for that."""


@contextmanager
def typed(options: Options) -> Iterator[Node]:
    """The agent, for the body. What its verbs answer becomes a Failure."""
    with connected(options) as connection:
        try:
            yield Node(connection, flow=options.flow)
        except RpcError as error:
            raise refused(node_schema(), "", error) from error


def finish(node: Node, task_id: str, what: str, *, seconds: float = TASK_SECONDS) -> None:
    """Wait for a task to end well and forget it. Raises Failure with what the task says."""
    end = time.monotonic() + seconds
    while (status := node.task.get_status(task_id)).task_state is not TaskState.FINISHED:
        if time.monotonic() > end:
            raise Failure(
                Exit.TIMEOUT, f"{what}: task {task_id} goes on after {seconds:g} s", "See: ovis node Task getStatus"
            )
        time.sleep(LOOK_EVERY)
    node.task.clear(task_id)
    if status.code or status.task_result is not TaskResult.SUCCESS:
        raise Failure(Exit.ERROR, f"{what}: {status.message} [{status.code}]")
