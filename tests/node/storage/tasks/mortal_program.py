"""A process that runs one task and kills itself at a given moment: python mortal_program.py <folder> <moment>.

Moments are counted: before and after each save of the record, before and after each step's work and undo.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from task_station import drop, put, tasks_on

from ovis.node.storage.tasks.folder_store import FolderStore
from ovis.node.storage.tasks.steps import Step, Work, step

TASK = "77777777-2222-4333-8444-555555555555"


class Moments:
    left = 10**9

    @classmethod
    def one(cls) -> None:
        cls.left -= 1
        if cls.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@step("volume.mortal")
@dataclass(frozen=True)
class Mortal(Step):
    path: str
    fails: bool = False

    async def do(self, work: Work) -> None:
        Moments.one()
        put(self.path, "made")
        Moments.one()
        if self.fails:
            raise OSError(5, "it was to fail")

    async def undo(self, work: Work) -> None:
        Moments.one()
        drop(self.path)
        Moments.one()


class Store(FolderStore):
    async def save(self, task_id: str, record: bytes) -> None:
        Moments.one()
        await super().save(task_id, record)
        Moments.one()


async def main(folder: Path, moment: int, *, fails: bool) -> None:
    Moments.left = moment
    tasks = tasks_on(Store(folder / "tasks"))
    steps = [Mortal(str(folder / "a")), Mortal(str(folder / "b")), Mortal(str(folder / "c"), fails)]
    await tasks.start("copyImage", steps, task_id=TASK)
    await tasks.wait(TASK)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), fails=sys.argv[3] == "fails"))
