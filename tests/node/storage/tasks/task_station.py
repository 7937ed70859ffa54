"""Tasks on a folder, with steps that write down what they did: the model that a recovered task must equal."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, cast

from ovis.client.types import TaskResult
from ovis.node.storage.claims import Claims
from ovis.node.storage.io.interface import IoLost
from ovis.node.storage.storage import Storage
from ovis.node.storage.tasks.folder_store import FolderStore
from ovis.node.storage.tasks.steps import Step, Work, step
from ovis.node.storage.tasks.tasks import Tasks


@step("volume.tried_make")
@dataclass(frozen=True)
class Make(Step):
    """Makes a file; `fail` raises before or after it."""

    path: str
    fail: str = ""
    undo_fails: bool = False

    async def do(self, work: Work) -> None:
        if self.fail == "before":
            raise OSError(5, "before")
        put(self.path, work.task_id)
        if self.fail == "after":
            raise OSError(5, "after")
        if self.fail == "hang":
            await asyncio.Event().wait()

    async def undo(self, work: Work) -> None:
        if self.undo_fails:
            raise OSError(28, "no room to undo")
        drop(self.path)


@step("volume.tried_final")
@dataclass(frozen=True)
class Final(Step):
    is_final: ClassVar[bool] = True
    path: str
    fail: bool = False

    async def do(self, work: Work) -> None:
        put(self.path, "final")
        if self.fail:
            raise OSError(5, "after the point of no return")


@step("volume.tried_mortal")
@dataclass(frozen=True)
class Mortal(Step):
    """Its process dies so often before it is done."""

    is_final: ClassVar[bool] = True
    path: str
    deaths: int

    async def do(self, work: Work) -> None:
        tries = Path(self.path + ".tries")
        put(str(tries), "x" * (len(tries.read_text()) + 1 if tries.exists() else 1))  # noqa: ASYNC240
        if len(tries.read_text()) <= self.deaths:  # noqa: ASYNC240
            raise IoLost("write", PurePosixPath(self.path))
        put(self.path, "done")


@step("volume.tried_note")
@dataclass(frozen=True)
class Note(Step):
    path: str

    async def do(self, work: Work) -> None:
        if "slot" not in work.notes:
            await work.remember(slot=7)
        put(self.path, str(work.notes["slot"]))


class MortalStore(FolderStore):
    """Dies at the n-th save: before it, or after it."""

    def __init__(self, folder: Path, *, dies_at: int = 0, after: bool = False) -> None:
        super().__init__(folder)
        self.saves = 0
        self._dies_at, self._after = dies_at, after
        self._died = asyncio.Event()

    async def save(self, task_id: str, record: bytes) -> None:
        self.saves += 1
        dies = self._dies_at and self.saves >= self._dies_at
        if dies and not (self._after and self.saves == self._dies_at):
            await self._die()
        self._save(task_id, record)
        if dies:
            await self._die()

    async def died(self) -> None:
        async with asyncio.timeout(20):
            await self._died.wait()

    async def _die(self) -> None:
        self._died.set()
        await asyncio.Event().wait()  # nothing of this process happens any more


class FakeStorage:
    def __init__(self) -> None:
        self.claims = Claims()
        self.now: Callable[[], float] = lambda: 1_700_000_000.0


def tasks_on(store: Any, *, at_once: int = 10) -> Tasks:
    return Tasks(cast(Storage, FakeStorage()), store, at_once=at_once)


async def ended(tasks: Tasks, task_id: str) -> TaskResult:
    async with asyncio.timeout(20):
        return (await tasks.wait(task_id)).result


def content(folder: Path) -> Mapping[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


async def made(folder: Path, name: str) -> None:
    for _ in range(2000):
        if name in content(folder):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{name} was never made")


def put(path: str, text: str) -> None:
    Path(path).write_text(text)


def drop(path: str) -> None:
    Path(path).unlink(missing_ok=True)
