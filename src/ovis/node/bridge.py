"""The bridge: the only door to the node. Every binding (JSON-RPC, REST, …) calls it and nothing else.

A call passes these gates in order: the verb is known (-32601), the caller may use it (-32001), it is built (44), the
agent has recovered or the verb does not care (99), the arguments are right (-32602, naming the field), there is room
for one more running call (1100). Then its handler runs under the verb's deadline (-32002 when that passes).

A handler that never waits is answered on the spot (`call_now`), without a task and outside the limits: it cannot block.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import msgspec

from ovis.client import codec
from ovis.node import flows
from ovis.node.errors import NodeError, NotImplementedYet, Recovering, TooManyCalls
from ovis.node.registry import PEER_RULES, Handler, PeerRule
from ovis.node.wire_errors import ACCESS_DENIED, DEADLINE_PASSED, as_node_error
from ovis.schema import Schema
from ovis.schema.model import Verb
from ovis.wire.errors import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, RpcError
from ovis.wire.service import Access, Caller

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.wire.events import Subscription

log = logging.getLogger(__name__)

LIST_OPENS = ord("[")

Span = Callable[[str, str, Caller], AbstractContextManager[None]]
"""Around each call that waits: method, flow id, caller."""


def no_span(_method: str, _flow: str, _caller: Caller) -> AbstractContextManager[None]:
    return _NOTHING


_NOTHING: AbstractContextManager[None] = nullcontext()


@dataclass(frozen=True)
class CallLimits:
    """How many calls that wait may run at once; calls answered on the spot do not count."""

    in_all: int = 256
    per_connection: int = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A verb as the bridge needs it."""

    method: str
    access: Access
    needs_recovery: bool
    deadline: float
    handler: Handler | None
    on_the_spot: bool
    parameters: tuple[str, ...]
    wire_result: bytes
    """What travels when the handler returns None."""
    peer_rule: PeerRule | None = None
    """Which calls other nodes may make although they lack the right."""


class Bridge:
    """Implements `ovis.wire.service.Service` for one node."""

    def __init__(
        self,
        node: Node,
        schema: Schema,
        handlers: Mapping[str, Handler],
        limits: CallLimits,
        *,
        span: Span = no_span,
    ) -> None:
        self._node = node
        self._span = span
        self._limits = limits
        self._running = 0
        self._error_codes = {name: code for code, e in schema.errors.items() for name in (e.name, *e.also)}
        unknown = handlers.keys() - schema.verbs.keys()
        if unknown:
            raise ValueError(f"handlers of verbs that no schema declares: {', '.join(sorted(unknown))}")
        self._entries = {m: _entry(m, verb, handlers.get(m)) for m, verb in schema.verbs.items()}

    def call_now(self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str) -> bytes | None:
        """Answer a verb that never waits; None when it does wait. Raises RpcError."""
        entry = self._entries.get(method)
        if entry is None or not entry.on_the_spot:
            return None
        try:
            arguments = self._admit(entry, params, caller)
            assert entry.handler is not None
            return self._encoded(entry, entry.handler(self._node, arguments))
        except NodeError as error:
            raise self._rpc_error(error) from error

    async def call(self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str) -> bytes | msgspec.Raw:
        """Run a verb. Raises RpcError."""
        entry = self._entries.get(method)
        if entry is None:
            raise RpcError(METHOD_NOT_FOUND, f"There is no verb {method}")
        flow = flow or uuid.uuid4().hex[:12]
        with flows.entered(flow), self._span(method, flow, caller):
            started = time.monotonic()
            outcome = "failed"
            try:
                arguments = self._admit(entry, params, caller)
                self._take_slot(caller)
                try:
                    result = await self._run(entry, arguments)
                finally:
                    self._running -= 1
                outcome = "done"
            except NodeError as error:
                outcome = f"{error.wire_name}: {error}"
                raise self._rpc_error(error) from error
            except RpcError as error:
                outcome = f"{error.code}: {error.message}"
                raise
            finally:
                level = logging.DEBUG if entry.access is Access.OBSERVE else logging.INFO
                log.log(level, "%s by %s: %s after %.3f s", method, caller.name, outcome, time.monotonic() - started)
            return result

    def subscribe(self, pattern: str, caller: Caller) -> Subscription:
        """Events whose name matches. Raises RpcError when the caller may not observe."""
        if Access.OBSERVE not in caller.access:
            raise RpcError(ACCESS_DENIED, f"{caller.name} may not observe this host")
        return self._node.events.subscribe(pattern)

    @property
    def running(self) -> int:
        """Calls that wait right now."""
        return self._running

    def implemented(self) -> set[str]:
        """The verbs that are built."""
        return {method for method, entry in self._entries.items() if entry.handler is not None}

    def _admit(self, entry: Entry, params: msgspec.Raw | None, caller: Caller) -> Any:
        """Pass the gates before the limits; returns the typed arguments."""
        allowed = entry.access in caller.access
        if not allowed and not (entry.peer_rule and Access.PEER in caller.access):
            raise _denied(entry, caller)
        if entry.handler is None:
            raise NotImplementedYet(entry.method)
        if entry.needs_recovery and not self._node.is_ready:
            raise Recovering
        try:
            arguments = codec.decode_arguments(entry.method, _named(entry, params))
        except msgspec.ValidationError as error:
            raise RpcError(INVALID_PARAMS, f"{entry.method}: {plain(error)}") from error
        if not allowed and not (entry.peer_rule and entry.peer_rule(self._node, arguments)):
            raise _denied(entry, caller)
        return arguments

    def _take_slot(self, caller: Caller) -> None:
        if self._running >= self._limits.in_all:
            raise TooManyCalls(reason="the host is busy", resource="calls in all", current_tasks=self._running)
        if caller.running > self._limits.per_connection:
            raise TooManyCalls(
                reason="this connection is busy", resource="calls of one connection", current_tasks=caller.running - 1
            )
        self._running += 1

    async def _run(self, entry: Entry, arguments: Any) -> bytes | msgspec.Raw:
        assert entry.handler is not None
        try:
            async with asyncio.timeout(entry.deadline):
                result = entry.handler(self._node, arguments)
                if not entry.on_the_spot:
                    result = await result
                return self._encoded(entry, result)
        except TimeoutError as error:
            raise RpcError(
                DEADLINE_PASSED,
                f"{entry.method} did not end within {entry.deadline:g} s; it may still happen: read the state again",
            ) from error
        except (NodeError, RpcError):
            raise
        except Exception as error:
            translated = as_node_error(error)
            if translated is not None:
                raise translated from error
            log.exception("%s failed in an unforeseen way", entry.method)
            raise RpcError(
                INTERNAL_ERROR, f"{entry.method} failed inside the agent; see its log, flow {flows.current()}"
            ) from error

    def _encoded(self, entry: Entry, result: Any) -> bytes | msgspec.Raw:
        if result is None:
            return entry.wire_result
        if isinstance(result, msgspec.Raw):
            return result
        return codec.encode_result(entry.method, result)

    def _rpc_error(self, error: NodeError) -> RpcError:
        return RpcError(self._error_codes[error.wire_name], str(error))


