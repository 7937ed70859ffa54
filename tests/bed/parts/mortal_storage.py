"""The storage of an agent over a real volume group, of which a part dies at a chosen change.

    agent     while LVM works for it, before it writes, or when a program that it ran has ended; its next life recovers
    helper    the root helper, while LVM works
    io        `ovis-io`, before it writes
    disk      answers with EIO from then on, until the operation has ended

The agent lives on in the last three: the operation fails, and what it had done is undone, as far as that can be.
"""

import asyncio
import os
import signal
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

from ovis.node import processes
from ovis.node.errors import NodeError
from ovis.node.jobs import Jobs
from ovis.node.privileged.lvm import READING, RunLvm
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.parts import Parts
from ovis.node.storage.settings import StorageSettings
from ovis.node.storage.storage import Storage
from ovis.wire.events import Bus
from tests.bed.parts.failing_disk import FailingDisk
from tests.bed.parts.programs import until

STRUCK = 7  # an exit status
Work = Callable[[Storage], Awaitable[Any]]
WRITES = ("write", "replace", "create", "resize", "make_folder", "rename", "remove")


@dataclass
class Fate:
    """`left`: changes that it lets pass before it strikes."""

    victim: str = ""
    left: int = 0
    has_struck: bool = False

    def become(self, other: "Fate") -> None:
        self.victim, self.left = other.victim, other.left

    def strikes(self, victim: str) -> bool:
        if victim != self.victim or self.has_struck:
            return False
        self.left -= 1
        self.has_struck = self.left < 0
        return self.has_struck


class MortalRoot:
    def __init__(self, root: Any, fate: Fate, disk: FailingDisk) -> None:
        self._root, self._fate, self._disk = root, fate, disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._root, name)

    async def call(self, request: Any, **more: Any) -> Any:
        if not isinstance(request, RunLvm) or request.arguments[0] in READING:
            return await self._root.call(request, **more)
        if self._fate.strikes("disk"):
            await asyncio.to_thread(self._disk.fail)
        kills_agent, kills_helper = self._fate.strikes("agent"), self._fate.strikes("helper")
        if not kills_agent and not kills_helper:
            return await self._root.call(request, **more)
        doing = asyncio.create_task(self._root.call(request, **more))
        await asyncio.to_thread(until, "LVM runs", lambda: doing.done() or has_child(self._root.process))
        os.kill(os.getpid() if kills_agent else self._root.process, signal.SIGKILL)
        return await doing


class MortalIo:
    def __init__(self, io: Any, fate: Fate, disk: FailingDisk) -> None:
        self._io, self._fate, self._disk = io, fate, disk

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._io, name)
        if name not in WRITES:
            return call

        async def change(*arguments: Any, **options: Any) -> Any:
            if self._fate.strikes("agent"):
                os.kill(os.getpid(), signal.SIGKILL)
            if self._fate.strikes("disk"):
                await asyncio.to_thread(self._disk.fail)
            if self._fate.strikes("io") and self._io.pid is not None:
                os.kill(self._io.pid, signal.SIGKILL)
            return await call(*arguments, **options)

        return change


class MortalParts(Parts):
    def __init__(self, settings: StorageSettings, disk: FailingDisk) -> None:
        super().__init__(settings)
        self.fate, self._disk = Fate(), disk

    @property
    def privileged(self) -> Any:
        return MortalRoot(self._own_privileged, self.fate, self._disk)

    def _block_io(self, domain: DomainId) -> Any:
        io, close = super()._block_io(domain)
        return MortalIo(io, self.fate, self._disk), close


@dataclass(frozen=True)
class Place:
    folder: Path
    domain: DomainId
    disk: FailingDisk

    def live(self, work: Work) -> Any:
        """One life of the agent: what an earlier one left is recovered, then `work`."""
        return asyncio.run(self._live(work))

    def deaths(self, victim: str, before: Work, work: Work, *, stride: int = 1) -> int:
        """Lives of an agent: each recovers what the one before left and does `before`; then, in `work`, the victim is
        killed, ever later. The last one does not kill anybody, and does `before` once more. How many died."""
        lives = 0
        while self._dies(Fate(victim, lives * stride), before, work):
            lives += 1
        return lives

    async def _live(self, work: Work) -> Any:
        async with self.storage() as storage:
            domain = await storage.domain(self.domain)
            await domain.locks.join(domain.lockspace, 1)
            storage.tie(domain.locks.tie(domain.lockspace))  # the manager, as far as leases go
            await storage.tasks.recover_own()
            for task in storage.tasks.tagged(""):
                await storage.tasks.wait(task.task_id)
            return await work(storage)

    @asynccontextmanager
    async def storage(self) -> AsyncIterator[Storage]:
        (self.folder / "mnt").mkdir(parents=True, exist_ok=True)
        settings = StorageSettings(
            state=self.folder / "state",
            run=self.folder / "run",
            repository=Repository(PurePosixPath(self.folder), PurePosixPath(self.folder / "links")),
            owner=(0, 0),
            locks="local",
            lvm_filter=(f"^{self.disk.device}$",),
        )
        storage = Storage(settings, Jobs(Bus()), Bus(), parts=MortalParts(settings, self.disk))
        try:
            yield storage
        finally:
            await storage.close()

    def _dies(self, fate: Fate, before: Work, work: Work) -> bool:
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(STRUCK if self._in_child(fate, before, work) else 0)
            except BaseException:
                traceback.print_exc()
                raise
            finally:
                os._exit(1)
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            return True
        assert os.WEXITSTATUS(status) in (0, STRUCK), f"{fate}: it failed by itself"
        return os.WEXITSTATUS(status) == STRUCK

    def _in_child(self, fate: Fate, before: Work, work: Work) -> bool:
        async def main(storage: Storage) -> bool:
            await before(storage)
            now = cast(MortalParts, storage.parts).fate
            _watch_programs(now)
            now.become(fate)
            try:
                await work(storage)
            except (NodeError, OSError):
                if not now.has_struck:
                    raise
            finally:
                if now.has_struck and now.victim == "disk":
                    self.disk.mend()
            if not now.has_struck:
                now.become(Fate())
                await before(storage)
            return now.has_struck

        return bool(asyncio.run(self._live(main)))


def _watch_programs(fate: Fate) -> None:
    """In this process, which ends soon."""
    call = processes.run

    async def watched(command: processes.Command, **options: Any) -> processes.Ended:
        ended = await call(command, **options)
        if fate.strikes("agent"):
            os.kill(os.getpid(), signal.SIGKILL)
        return ended

    processes.run = watched


def has_child(process: int | None) -> bool:
    return process is not None and bool(Path(f"/proc/{process}/task/{process}/children").read_text())
