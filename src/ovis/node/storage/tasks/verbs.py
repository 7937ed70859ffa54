"""The verbs about tasks. An engine asks for them every few seconds, also of hosts that use no storage: those answer
from here, and no more of storage is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import TaskDetails, TaskInfo, TaskStatus
from ovis.client.verbs import (
    HostGetAllTasksArgs,
    HostGetAllTasksInfoArgs,
    HostGetAllTasksStatusesArgs,
    TaskClearArgs,
    TaskGetInfoArgs,
    TaskGetStatusArgs,
    TaskRevertArgs,
    TaskStopArgs,
)
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.tasks.task import Task

SPM = "spm"


@verb("Task.getStatus")
def get_status(node: Node, args: TaskGetStatusArgs) -> TaskStatus:
    return node.storage.tasks.find(args.task_id).status


@verb("Task.getInfo")
def get_info(node: Node, args: TaskGetInfoArgs) -> TaskInfo:
    return node.storage.tasks.find(args.task_id).info


@verb("Task.stop")
def stop(node: Node, args: TaskStopArgs) -> None:
    node.storage.tasks.stop(args.task_id)


@verb("Task.clear")
async def clear(node: Node, args: TaskClearArgs) -> None:
    await node.storage.tasks.clear(args.task_id)


@verb("Task.revert")
async def revert(node: Node, args: TaskRevertArgs) -> None:
    await node.storage.tasks.revert(args.task_id)


@verb("Host.getAllTasks")
def get_all_tasks(node: Node, args: HostGetAllTasksArgs) -> dict[str, TaskDetails]:
    return {task.task_id: task.details for task in _of_the_spm(node)}


@verb("Host.getAllTasksInfo")
def get_all_tasks_info(node: Node, args: HostGetAllTasksInfoArgs) -> dict[str, TaskInfo]:
    return {task.task_id: task.info for task in _of_the_spm(node)}


@verb("Host.getAllTasksStatuses")
def get_all_tasks_statuses(node: Node, args: HostGetAllTasksStatusesArgs) -> dict[str, TaskStatus]:
    return {task.task_id: task.status for task in _of_the_spm(node)}


def _of_the_spm(node: Node) -> list[Task]:
    return node.storage.tasks.tagged(SPM) if node.uses_storage else []
