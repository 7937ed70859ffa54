"""SanlockLocks in a process of their own, as in another agent; its calls travel over a pipe.

    size (64 bits, big-endian) | JSON: [number, name, arguments, named] or [number, answer, error]

What is no JSON is {"is": kind, ...}: the values that locks take and give, and their errors.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import os
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, cast

from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.leases import errors
from ovis.node.storage.leases.interface import Found, HostIdState, Locks, Lockspace, Owner, Resource
from ovis.node.storage.leases.sanlock import SanlockLocks
from ovis.node.storage.volumes.store import LeasePlace

_VALUES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Found, Geometry, LeasePlace, Lockspace, Owner, Resource)
}
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
                number, answer, error = _read(await _frame(self.process.stdout))
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
    data = json.dumps(_plain(content)).encode()
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
    number, name, arguments, named = _read(data)
    answer, error = None, None
    try:
        if name == "start_writer":
            answer = _start_writer(locks, *arguments)
        else:
            answer = await getattr(locks, name)(*arguments, **named)
    except Exception as problem:  # noqa: BLE001  # told to the test
        error = problem
    os.write(sys.stdout.fileno(), _framed((number, answer, error)))


def _start_writer(locks: Locks, lockspace: Lockspace) -> int:
    tie = locks.tie(lockspace)
    assert tie
    return subprocess.Popen(["sleep", "300"], pass_fds=[tie.fileno()]).pid


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return {"is": type(value).__name__, "name": value.name}
        case bytes():
            return {"is": "bytes", "hex": value.hex()}
        case PurePath():
            return {"is": "path", "text": str(value)}
        case Exception():
            return {"is": type(value).__name__, "args": _plain(value.args), "fields": _plain(value.__dict__)}
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {name: _plain(item) for name, item in value.items()}
    if is_dataclass(value):
        return {"is": type(value).__name__} | {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value


def _read(data: bytes) -> Any:
    return json.loads(data, object_hook=_made)


def _made(given: dict[str, Any]) -> Any:
    kind = given.pop("is", None)
    match kind:
        case None:
            return given
        case "bytes":
            return bytes.fromhex(given["hex"])
        case "path":
            return PurePosixPath(given["text"])
        case "HostIdState":
            return HostIdState[given["name"]]
    if kind in _VALUES:
        return _VALUES[kind](**given)
    error = getattr(errors, kind, None) or getattr(builtins, kind, AssertionError)
    again: Exception = error.__new__(error)
    again.args = tuple(given["args"])
    again.__dict__.update(given["fields"])
    return again


def serve() -> None:
    asyncio.run(_serve(Path(sys.argv[1])))