def _entry(method: str, verb: Verb, handler: Handler | None) -> Entry:
    return Entry(
        method=method,
        access=Access(verb.access),
        needs_recovery="always" not in verb.when,
        deadline=verb.deadline,
        handler=handler,
        on_the_spot=handler is not None and not iscoroutinefunction(handler),
        parameters=tuple(verb.params),
        wire_result=_wire_result(verb),
        peer_rule=PEER_RULES.get(method),
    )


def _denied(entry: Entry, caller: Caller) -> RpcError:
    return RpcError(ACCESS_DENIED, f"{entry.method} needs the right to {entry.access}; {caller.name} lacks it")


def plain(error: msgspec.ValidationError) -> str:
    """msgspec's words with the field first: `vmID: expected str, got int`."""
    text = str(error).replace("`", "")
    problem, at, place = text.rpartition(" - at $.")
    if "matching regex '^[0-9a-fA-F]{8}" in text:
        problem = "this is no UUID (8-4-4-4-12 hexadecimal digits)"
    if not at:
        return text.replace("Object missing required field", "missing:").replace(
            "Object contains unknown field", "unknown:"
        )
    return f"{place}: {problem[:1].lower()}{problem[1:]}"


def _wire_result(verb: Verb) -> bytes:
    if verb.wire_result == "status":
        return codec.STATUS_DONE
    return b"true" if verb.wire_result is None else msgspec.json.encode(verb.wire_result)


def _named(entry: Entry, params: msgspec.Raw | None) -> bytes | msgspec.Raw:
    """Parameters as an object; those of a list get the names of the schema, in its order."""
    if params is None:
        return b"{}"
    if memoryview(params)[0] != LIST_OPENS:
        return params
    values = _raw_list.decode(params)
    if len(values) > len(entry.parameters):
        raise RpcError(
            INVALID_PARAMS, f"{entry.method} takes {len(entry.parameters)} parameters, {len(values)} were given"
        )
    return msgspec.json.encode(dict(zip(entry.parameters, values, strict=False)))


_raw_list = msgspec.json.Decoder(list[msgspec.Raw])
