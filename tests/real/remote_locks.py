"""SanlockLocks in a process of their own, as in another agent; its calls travel over a pipe."""

from __future__ import annotations

import asyncio
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from ovis.node.storage.leases.interface import Locks, Lockspace
from ovis.node.storage.leases.sanlock import SanlockLocks

_LENGTH = struct.Struct(">Q")


class RemoteLocks:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._reading = asyncio.ensure_future(self._read())

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Any:
            assert self.process.stdin
            self._number += 1
            answer = self._waiting[self._number] = asyncio.get_running_loop().create_future()
            self.process.stdin.write(_framed((self._number, name, arguments, named)))
            return await answer

        return call

    async def _read(self) -> None:
        assert self.process.stdout
        while True:
            try:
                number, answer, error = pickle.loads(await _frame(self.process.stdout))
            except asyncio.IncompleteReadError:
                return
            waiting = self._waiting.pop(number)
            if error is None:
                waiting.set_result(answer)
            else:
                waiting.set_exception(error)

    async def close_all(self) -> None:
        self._reading.cancel()
        if self.process.returncode is None:
            assert self.process.stdin
            self.process.stdin.close()
        await self.process.wait()


@asynccontextmanager
async def remote_locks(folder: Path, *, within: tuple[str, ...] = ()) -> AsyncIterator[tuple[Locks, RemoteLocks]]:
    process = await asyncio.create_subprocess_exec(
        *within,
        *(sys.executable, "-c", "from tests.real import remote_locks; remote_locks.serve()", str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    remote = RemoteLocks(process)
    try:
        yield cast("Locks", remote), remote
    finally:
        await remote.close_all()


def _framed(content: Any) -> bytes:
    data = pickle.dumps(content)
    return _LENGTH.pack(len(data)) + data


async def _frame(stream: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    return await stream.readexactly(length)


async def _serve(folder: Path) -> None:
    locks = SanlockLocks(folder, io_timeout=1)
    stream = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
    running = set()
    try:
        while True:
            task = asyncio.ensure_future(_answer(locks, await _frame(stream)))
            running.add(task)
            task.add_done_callback(running.discard)
    except asyncio.IncompleteReadError:
        await locks.close()


async def _answer(locks: SanlockLocks, data: bytes) -> None:
    number, name, arguments, named = pickle.loads(data)
    answer, error = None, None
    try:
        if name == "start_writer":
            answer = _start_writer(locks, *arguments)
        else:
            answer = await getattr(locks, name)(*arguments, **named)
    except Exception as problem:  # noqa: BLE001  # told to the test
        error = _Told(problem)
    os.write(sys.stdout.fileno(), _framed((number, answer, error)))


def _start_writer(locks: Locks, lockspace: Lockspace) -> int:
    tie = locks.tie(lockspace)
    assert tie
    return subprocess.Popen(["sleep", "300"], pass_fds=[tie.fileno()]).pid


class _Told(Exception):
    """An error on its way: most classes do not take their own text as arguments."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        return _again, (type(self.error), self.error.args, self.error.__dict__)


def _again(kind: type[Exception], args: tuple[Any, ...], fields: dict[str, Any]) -> Exception:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error


def serve() -> None:
    asyncio.run(_serve(Path(sys.argv[1])))
