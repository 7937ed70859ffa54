"""One ovis-io process as the agent holds it: its socket, the calls under way, and when it is gone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ovis.node.storage.io import messages
from ovis.node.storage.io.messages import Request

log = logging.getLogger(__name__)

_PROGRAM = str(Path(__file__).with_name("__main__.py"))


# glibc would keep what large reads needed, 60 MB after thirty at once (mallopt(3))
_SMALL = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "131072"}


@dataclass(frozen=True)
class Answer:
    code: int
    body: bytes


GONE = object()
"""The outcome of a call whose process is gone."""
LATE = object()
"""The outcome of a call whose deadline has passed."""


class Child(asyncio.Protocol):
    """One ovis-io process. `ended`: reaped."""

    def __init__(self, child: subprocess.Popen[bytes], changed: Callable[[Child], None]) -> None:
        self._child = child
        self._changed = changed
        self._pidfd = os.pidfd_open(child.pid)
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, asyncio.Future[object]] = {}
        self._last_call = 0
        self._received = bytearray()
        self._is_open = True
        self._is_retired = False
        self.ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    @property
    def pid(self) -> int:
        return self._child.pid

    def ask(self, request: Request) -> asyncio.Future[object]:
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if not self._is_open or self._transport is None:
            answer.set_result(GONE)
            return answer
        self._last_call = (self._last_call + 1) & 0xFFFFFFFF
        self._calls[self._last_call] = answer
        self._transport.write(request.pack(self._last_call))
        return answer

    def retire(self) -> None:
        """End it when the calls that are under way have been answered; it is asked nothing more."""
        self._is_retired = True
        if not self._calls:
            self.hang_up()

    def hang_up(self) -> None:
        self._is_open = False
        if self._transport is not None:
            self._transport.abort()
        calls, self._calls = self._calls, {}
        for answer in calls.values():
            if not answer.done():
                answer.set_result(GONE)

    def kill(self) -> None:
        self.hang_up()
        if not self.ended.is_set():
            os.kill(self.pid, signal.SIGKILL)

    def forget(self) -> None:
        """Stop watching it: the agent ends, or the storage is let go."""
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without being called so

    def connection_lost(self, error: Exception | None) -> None:
        self.hang_up()
        self._changed(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= messages.LENGTH.size:
            (length,) = messages.LENGTH.unpack_from(self._received)
            if not messages.ANSWER.size <= length <= messages.LIMIT:
                log.error("ovis-io process %d speaks nonsense and is killed", self.pid)
                return self.kill()
            end = messages.LENGTH.size + length
            if len(self._received) < end:
                return None
            self._take(bytes(memoryview(self._received)[messages.LENGTH.size : end]))
            del self._received[:end]
        return None

    def _take(self, raw: bytes) -> None:
        call, code = messages.ANSWER.unpack_from(raw)
        answer = self._calls.pop(call, None)
        if answer is not None and not answer.done():
            answer.set_result(Answer(code, raw[messages.ANSWER.size :]))
        if self._is_retired and not self._calls:
            self.hang_up()

    def _reap(self) -> None:
        self._child.poll()
        self.forget()
        self.ended.set()
        self._changed(self)


async def start(arguments: list[str], changed: Callable[[Child], None], inherited: Sequence[int] = ()) -> Child:
    """`arguments` as serve.py takes them behind the socket; `inherited`: open files that it keeps. Raises OSError."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = Child(_spawn(theirs, arguments, inherited), changed)
        except BaseException:
            ours.close()
            raise
    ours.setblocking(False)
    try:
        await asyncio.get_running_loop().create_unix_connection(lambda: process, sock=ours)
    except BaseException:
        ours.close()  # the process ends by that
        raise
    return process


def _spawn(theirs: socket.socket, arguments: list[str], inherited: Sequence[int]) -> subprocess.Popen[bytes]:
    """2 ms of the agent's time."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", _PROGRAM, str(theirs.fileno()), *arguments],
        pass_fds=[theirs.fileno(), *inherited],
        env={**os.environ, **_SMALL},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # a ^C at the agent's terminal is the agent's
    )
