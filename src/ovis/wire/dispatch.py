"""From a JSON-RPC text of one connection to the service and back.

A single message is answered when it is ready; nothing waits for an earlier one. The answers of a batch go out together,
in the order of its members, when the last is ready. Notifications are run and never answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ovis.wire.errors import INTERNAL_ERROR, STOPPING, RpcError
from ovis.wire.jsonrpc import Batch, Call, Invalid, decode, encode_batch, encode_error, encode_result

if TYPE_CHECKING:
    import msgspec

    from ovis.wire.limits import Limits
    from ovis.wire.service import Caller, Service

log = logging.getLogger(__name__)

FLOW_LENGTH = 128

Reply = Callable[[bytes], None]
LocalMethod = Callable[["msgspec.Raw | None"], bytes]

_CUT_SHORT = RpcError(STOPPING, "The agent stopped before the call ended; read the state again to know its outcome")
_INTERNAL = RpcError(INTERNAL_ERROR, "Internal error; the log of the agent has the details")


class Calls:
    """The calls in flight of one server, and whether new ones are still taken."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.stopping = False

    def check(self) -> None:
        """Raise RpcError when no new call is taken any more."""
        if self.stopping:
            raise RpcError(STOPPING, "The agent is stopping; the call was not started")

    def start(self, run: asyncio.Task[None]) -> None:
        self.tasks.add(run)
        run.add_done_callback(self.tasks.discard)

    async def finish(self, *, grace: float, notice: float = 0.2) -> None:
        """Refuse new calls, wait `grace` seconds for those in flight, then cancel and answer the rest.

        A call that has not ended `notice` seconds after it was cancelled is logged and left behind.
        """
        self.stopping = True
        if self.tasks:
            await asyncio.wait(tuple(self.tasks), timeout=grace)
        late = tuple(self.tasks)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=notice)
        for task in self.tasks:
            log.error("%s does not end though it was cancelled", task.get_name())


class Dispatcher:
    """The calls of one connection. `local` methods belong to the connection itself (rpc.subscribe) and never wait."""

    __slots__ = ("_caller", "_calls", "_limits", "_local", "_loop", "_service", "_settled")

    def __init__(
        self,
        service: Service,
        caller: Caller,
        calls: Calls,
        limits: Limits,
        settled: Callable[[], None],
        local: Mapping[str, LocalMethod] | None = None,
    ) -> None:
        """`settled` is called whenever a call which took its time has ended and its answer is sent."""
        self._service = service
        self._caller = caller
        self._calls = calls
        self._limits = limits
        self._settled = settled
        self._local = local or {}
        self._loop = asyncio.get_running_loop()

    def receive(self, data: bytes, reply: Reply, *, flow: str = "", unwrap: bool = False) -> bool:
        """Run the message `data`; `reply` is called at most once, now or later, with the whole answer.

        `flow` (from a header) goes before the one in the message. `unwrap` answers a batch of one with a single object,
        as existing STOMP clients expect. False means that `reply` will never be called.
        """
        limits = self._limits
        message = decode(data, depth=limits.depth, batch=limits.batch)
        if type(message) is Call:
            self._start(message, flow, reply)
            return message.id is not None
        if type(message) is Invalid:
            log.debug("%s sent no valid request: %s", self._caller.name, message.reason)
            reply(message.answer)
            return True
        assert type(message) is Batch
        return self._start_batch(message.members, reply, flow, unwrap=unwrap)

    def _start_batch(self, members: list[Call | Invalid], reply: Reply, flow: str, *, unwrap: bool) -> bool:
        if unwrap and len(members) == 1 and type(only := members[0]) is Call:  # what existing clients send
            self._start(only, flow, reply)
            return only.id is not None
        expected = sum(isinstance(member, Invalid) or member.id is not None for member in members)
        gather = _Gather(expected, reply, self._limits.message_bytes, unwrap=unwrap and len(members) == 1)
        place = 0
        for member in members:
            if type(member) is Invalid:
                gather.put(place, member.answer)
                place += 1
            elif type(member) is Call:
                self._start(member, flow, partial(gather.put, place))
                place += member.id is not None
        return expected > 0

    def _start(self, call: Call, flow: str, reply: Reply) -> None:
        method = call.method
        try:
            self._calls.check()
            local = self._local.get(method)
            result: bytes | None
            if local is not None:
                result = local(call.params)
            else:
                flow = flow or call.flow
                if flow:
                    flow = _printable(flow)
                result = self._service.call_now(method, call.params, self._caller, flow=flow)
                if result is None:
                    self._caller.running += 1
                    self._calls.start(self._loop.create_task(self._run(call, flow, reply), name=method))
                    return
        except RpcError as error:
            if call.id is not None:
                reply(encode_error(call.id, error))
        except Exception:  # must outlive: a fault in one verb costs only its own call
            log.exception("%s failed", method)
            if call.id is not None:
                reply(encode_error(call.id, _INTERNAL))
        else:
            if call.id is not None:
                reply(encode_result(call.id, result))

    async def _run(self, call: Call, flow: str, reply: Reply) -> None:
        call_id = call.id
        try:
            answer = encode_result(
                call_id or b"", await self._service.call(call.method, call.params, self._caller, flow=flow)
            )
        except RpcError as error:
            answer = encode_error(call_id or b"", error)
        except asyncio.CancelledError:
            self._caller.running -= 1
            if call_id is not None:
                reply(encode_error(call_id, _CUT_SHORT))
            raise
        except Exception:  # must outlive: as above
            log.exception("%s failed", call.method)
            answer = encode_error(call_id or b"", _INTERNAL)
        self._caller.running -= 1
        if call_id is not None:
            reply(answer)
        self._settled()


def _printable(flow: str) -> str:
    """A flow id is written to logs: short, and without line ends that could fake a line there."""
    flow = flow[:FLOW_LENGTH]
    return flow if flow.isprintable() else ascii(flow)[1:-1][:FLOW_LENGTH]


class _Gather:
    """Collects the answers of one batch and sends them when the last has come.

    Together they may be as large as one message; an answer that does not fit is replaced by an error.
    """

    __slots__ = ("_answers", "_missing", "_reply", "_room", "_unwrap")

    def __init__(self, expected: int, reply: Reply, room: int, *, unwrap: bool) -> None:
        self._answers = [b""] * expected
        self._missing = expected
        self._reply = reply
        self._room = room
        self._unwrap = unwrap

    def put(self, place: int, answer: bytes) -> None:
        self._room -= len(answer)
        if self._room < 0:
            answer = _too_large(answer)
        self._answers[place] = answer
        self._missing -= 1
        if self._missing == 0:
            self._reply(self._answers[0] if self._unwrap else encode_batch(self._answers))


def _too_large(answer: bytes) -> bytes:
    # an answer begins {"jsonrpc":"2.0","id":<id>,"result" or "error": the id is what stands between
    start = len(b'{"jsonrpc":"2.0","id":')
    ends = [end for end in (answer.find(b',"result":', start), answer.find(b',"error":', start)) if end >= 0]
    error = RpcError(INTERNAL_ERROR, "The answers of the batch are too large together; ask one by one")
    return encode_error(answer[start : min(ends)], error)
