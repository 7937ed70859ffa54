"""What stands behind the listener: the one interface between the wire and whatever answers the calls.

The wire knows JSON-RPC, connections and who is at the other end. The service knows verbs, types and rights. A result
crosses this line as JSON text that is sent as it is; it is never decoded again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import msgspec

    from ovis.wire.events import Subscription


class Access(StrEnum):
    """What a caller may do; each verb of the schema names the one it needs."""

    OBSERVE = "observe"
    OPERATE = "operate"
    ADMINISTER = "administer"
    PEER = "peer"


@dataclass(slots=True, eq=False)
class Caller:
    """Who calls: one object per connection."""

    name: str
    """Common name of the certificate's subject, or `uid:<number>` on a Unix socket."""
    transport: str
    """`tls`, `unix` or `tcp`."""
    address: str
    access: frozenset[Access]
    running: int = 0
    """Calls of this connection that were started and not answered; kept by the wire, `call_now` is not counted.

    The call that is just being started is already counted when `Service.call` runs.
    """


class Service(Protocol):
    """Answers calls. Used from the thread of the event loop only."""

    def call_now(self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str) -> bytes | None:
        """Answer at once when the verb needs no waiting, else return None: then `call` is used.

        Must not block and must have no effect when it returns None. It spares a task and a turn of the event loop: a
        ping costs the server 13 instead of 15 us of CPU with 16 clients, 13 instead of 17 us with one
        (tests/bench/wire.py). Raises RpcError.
        """

    async def call(
        self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str
    ) -> bytes | bytearray | msgspec.Raw:
        """Run `method` and return its result as JSON text. `flow` is the caller's correlation id or empty.

        `params` is the JSON text of an object or an array, valid and not deeper than the limit, or None when absent.
        Raises RpcError; anything else that is raised is logged and answered with -32603.
        It is not cancelled when the caller goes away, but it is when the server stops and the grace is over.
        """

    def subscribe(self, pattern: str, caller: Caller) -> Subscription:
        """Events whose name matches `pattern` (see `events`). Raises RpcError, e.g. when `caller` may not observe."""
