"""What a server sends, as the clients read it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ovis.wire.errors import ProtocolError, RpcError
from ovis.wire.events import Event, Lost, Subscription

_ABSENT = msgspec.Raw()


class _Error(msgspec.Struct):
    code: int
    message: str
    data: object = None


class _Incoming(msgspec.Struct):
    jsonrpc: str
    id: int | str | float | None = None
    result: msgspec.Raw = _ABSENT
    error: _Error | None = None
    method: str | None = None
    params: msgspec.Raw = _ABSENT


class _LostParams(msgspec.Struct):
    subscription: str
    count: int
    first: int
    last: int


class _Seq(msgspec.Struct):
    seq: int = 0


_incoming = msgspec.json.Decoder(_Incoming)
_lost = msgspec.json.Decoder(_LostParams)
_seq = msgspec.json.Decoder(_Seq)


@dataclass(frozen=True, slots=True)
class Answer:
    id: int | str | float | None
    result: msgspec.Raw | None
    error: RpcError | None


@dataclass(frozen=True, slots=True)
class LostOf:
    """Events that one subscription of this connection lost."""

    subscription: str
    lost: Lost


def read(message: bytes) -> Answer | Event | LostOf:
    """Decode one message of a server. Raises ProtocolError. An event's params contain `seq`, as they came."""
    try:
        incoming = _incoming.decode(message)
        if incoming.method is None:
            return _answer(incoming)
        if incoming.method == "rpc.lost":
            lost = _lost.decode(incoming.params)
            return LostOf(lost.subscription, Lost(lost.count, lost.first, lost.last))
        return Event(_seq.decode(incoming.params).seq, incoming.method, bytes(incoming.params))
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(f"The server's message cannot be read: {error}") from error


def _answer(incoming: _Incoming) -> Answer:
    if incoming.error is not None:
        error = incoming.error
        return Answer(incoming.id, None, RpcError(error.code, error.message, error.data))
    if incoming.result is _ABSENT:
        raise ProtocolError("The server's answer has neither result nor error")
    return Answer(incoming.id, incoming.result, None)


class EventSorter:
    """Hands the events of one connection to its subscriptions, each event once to each that asked for it.

    The server sends an event once for every subscription that matches, without saying for which: the sequence number
    tells the copies apart.
    """

    def __init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self._newest: dict[str, int] = {}

    def put(self, item: Event | LostOf) -> None:
        if isinstance(item, LostOf):
            subscription = self.subscriptions.get(item.subscription)
            if subscription is not None:
                subscription.put_lost(item.lost)
            return
        for name, subscription in self.subscriptions.items():
            if item.seq > self._newest.get(name, 0) and subscription.matches(item.name):
                self._newest[name] = item.seq
                subscription.put(item)

    def forget(self, subscription: Subscription) -> str | None:
        """Remove it; returns the name the server knows it by."""
        name = next((name for name, other in self.subscriptions.items() if other is subscription), None)
        if name is not None:
            del self.subscriptions[name]
            self._newest.pop(name, None)
        return name

    def close(self) -> None:
        for subscription in tuple(self.subscriptions.values()):
            subscription.close()
        self.subscriptions.clear()
