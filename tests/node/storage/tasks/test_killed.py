"""kill -9 of a real process at each moment of a task: the next one leaves all of it or nothing."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from mortal_program import TASK
from task_station import tasks_on

from ovis.client.types import TaskResult
from ovis.node.storage.tasks.errors import NoSuchTask
from ovis.node.storage.tasks.folder_store import FolderStore
from ovis.node.storage.tasks.tasks import Tasks

PROGRAM = Path(__file__).with_name("mortal_program.py")


def killed_at(folder: Path, moment: int, *, fails: bool) -> bool:
    folder.mkdir()
    command = [sys.executable, str(PROGRAM), str(folder), str(moment), "fails" if fails else "works"]
    code = subprocess.run(command, timeout=60, check=False).returncode
    assert code in (0, -9)
    return code == -9


async def recovered(folder: Path) -> tuple[TaskResult | None, set[str]]:
    tasks = tasks_on(FolderStore(folder / "tasks"))
    await tasks.recover_own()
    result = await _result(tasks)
    return result, {name for name in "abc" if (folder / name).exists()}


async def _result(tasks: Tasks) -> TaskResult | None:
    try:
        return (await tasks.wait(TASK)).result
    except NoSuchTask:
        return None


@pytest.mark.parametrize("moments", [range(1, 9), range(9, 17), range(17, 40)], ids=["start", "middle", "end"])
@pytest.mark.parametrize("fails", [False, True], ids=["works", "fails"])
def test_all_or_nothing(tmp_path: Path, moments: range, fails: bool) -> None:
    for moment in moments:
        folder = tmp_path / str(moment)
        was_killed = killed_at(folder, moment, fails=fails)
        result, left = asyncio.run(recovered(folder))
        again = asyncio.run(recovered(folder))
        assert again == (result, left), moment
        if result is TaskResult.SUCCESS:
            assert (left, fails) == ({"a", "b", "c"}, False), moment
        else:
            assert result in (TaskResult.CLEAN_SUCCESS, None), moment
            assert left == set(), moment
        if not was_killed:
            return
