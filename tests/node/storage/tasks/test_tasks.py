import asyncio
from pathlib import Path

import pytest
from task_station import Final, Make, Mortal, MortalStore, Note, content, ended, made, tasks_on

from ovis.client.types import TaskResult, TaskState
from ovis.node.storage.claims import Claim
from ovis.node.storage.tasks.errors import NoSuchTask, NotSpm, TaskNotSaved, WrongTaskState
from ovis.node.storage.tasks.folder_store import FolderStore
from ovis.node.storage.tasks.record import OnCrash
from ovis.node.storage.tasks.tasks import SPM, Tasks

CLAIM = [Claim("01_img_x/y")]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def three(work: Path, **last: object) -> list[Make]:
    return [Make(str(work / "a")), Make(str(work / "b")), Make(str(work / "c"), **last)]  # type: ignore[arg-type]


def test_steps_are_done_and_the_task_is_kept_until_cleared(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        task_id = await tasks.start("copyImage", three(work), claims=CLAIM)
        assert await ended(tasks, task_id) is TaskResult.SUCCESS
        assert set(content(work)) == {"a", "b", "c"}
        status = tasks.find(task_id).status
        assert (status.task_state, status.code) == (TaskState.FINISHED, 0)
        await tasks.clear(task_id)
        with pytest.raises(NoSuchTask):
            tasks.find(task_id)
        assert not list((tmp_path / "tasks").iterdir())

    asyncio.run(main())


@pytest.mark.parametrize("fail", ["before", "after"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_failure_undoes_all_that_was_begun(tmp_path: Path, work: Path, position: int, fail: str) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        steps = three(work)
        steps[position] = Make(steps[position].path, fail=fail)
        task_id = await tasks.start("copyImage", steps)
        assert await ended(tasks, task_id) is TaskResult.CLEAN_SUCCESS
        assert content(work) == {}
        assert tasks.find(task_id).status.code == 100

    asyncio.run(main())


def test_failed_undo_is_told_and_the_rest_is_undone_all_the_same(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        steps = [Make(str(work / "a")), Make(str(work / "b"), undo_fails=True), Make(str(work / "c"), fail="after")]
        task_id = await tasks.start("copyImage", steps)
        assert await ended(tasks, task_id) is TaskResult.CLEAN_FAILURE
        assert set(content(work)) == {"b"}
        assert "no room to undo" in tasks.find(task_id).status.message

    asyncio.run(main())


def test_stopped_task_is_undone(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        task_id = await tasks.start("copyImage", three(work, fail="hang"))
        await made(work, "c")
        tasks.stop(task_id)
        tasks.stop(task_id)
        assert await ended(tasks, task_id) is TaskResult.CLEAN_SUCCESS
        assert content(work) == {}
        assert tasks.find(task_id).status.code == 411

    asyncio.run(main())


def test_past_the_point_of_return_a_task_neither_stops_nor_goes_back(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        task_id = await tasks.start("deleteImage", [Final(str(work / "f")), Make(str(work / "c"), fail="hang")])
        await made(work, "c")
        with pytest.raises(WrongTaskState):
            tasks.stop(task_id)
        await tasks.close()
        failed = await tasks.start("deleteImage", [Final(str(work / "g"), fail=True)])
        assert await ended(tasks, failed) is TaskResult.CLEAN_FAILURE
        assert set(content(work)) == {"c", "f", "g"}

    asyncio.run(main())


def test_finished_task_can_be_reverted_once(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        task_id = await tasks.start("copyImage", three(work))
        await ended(tasks, task_id)
        await tasks.revert(task_id)
        assert await ended(tasks, task_id) is TaskResult.CLEAN_SUCCESS
        assert content(work) == {}
        with pytest.raises(WrongTaskState):
            await tasks.revert(task_id)

    asyncio.run(main())


def test_running_task_is_neither_cleared_nor_reverted(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        task_id = await tasks.start("copyImage", three(work, fail="hang"))
        for refused in (tasks.clear(task_id), tasks.revert(task_id)):
            with pytest.raises(WrongTaskState):
                await refused
        await tasks.close()

    asyncio.run(main())


@pytest.mark.parametrize(("deaths", "result"), [(1, TaskResult.SUCCESS), (9, TaskResult.CLEAN_FAILURE)])
def test_what_cannot_be_undone_is_done_again_when_its_process_dies(
    tmp_path: Path, work: Path, deaths: int, result: TaskResult
) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"))
        task_id = await tasks.start("deleteVolume", [Mortal(str(work / "a"), deaths)])
        assert await ended(tasks, task_id) is result

    asyncio.run(main())


@pytest.mark.parametrize("on_crash", list(OnCrash))
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [2, 3, 4, 5])
def test_killed_at_each_save_the_next_life_ends_it(
    tmp_path: Path, work: Path, dies_at: int, after: bool, on_crash: OnCrash
) -> None:
    async def main() -> None:
        store = MortalStore(tmp_path / "tasks", dies_at=dies_at, after=after)
        first = tasks_on(store)
        task_id = await first.start("copyImage", three(work), claims=CLAIM, on_crash=on_crash)
        await store.died()
        assert not first.find(task_id).has_ended
        second = tasks_on(FolderStore(tmp_path / "tasks"))
        await second.recover_own()
        result = await ended(second, task_id)
        was_finished = dies_at == 5 and after  # says the last record
        goes_on = on_crash is OnCrash.GO_ON and (dies_at > 2 or after)
        if was_finished or goes_on:
            assert (result, set(content(work))) == (TaskResult.SUCCESS, {"a", "b", "c"})
        elif on_crash is OnCrash.UNDO:
            assert (result, content(work)) == (TaskResult.CLEAN_SUCCESS, {})
        third = tasks_on(FolderStore(tmp_path / "tasks"))
        await third.recover_own()
        assert third.find(task_id).result is result

    asyncio.run(main())


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [5, 6, 7, 8, 9])
def test_killed_while_it_is_undone_the_next_life_undoes_the_rest(
    tmp_path: Path, work: Path, dies_at: int, after: bool
) -> None:
    async def main() -> None:
        store = MortalStore(tmp_path / "tasks", dies_at=dies_at, after=after)
        first = tasks_on(store)
        task_id = await first.start("copyImage", three(work, fail="after"), on_crash=OnCrash.GO_ON)
        await store.died()
        second = tasks_on(FolderStore(tmp_path / "tasks"))
        await second.recover_own()
        result = await ended(second, task_id)
        # Killed before the way back was on storage, a task that goes on tries again, and fails again.
        assert (result, content(work)) == (TaskResult.CLEAN_SUCCESS, {})

    asyncio.run(main())


def test_notes_survive(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        first = tasks_on(FolderStore(tmp_path / "tasks"))
        steps = [Note(str(work / "slot")), Make(str(work / "c"), fail="hang")]
        task_id = await first.start("createVolume", steps, on_crash=OnCrash.GO_ON)
        await made(work, "c")
        await first.close()
        second = tasks_on(FolderStore(tmp_path / "tasks"))
        await second.recover_own()
        assert second.find(task_id).notes == {"slot": 7}
        await second.close()

    asyncio.run(main())


def test_interrupted_tasks_get_their_claims_before_those_that_waited(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        first = tasks_on(FolderStore(tmp_path / "tasks"))
        holder = await first.start("copyImage", three(work, fail="hang"), claims=CLAIM, on_crash=OnCrash.GO_ON)
        await made(work, "c")
        waiting = await first.start("deleteImage", [Make(str(work / "late"))], claims=CLAIM)
        await first.close()
        second = tasks_on(FolderStore(tmp_path / "tasks"))
        await second.recover_own()
        assert await ended(second, waiting) is TaskResult.CLEAN_SUCCESS  # it had done nothing
        assert not second.find(holder).has_ended
        second.stop(holder)
        await ended(second, holder)
        assert content(work) == {}

    asyncio.run(main())


def test_tasks_of_the_spm_need_the_role_and_vanish_with_it(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "own"))
        with pytest.raises(NotSpm):
            await tasks.start("copyImage", three(work), tag=SPM)
        await tasks.take_over(FolderStore(tmp_path / "master"))
        task_id = await tasks.start("copyImage", three(work, fail="hang"), tag=SPM)
        await made(work, "c")
        await tasks.let_go()
        assert tasks.tagged(SPM) == []
        other = tasks_on(FolderStore(tmp_path / "other"))
        await other.take_over(FolderStore(tmp_path / "master"))
        assert await ended(other, task_id) is TaskResult.CLEAN_SUCCESS
        assert content(work) == {}

    asyncio.run(main())


def test_no_task_is_started_that_is_not_on_storage(tmp_path: Path, work: Path) -> None:
    class Full(FolderStore):
        async def save(self, task_id: str, record: bytes) -> None:
            raise OSError(28, "no space left")

    async def main() -> None:
        tasks = tasks_on(Full(tmp_path / "tasks"))
        with pytest.raises(TaskNotSaved):
            await tasks.start("copyImage", three(work))
        assert (tasks.tagged(""), content(work)) == ([], {})

    asyncio.run(main())


def test_end_is_not_told_before_it_is_on_storage(tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovis.node.storage.tasks.task.FIRST_PAUSE", 0.01)

    class Flaky(FolderStore):
        saves = 0

        async def save(self, task_id: str, record: bytes) -> None:
            self.saves += 1
            if b'"state":"finished"' in record and self.saves < 10:
                assert tasks.find(task_id).status.task_state is TaskState.RUNNING
                raise OSError(5, "away")
            await super().save(task_id, record)

    tasks: Tasks

    async def main() -> None:
        nonlocal tasks
        tasks = tasks_on(Flaky(tmp_path / "tasks"))
        task_id = await tasks.start("copyImage", three(work))
        assert await ended(tasks, task_id) is TaskResult.SUCCESS

    asyncio.run(main())


def test_important_tasks_go_first_when_slots_are_few(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        tasks = tasks_on(FolderStore(tmp_path / "tasks"), at_once=1)
        first = await tasks.start("copyImage", three(work, fail="hang"))
        await made(work, "c")
        steps = [Make(str(work / "x"), fail="hang")]
        low = await tasks.start("purge", steps, priority=5)
        high = await tasks.start("extend", [Make(str(work / "y"))], priority=0)
        tasks.stop(first)
        assert await ended(tasks, high) is TaskResult.SUCCESS
        assert not tasks.find(low).has_ended
        await tasks.close()

    asyncio.run(main())


def test_broken_record_is_left_alone_and_does_not_stop_the_others(tmp_path: Path, work: Path) -> None:
    async def main() -> None:
        folder = tmp_path / "tasks"
        first = tasks_on(FolderStore(folder))
        task_id = await first.start("copyImage", three(work))
        await ended(first, task_id)
        broken = "11111111-2222-4333-8444-555555555555"
        for name, data in ((broken, b"{"), (broken.replace("1", "2"), b'{"format": 9}')):
            (folder / name).mkdir()
            (folder / name / "task.json").write_bytes(data)
        second = tasks_on(FolderStore(folder))
        await second.recover_own()
        assert second.find(task_id).result is TaskResult.SUCCESS
        assert (folder / broken / "task.json").read_bytes() == b"{"

    asyncio.run(main())
