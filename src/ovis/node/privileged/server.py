"""The helper's side of a connection: decode, run under the deadline, answer. Its commands end with the connection."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import time
from asyncio import StreamReader, StreamWriter

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
from ovis.node.privileged.work import Work

log = logging.getLogger(__name__)

_FLOW = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
SHOWN = 2000
"""Signs of a request in the log: lists of devices may be long."""
CALLS = 64
"""At once, on one connection."""


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
        try:
            request = decode_request(call.request)
            name = type(request).__name__
            log.info("call %d: %.*s", number, SHOWN, request)
            async with asyncio.timeout(call.seconds):
                return Answer(number, msgspec.Raw(encode(await self._done(request, number))))
        except TimeoutError:
            return Failure(number, FailureKind.DEADLINE, name)
        except asyncio.CancelledError:
            return Failure(number, FailureKind.CANCELLED, name)  # by the agent's wish: the task group goes on
        except Refused as error:
            log.warning("call %d: %.*s", number, SHOWN, error)
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

    async def _done(self, request: Request[object], number: int) -> object:
        def progress(done: int, total: int) -> None:
            self._send(Progress(number, done, total))

        return await VERBS[type(request)](request, Work(self._rules, progress, self._iscsi_records))

    def _send(self, message: Answer | Failure | Progress) -> None:
        if not self._writer.is_closing():
            self._writer.write(frame(message))


def _outcome(answer: Answer | Failure) -> str:
    if isinstance(answer, Answer):
        return "done"
    return f"{answer.kind.value} ({answer.what[:SHOWN]})"
