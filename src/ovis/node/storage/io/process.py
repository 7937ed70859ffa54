"""FileIo through an ovis-io process (serve.py), which is started at the first call and replaced when it hangs.

                 call         deadline passes
    (no process) ────> serves ───────────────> killed ──> reaped, soon
         ^               │ ends by itself         └─────> abandoned: it sleeps in the kernel and cannot die yet
         └───────────────┴── next call: a new one

A killed process is never waited for. While `abandoned_limit` of them hang on one storage no further one is started and
calls fail at once (IoStuck); each that ends in the end makes room again.

Calls that were under way in a process that is replaced for another call's sake: looks are done again, once, by the next
one; changes raise IoLost, because the kernel may still be doing them.

Changes under a lease (leases/held.py) are made by a process that inherited what keeps the lease held: it dies with the
lease, and as long as it lives no other host has it. This host's role as SPM counts for all processes, so they are the
same one where the SPM works; a job under the lease of a volume has one more, which the lease's holder ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.storage.io import messages
from ovis.node.storage.io.child import LATE, Answer, Child, start
from ovis.node.storage.io.interface import FileFacts, IoFailure, IoLost, IoStuck, IoTimeout, Space
from ovis.node.storage.io.messages import Request
from ovis.node.storage.leases import held

if TYPE_CHECKING:
    from ovis.node.storage.leases.interface import Tie

log = logging.getLogger(__name__)

DEADLINE = 60.0  # as existing agents have it
AT_ONCE = 10  # as many threads as a process has
ABANDONED_LIMIT = 3
END_WITHIN = 2.0  # a process that does nothing ends within a millisecond
ALLOCATE_STEP = 256 << 20  # where the C library has to emulate it (NFS 3) some 65,000 writes
ROWS_AT_A_TIME = 250  # a millisecond of the agent's time


class IoProcess:
    """`roots`: folders that it may work in; `device_roots`: folders below /dev whose block devices it may read and
    write. `owner`: user and group that it becomes when the agent is root; its new files are theirs. `role`: what ties
    all its processes to a lease; after a change of it comes `renew`."""

    def __init__(
        self,
        roots: Sequence[PurePosixPath],
        *,
        device_roots: Sequence[PurePosixPath] = (),
        seconds: float = DEADLINE,
        abandoned_limit: int = ABANDONED_LIMIT,
        owner: tuple[int, int] | None = None,
        role: Callable[[], Sequence[Tie]] = tuple,
    ) -> None:
        self._arguments = [str(root) for root in roots]
        self._arguments += [word for root in device_roots for word in ("--devices", str(root))]
        if owner is not None and os.geteuid() == 0:
            self._arguments += ["--owner", f"{owner[0]}:{owner[1]}"]
        self._role = role
        self._seconds = seconds
        self._abandoned_limit = abandoned_limit
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._starting = asyncio.Lock()
        self._process: Child | None = None
        self._tied: dict[tuple[Tie, ...], Child] = {}
        self._killed: set[Child] = set()
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def abandoned(self) -> int:
        """Processes that were killed and have not ended yet."""
        return len(self._killed)

    def renew(self, *, at_once: bool = False) -> None:
        """Calls from now on are another process's; this one ends when those under way have been answered. `at_once`: it
        is killed, and changes under way raise IoLost."""
        process, self._process = self._process, None
        if process is None:
            return
        if at_once:
            self._killed.add(process)
            process.kill()
        else:
            process.retire()

    async def close(self) -> None:
        """End the process. What hangs is left to end when it can. Repeatable; calls fail from now on."""
        self._is_closed = True
        processes = [*([self._process] if self._process else []), *self._tied.values()]
        self._process = None
        self._tied.clear()
        for process in processes:
            process.hang_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN):
                for process in processes:
                    await process.ended.wait()
        for process in processes:
            if not process.ended.is_set():
                process.kill()
        for left in [*self._killed, *processes]:
            left.forget()
        self._killed.clear()

    async def read(
        self, path: PurePosixPath, *, offset: int = 0, size: int, direct: bool = False, seconds: float | None = None
    ) -> bytes:
        until = self._until(seconds)
        flags = messages.DIRECT if direct else 0
        parts: list[bytes] = []
        while size > 0:
            wanted = min(size, messages.CHUNK)
            part = await self._call(
                Request(messages.READ, os.fsencode(path), offset=offset, size=wanted, flags=flags), path, until
            )
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
            if len(part) < wanted:
                break
        return b"".join(parts)

    async def write(
        self, path: PurePosixPath, data: bytes, *, offset: int = 0, direct: bool = False, seconds: float | None = None
    ) -> None:
        until = self._until(seconds)
        flags = messages.DIRECT if direct else 0
        for at in range(0, max(1, len(data)), messages.CHUNK):
            part = data[at : at + messages.CHUNK]
            await self._call(
                Request(messages.WRITE, os.fsencode(path), offset=offset + at, flags=flags, data=part), path, until
            )

    async def replace(
        self, path: PurePosixPath, data: bytes, *, mode: int = 0o644, seconds: float | None = None
    ) -> None:
        if len(data) > messages.WHOLE_LIMIT:
            raise ValueError(f"{len(data)} bytes cannot be replaced in one piece, only {messages.WHOLE_LIMIT}")
        await self._do(Request(messages.REPLACE, os.fsencode(path), mode=mode, data=data), path, seconds)

    async def create(
        self, path: PurePosixPath, *, size: int = 0, mode: int = 0o644, allocate: bool = False,
        seconds: float | None = None,
    ) -> None:  # fmt: skip
        await self._do(Request(messages.CREATE, os.fsencode(path), mode=mode, size=size), path, seconds)
        if allocate:
            try:
                await self._allocate(path, 0, size, seconds)
            except OSError:
                await self.remove(path, missing_ok=True, seconds=seconds)
                raise

    async def resize(
        self, path: PurePosixPath, size: int, *, allocate: bool = False, seconds: float | None = None
    ) -> None:
        before = (await self.facts(path, seconds=seconds)).size if allocate else 0
        await self._do(Request(messages.RESIZE, os.fsencode(path), size=size), path, seconds)
        if allocate and size > before:
            try:
                await self._allocate(path, before, size, seconds)
            except OSError:
                await self._do(Request(messages.RESIZE, os.fsencode(path), size=before), path, seconds)
                raise

    async def _allocate(self, path: PurePosixPath, begin: int, end: int, seconds: float | None) -> None:
        for at in range(begin, end, ALLOCATE_STEP):
            step = min(ALLOCATE_STEP, end - at)
            await self._do(Request(messages.ALLOCATE, os.fsencode(path), offset=at, size=step), path, seconds)

    async def make_folder(self, path: PurePosixPath, *, mode: int = 0o755, seconds: float | None = None) -> None:
        await self._do(Request(messages.MAKE_FOLDER, os.fsencode(path), mode=mode), path, seconds)

    async def rename(self, path: PurePosixPath, to: PurePosixPath, *, seconds: float | None = None) -> None:
        await self._do(Request(messages.RENAME, os.fsencode(path), to=os.fsencode(to)), path, seconds)

    async def link(self, path: PurePosixPath, to: PurePosixPath, *, seconds: float | None = None) -> None:
        await self._do(Request(messages.LINK, os.fsencode(path), to=os.fsencode(to)), path, seconds)

    async def remove(self, path: PurePosixPath, *, missing_ok: bool = False, seconds: float | None = None) -> None:
        flags = messages.MISSING_OK if missing_ok else 0
        await self._do(Request(messages.REMOVE, os.fsencode(path), flags=flags), path, seconds)

    async def remove_tree(self, path: PurePosixPath, *, seconds: float | None = None) -> None:
        await self._do(Request(messages.REMOVE_TREE, os.fsencode(path)), path, seconds)

    async def facts(self, path: PurePosixPath, *, seconds: float | None = None) -> FileFacts:
        body = await self._do(Request(messages.FACTS, os.fsencode(path)), path, seconds)
        (row,) = messages.rows(body)
        return _file_facts(row)

    async def names(self, path: PurePosixPath, *, seconds: float | None = None) -> Collection[str]:
        body = await self._do(Request(messages.NAMES, os.fsencode(path)), path, seconds)
        return [os.fsdecode(name) for name in body.split(b"\0")[:-1]]

    async def tree(
        self, path: PurePosixPath, *, depth: int = 1, seconds: float | None = None
    ) -> Mapping[PurePosixPath, FileFacts]:
        body = await self._do(Request(messages.TREE, os.fsencode(path), offset=depth), path, seconds)
        found: dict[PurePosixPath, FileFacts] = {}
        for number, row in enumerate(messages.rows(body), 1):
            found[PurePosixPath(os.fsdecode(row[6]))] = _file_facts(row)
            if number % ROWS_AT_A_TIME == 0:
                await asyncio.sleep(0)
        return found

    async def listing(
        self, path: PurePosixPath, *, seconds: float | None = None
    ) -> Mapping[str, Mapping[str, FileFacts]]:
        body = await self._do(Request(messages.TREE, os.fsencode(path), offset=2), path, seconds)
        found: dict[str, dict[str, FileFacts]] = {}
        for number, row in enumerate(messages.rows(body), 1):
            folder, inner, name = os.fsdecode(row[6]).partition("/")
            if inner:
                found[folder][name] = _file_facts(row)
            elif row[0] == messages.FOLDER:
                found[folder] = {}
            if number % ROWS_AT_A_TIME == 0:
                await asyncio.sleep(0)
        return found

    async def space(self, path: PurePosixPath, *, seconds: float | None = None) -> Space:
        body = await self._do(Request(messages.SPACE, os.fsencode(path)), path, seconds)
        return Space(*messages.SPACE_BODY.unpack(body))

    async def read_delay(self, path: PurePosixPath, *, seconds: float | None = None) -> float:
        body = await self._do(Request(messages.READ_DELAY, os.fsencode(path)), path, seconds)
        delay: float = messages.DELAY_BODY.unpack(body)[0]
        return delay

    def _until(self, seconds: float | None) -> tuple[float, float]:
        seconds = self._seconds if seconds is None else seconds
        return asyncio.get_running_loop().time() + seconds, seconds

    async def _do(self, request: Request, path: PurePosixPath, seconds: float | None) -> bytes:
        return await self._call(request, path, self._until(seconds))

    async def _call(self, request: Request, path: PurePosixPath, until: tuple[float, float]) -> bytes:
        """The body of the answer. Raises OSError, IoTimeout, IoLost, IoStuck."""
        tries = 2 if request.operation in messages.LOOKS else 1
        for _ in range(tries):
            outcome = await self._ask(request, path, until)
            if isinstance(outcome, Answer):
                if outcome.code:
                    raise OSError(outcome.code, os.strerror(outcome.code), os.fsdecode(outcome.body))
                return outcome.body
            if outcome is LATE:
                raise _late(request, path, until[1])
        raise IoLost(messages.OPERATIONS[request.operation], path)

    async def _ask(self, request: Request, path: PurePosixPath, until: tuple[float, float]) -> object:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(until[0]):
                await self._slots.acquire()
        except TimeoutError:
            raise _late(request, path, until[1]) from None
        try:
            ties = () if request.operation in messages.LOOKS else _needed()
            process = await self._running(request, path, ties)
            answer = process.ask(request)
        except BaseException:
            self._slots.release()
            raise
        # the deadline holds for the call, not for who waits: one that was cancelled must not hang unseen
        timer = loop.call_at(until[0], self._too_late, process, answer)

        def answered(_: object) -> None:
            timer.cancel()
            self._slots.release()

        answer.add_done_callback(answered)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            if ties:
                await asyncio.shield(self._over(process, answer, ties))
            raise

    async def _over(self, process: Child, answer: asyncio.Future[object], ties: tuple[Tie, ...]) -> None:
        """Until a change that nobody waits for any more is done, or cannot be: its lease may be given back then."""
        await asyncio.wait([answer], timeout=END_WITHIN)
        if answer.done():
            return
        self._let_go(process)
        if not process.ended.is_set():
            self._killed.add(process)
        process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN):
                await process.ended.wait()
        if not process.ended.is_set():
            held.keep(ties)

    async def _running(self, request: Request, path: PurePosixPath, ties: tuple[Tie, ...]) -> Child:
        async with self._starting:
            if self._is_closed:
                raise IoLost(messages.OPERATIONS[request.operation], path)
            role = tuple(self._role())
            is_plain = {*ties} <= {*role}
            process = self._process if is_plain else self._tied.get(ties)
            if process is None:
                if len(self._killed) >= self._abandoned_limit:
                    raise IoStuck(messages.OPERATIONS[request.operation], path, len(self._killed))
                inherited = [tie.fileno() for tie in (role if is_plain else ties)]
                process = await start(self._arguments, self._ended, inherited)
                if self._is_closed:
                    process.kill()
                    raise IoLost(messages.OPERATIONS[request.operation], path)
                if is_plain:
                    self._process = process
                else:
                    self._tied[ties] = process
            return process

    def _ended(self, process: Child) -> None:
        """The process is gone, or does not talk to us any more."""
        self._let_go(process)
        if process.ended.is_set():
            self._killed.discard(process)

    def _let_go(self, process: Child) -> bool:
        """Whether it was in use; it is asked nothing more."""
        if process is self._process:
            self._process = None
            return True
        for ties, tied in list(self._tied.items()):
            if tied is process:
                del self._tied[ties]
                return True
        return False

    def _too_late(self, process: Child, answer: asyncio.Future[object]) -> None:
        if answer.done():
            return
        answer.set_result(LATE)
        if self._let_go(process):
            log.warning("ovis-io process %d for %s hangs and is replaced", process.pid, " ".join(self._arguments))
        if not process.ended.is_set():
            self._killed.add(process)
        process.kill()


def _needed() -> tuple[Tie, ...]:
    """Of the running operation. A lock of this host alone needs none: these processes end with the agent."""
    return tuple(tie for tie in held.ties() if tie.holder)


def _late(request: Request, path: PurePosixPath, seconds: float) -> IoFailure:
    return IoTimeout(messages.OPERATIONS[request.operation], path, seconds)


def _file_facts(row: tuple[int, int, int, int, int, float, bytes]) -> FileFacts:
    kind, mode, links, size, allocated, modified, _ = row
    return FileFacts(messages.KINDS[kind], size, allocated, modified, mode, links)
