"""The helper's side of a connection: decode, run under the deadline, answer. Its commands end with the connection."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import socket
import struct
import time
from asyncio import StreamReader, StreamWriter
from typing import NamedTuple

import msgspec

from ovis.node import flows
from ovis.node.privileged.errors import Busy, Refused
from ovis.node.privileged.protocol import (
    REQUEST_LIMIT,
    Answer,
    Call,
    Cancel,
    Failure,
    FailureKind,
    Progress,
    ProtocolError,
    Request,
    encode,
    frame,
    from_agent,
    read_frame,
)
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.table import VERBS, decode_request
from ovis.node.privileged.ties import Ties, taken
from ovis.node.privileged.work import Work

log = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("3i")
_FLOW = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
SHOWN = 2000
"""Signs of a request in the log: lists of devices may be long."""
CALLS = 64
"""At once, on one connection."""


class Peer(NamedTuple):
    """Who has connected, as the kernel says."""

    process: int
    user: int
    group: int


def peer(writer: StreamWriter) -> Peer:
    raw = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


async def serve(reader: StreamReader, writer: StreamWriter, rules: Rules, iscsi_records: asyncio.Lock) -> None:
    """Until the agent closes. On return none of its calls runs any more."""
    connection = _Connection(writer, rules, iscsi_records)
    try:
        async with asyncio.TaskGroup() as tasks:
            try:
                await connection.read(reader, tasks)
            finally:
                connection.cancel_all()
    except* (ProtocolError, msgspec.DecodeError) as errors:
        log.error("the connection is closed: %s", errors.exceptions[0])  # noqa: TRY400
    finally:
        writer.close()


class _Connection:
    def __init__(self, writer: StreamWriter, rules: Rules, iscsi_records: asyncio.Lock) -> None:
        self._writer = writer
        self._agent = peer(writer).process
        self._rules = rules
        self._iscsi_records = iscsi_records
        self._calls: dict[int, asyncio.Task[None]] = {}

    async def read(self, reader: StreamReader, tasks: asyncio.TaskGroup) -> None:
        while (data := await read_frame(reader, REQUEST_LIMIT)) is not None:
            message = from_agent(data)
            match message:
                case Cancel():
                    if (task := self._calls.get(message.number)) is not None:
                        task.cancel()
                case Call():
                    if message.number in self._calls:
                        raise ProtocolError(f"call {message.number} was made twice")
                    if len(self._calls) >= CALLS:
                        self._send(Failure(message.number, FailureKind.BUSY, "a call", f"{CALLS} calls run"))
                        continue
                    task = tasks.create_task(self._answer(message))
                    self._calls[message.number] = task
                    task.add_done_callback(functools.partial(self._forget, message.number))

    def _forget(self, number: int, task: asyncio.Task[None]) -> None:
        del self._calls[number]
        if task.cancelled():  # before it had begun
            self._send(Failure(number, FailureKind.CANCELLED, "a call"))

    def cancel_all(self) -> None:
        for task in self._calls.values():
            task.cancel()

    async def _answer(self, call: Call) -> None:
        flow = call.flow if _FLOW.fullmatch(call.flow) else "no flow id"
        with flows.entered(flow):
            started = time.monotonic()
            answer = await self._run(call)
            log.info("call %d: %s after %.3f s", call.number, _outcome(answer), time.monotonic() - started)
            self._send(answer)

    async def _run(self, call: Call) -> Answer | Failure:
        name, number = "a request", call.number
        task = asyncio.current_task()
        assert task is not None
        ties = Ties()
        try:
            request = decode_request(call.request)
            name = type(request).__name__
            log.info("call %d: %.*s", number, SHOWN, request)
            with taken(self._agent, call.ties, task.cancel) as ties:
                async with asyncio.timeout(call.seconds):
                    return Answer(number, msgspec.Raw(encode(await self._done(request, number, ties))))
        except TimeoutError:
            return Failure(number, FailureKind.DEADLINE, name, is_left=ties.is_left)
        except asyncio.CancelledError:
            if ties.is_lost:
                log.warning("%s was ended: the lease that it ran under is lost", name)
                return Failure(number, FailureKind.LOST, name, is_left=ties.is_left)
            # by the agent's wish: the task group goes on
            return Failure(number, FailureKind.CANCELLED, name, is_left=ties.is_left)
        except Refused as error:
            log.warning("call %d of process %d: %.*s", number, self._agent, SHOWN, error)
            return Failure(number, FailureKind.REFUSED, error.what, error.problem)
        except Busy as error:
            return Failure(number, FailureKind.BUSY, error.what, error.problem)
        except msgspec.DecodeError as error:
            return Failure(number, FailureKind.REFUSED, name, str(error))
        except OSError as error:
            where = str(error.filename or name)
            return Failure(number, FailureKind.KERNEL, where, error.strerror or str(error), error.errno or 0)
        except Exception as error:  # one call must not end the others
            log.exception("%s failed in an unforeseen way", name)
            return Failure(number, FailureKind.INTERNAL, name, f"{type(error).__name__}: {error}")

    async def _done(self, request: Request[object], number: int, ties: Ties) -> object:
        def progress(done: int, total: int) -> None:
            self._send(Progress(number, done, total))

        return await VERBS[type(request)](request, Work(self._rules, progress, self._iscsi_records, ties))

    def _send(self, message: Answer | Failure | Progress) -> None:
        if not self._writer.is_closing():
            self._writer.write(frame(message))


def _outcome(answer: Answer | Failure) -> str:
    if isinstance(answer, Answer):
        return "done"
    return f"{answer.kind.value} ({answer.what[:SHOWN]})"
