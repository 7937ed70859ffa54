"""What can be wrong with a task, or with asking for one."""

from __future__ import annotations

from ovis.node.storage.errors import StorageError


class NoSuchTask(StorageError):
    wire_name = "UnknownTask"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"no task {task_id} is known here: it was cleared, never existed, or belongs to another host")
        self.task_id = task_id


class WrongTaskState(StorageError):
    wire_name = "TaskStateError"

    def __init__(self, task_id: str, state: str, tried: str) -> None:
        super().__init__(f"task {task_id} cannot be {tried}: it is {state}")
        self.task_id, self.state = task_id, state


class TaskNotSaved(StorageError):
    wire_name = "TaskPersistError"

    def __init__(self, task_id: str, why: str) -> None:
        super().__init__(f"the record of task {task_id} cannot be changed: {why}")
        self.task_id = task_id


class TaskNotCleared(StorageError):
    wire_name = "TaskClearError"

    def __init__(self, task_id: str, why: str) -> None:
        super().__init__(f"the record of task {task_id} cannot be removed: {why}; it is still known")
        self.task_id = task_id


class TaskStopped(StorageError):
    wire_name = "TaskAborted"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id} was told to stop")
        self.task_id = task_id


class TaskInterrupted(StorageError):
    """Its process or host died, or lost the SPM role."""

    wire_name = "TaskAborted"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id} was cut short and has been undone")
        self.task_id = task_id


class TasksInTheWay(StorageError):
    wire_name = "TaskInProgress"

    def __init__(self, pool: str, tasks: list[str]) -> None:
        super().__init__(f"pool {pool} has tasks that were not cleared: {', '.join(tasks[:10])}")
        self.tasks = tasks


class MasterMoves(StorageError):
    wire_name = "AddTaskError"

    def __init__(self) -> None:
        super().__init__("the pool's master is being moved: nothing can be started for a moment")


class BadTaskRecord(StorageError):
    wire_name = "TaskMetaDataLoadError"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the record of a task cannot be used: {problem}")
        self.problem = problem


class NotSpm(StorageError):
    wire_name = "SpmStatusError"

    def __init__(self, pool: str = "") -> None:
        super().__init__(f"this host is not the SPM of {f'pool {pool}' if pool else 'its pool'}; nothing was done")
        self.pool = pool
