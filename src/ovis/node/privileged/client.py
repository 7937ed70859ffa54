"""The agent's side of the root helper.

    privileged = Privileged(child(repository=...))     # or at(socket)
    result = await privileged.call(Mount(source=..., target=..., type="nfs"))

The helper is started (or connected to) by the first call, and again after it died: the calls in flight fail with
HelperLost, and nobody knows what became of them; the next one meets a new helper. kill -9 of the agent closes the
socket: the helper ends its commands (SIGTERM, then SIGKILL) and itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

import msgspec

from ovis.node import flows
from ovis.node.privileged.errors import Busy, HelperLost, NoHelper, PrivilegedError, Refused, TieLost, TookTooLong
from ovis.node.privileged.protocol import (
    ANSWER_LIMIT,
    Answer,
    Call,
    Cancel,
    Failure,
    FailureKind,
    Progress,
    ProtocolError,
    Request,
    TieNumbers,
    encode,
    frame,
    from_helper,
    read_frame,
)

log = logging.getLogger(__name__)

ANSWER_WITHIN = 20.0
"""After the deadline of a call: its command is being ended. A helper that is silent for longer is given up."""
START_WITHIN = 20.0
CLOSED_WITHIN = 1.5
"""A helper that we leave ends its commands, which may take longer, and then itself."""
PROGRAM = (sys.executable, "-P", "-m", "ovis.node.privileged")

T = TypeVar("T")
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Helper:
    """`process`: None when somebody else started it."""

    reader: StreamReader
    writer: StreamWriter
    process: Process | None


Open = Callable[[], Awaitable[Helper]]
SERVICE = Path("/run/ovis-privileged/socket")
"""Where the helper listens when it runs as a service of its own."""


def found(
    path: Path | None, *, repository: PurePosixPath, user: int, group: int, options: Sequence[str] = ()
) -> Privileged:
    """The helper at `path`; None: one of our own if we are root, else the service at its usual place."""
    if path is None and os.geteuid() == 0:
        return Privileged(child(repository=repository, user=user, group=group, options=options))
    return Privileged(at(path or SERVICE))


def at(path: Path) -> Open:
    """A helper that runs as a service."""

    async def connect() -> Helper:
        reader, writer = await asyncio.open_unix_connection(path)
        return Helper(reader, writer, None)

    return connect


def child(
    *, repository: PurePosixPath, user: int, group: int, options: Sequence[str] = (), program: Sequence[str] = PROGRAM
) -> Open:
    """A helper of our own: the agent is root."""

    async def start() -> Helper:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *(*program, "--inherited", str(theirs.fileno())),
                    *("--repository", str(repository), "--user", str(user), "--group", str(group), *options),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C at a terminal is for the agent alone
                )
            reader, writer = await asyncio.open_unix_connection(sock=ours)
        except BaseException:
            ours.close()
            raise
        return Helper(reader, writer, process)

    return start


class Tie(Protocol):
    """An open file that keeps a lease of this process held (ties.py)."""

    @property
    def holder(self) -> int:
        """The process that has the lease; 0: the file itself is the lock."""

    def fileno(self) -> int: ...

    def keep(self) -> None:
        """A command that has inherited it may live on, though its call has ended."""


class Root(Protocol):
    """What those who need root are given: Privileged, or in tests something that behaves like it."""

    async def call(self, request: Request[T], *, seconds: float | None = None, told: Told | None = None) -> T: ...


class TyingRoot(Root, Protocol):
    """One whose commands can be tied to a lease."""

    async def call(
        self,
        request: Request[T],
        *,
        seconds: float | None = None,
        told: Told | None = None,
        ties: Sequence[Tie] = (),
    ) -> T: ...


class Privileged:
    def __init__(self, open_helper: Open) -> None:
        self._open = open_helper
        self._opening = asyncio.Lock()
        self._link: _Link | None = None
        self._closed = False

    async def call(
        self,
        request: Request[T],
        *,
        seconds: float | None = None,
        told: Told | None = None,
        ties: Sequence[Tie] = (),
    ) -> T:
        """The verb's answer. `told` gets its progress (bytes done, bytes in all). Its commands inherit the `ties`.

        Raises PrivilegedError, OSError. When cancelled, the command has ended on return, or the helper has.
        """
        link = await self._linked(type(request).__name__)
        with contextlib.ExitStack() as stack:
            numbers = tuple(_numbers(tie, stack) for tie in ties)
            waiting = _Waiting(type(request).__name__, request.seconds if seconds is None else seconds, told)
            try:
                return await link.call(request, waiting, numbers)
            finally:
                if waiting.is_left or link.is_lost:
                    for tie in ties:
                        tie.keep()

    async def close(self) -> None:
        """End the helper, if it is ours, and with it whatever it does."""
        self._closed = True
        async with self._opening:
            if self._link is not None:
                await self._link.close()

    @property
    def process(self) -> int | None:
        """Of the running helper, if it is ours."""
        return self._link.process if self._link is not None and not self._link.is_lost else None

    async def _linked(self, what: str) -> _Link:
        async with self._opening:
            if self._closed:
                raise NoHelper(f"it is being ended; {what} was not begun")
            if self._link is None or self._link.is_lost:
                if self._link is not None:
                    await self._link.close()
                    self._link = None
                try:
                    async with asyncio.timeout(START_WITHIN):
                        self._link = _Link(await self._open())
                except (OSError, TimeoutError) as error:
                    raise NoHelper(str(error) or f"no answer within {START_WITHIN:g} s") from error
            return self._link


class _Waiting:
    def __init__(self, what: str, seconds: float, told: Told | None) -> None:
        self.what = what
        self.seconds = seconds
        self.told = told
        self.is_left = False
        self.answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()


class _Link:
    """One life of a helper."""

    def __init__(self, helper: Helper) -> None:
        self._helper = helper
        self._waiting: dict[int, _Waiting] = {}
        self._next = 0
        self.is_lost = False
        self._reading = asyncio.create_task(self._read(), name="root helper")

    @property
    def process(self) -> int | None:
        return self._helper.process.pid if self._helper.process else None

    async def call(self, request: Request[T], waiting: _Waiting, ties: tuple[TieNumbers, ...]) -> T:
        what, seconds = waiting.what, waiting.seconds
        if self.is_lost:
            raise HelperLost(what)
        self._next += 1
        number = self._next
        self._waiting[number] = waiting
        self._helper.writer.write(frame(Call(number, seconds, msgspec.Raw(encode(request)), ties, flows.current())))
        try:
            async with asyncio.timeout(seconds + ANSWER_WITHIN):
                answer = await asyncio.shield(waiting.answer)
        except TimeoutError as error:
            self._give_up("it does not answer")
            raise TookTooLong(what, seconds) from error
        except asyncio.CancelledError:
            await self._cancel(number, waiting)
            raise
        finally:
            self._waiting.pop(number, None)
        return msgspec.msgpack.decode(answer, type=request.answer)

    async def close(self) -> None:
        self._lose()
        self._helper.writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        process = self._helper.process
        if process is not None and process.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSED_WITHIN):
                    await process.wait()

    async def _cancel(self, number: int, waiting: _Waiting) -> None:
        """Until the command has ended: what the caller undoes next must not meet it."""
        if self.is_lost or waiting.answer.done():
            return
        self._helper.writer.write(frame(Cancel(number)))
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await asyncio.wait([waiting.answer])
        except TimeoutError:
            self._give_up("it does not end a command")

    async def _read(self) -> None:
        try:
            while (data := await read_frame(self._helper.reader, ANSWER_LIMIT)) is not None:
                self._take(from_helper(data))
        except (ProtocolError, msgspec.DecodeError, OSError) as error:
            self._give_up(str(error))
        finally:
            self._lose()

    def _take(self, message: Answer | Failure | Progress) -> None:
        waiting = self._waiting.get(message.number)
        if waiting is None or waiting.answer.done():
            return
        match message:
            case Progress():
                if waiting.told is not None:
                    waiting.told(message.done, message.total)
            case Answer():
                waiting.answer.set_result(message.result)
            case Failure():
                waiting.is_left = message.is_left
                waiting.answer.set_exception(_error(message, waiting))
                waiting.answer.exception()  # seen, also when the caller was cancelled

    def _give_up(self, problem: str) -> None:
        """Its commands get SIGTERM from the kernel."""
        log.error("the root helper is given up: %s", problem)
        process = self._helper.process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        self._helper.writer.close()
        self._lose()

    def _lose(self) -> None:
        self.is_lost = True
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(HelperLost(waiting.what))
                waiting.answer.exception()


def _numbers(tie: Tie, stack: contextlib.ExitStack) -> TieNumbers:
    """Of a copy that stays open for the length of a call, whatever becomes of the original."""
    descriptor = os.dup(tie.fileno())
    stack.callback(os.close, descriptor)
    return TieNumbers(descriptor, os.fstat(descriptor).st_ino, tie.holder)


def _error(failure: Failure, call: _Waiting) -> Exception:
    what, problem = failure.what, failure.problem
    match failure.kind:
        case FailureKind.REFUSED:
            return Refused(what, problem)
        case FailureKind.BUSY:
            return Busy(what, problem)
        case FailureKind.DEADLINE:
            return TookTooLong(call.what, call.seconds)
        case FailureKind.CANCELLED:
            return HelperLost(what)
        case FailureKind.LOST:
            return TieLost(what)
        case FailureKind.KERNEL:
            return OSError(failure.error, os.strerror(failure.error) if failure.error else problem, what)
        case _:
            return PrivilegedError(f"{what} failed inside the root helper: {problem}")
