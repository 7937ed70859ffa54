"""`rpc.subscribe` and `rpc.unsubscribe`: events over framings that have no destinations of their own.

    rpc.subscribe    {"pattern": text}      -> {"subscription": id}
    rpc.unsubscribe  {"subscription": id}   -> true

An event arrives as a notification whose method is the event's name and whose params carry `notify_time` and `seq`;
events of two patterns of one connection that both match arrive twice, with the same `seq`. A loss arrives as the
notification `rpc.lost` {"subscription", "count", "first", "last"}.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ovis.wire.errors import INVALID_PARAMS, RpcError
from ovis.wire.events import BadPattern, Event, Lost, Subscription
from ovis.wire.jsonrpc import encode_notification

if TYPE_CHECKING:
    from ovis.wire.dispatch import LocalMethod
    from ovis.wire.link import Link


Request = TypeVar("Request")


class _Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    pattern: str


class _Unsubscribe(msgspec.Struct, forbid_unknown_fields=True):
    subscription: str


class Subscriptions:
    """The event subscriptions of one connection; `send` writes one notification."""

    def __init__(self, link: Link, send: Callable[[bytes], None]) -> None:
        self._link = link
        self._send = send
        self._open: dict[str, tuple[Subscription, asyncio.Task[None]]] = {}
        self._number = 0

    @property
    def methods(self) -> dict[str, LocalMethod]:
        return {"rpc.subscribe": self._subscribe, "rpc.unsubscribe": self._unsubscribe}

    def close(self) -> None:
        for subscription, _ in self._open.values():
            subscription.close()
        self._open.clear()

    def _subscribe(self, params: msgspec.Raw | None) -> bytes:
        request = _parse(params, _Subscribe)
        limit = self._link.hub.limits.subscriptions
        if len(self._open) >= limit:
            raise RpcError(INVALID_PARAMS, f"A connection has at most {limit} subscriptions")
        try:
            subscription = self._link.hub.service.subscribe(request.pattern, self._link.caller)
        except BadPattern as error:
            raise RpcError(INVALID_PARAMS, str(error), {"field": "pattern"}) from error
        self._number += 1
        name = str(self._number)
        pump = self._link.hub.spawn(self._pump(name, subscription), f"events to {self._link.caller.address}")
        self._open[name] = subscription, pump
        return msgspec.json.encode({"subscription": name})

    def _unsubscribe(self, params: msgspec.Raw | None) -> bytes:
        name = _parse(params, _Unsubscribe).subscription
        if name not in self._open:
            raise RpcError(INVALID_PARAMS, f"There is no subscription {name}", {"field": "subscription"})
        self._open.pop(name)[0].close()
        return b"true"

    async def _pump(self, name: str, subscription: Subscription) -> None:
        with subscription:
            async for item in subscription:
                await self._link.writable()
                if self._link.closed:
                    return
                self._send(_notification(name, item))


def _notification(subscription: str, item: Event | Lost) -> bytes:
    if isinstance(item, Event):
        return encode_notification(item.name, item.params_with_seq)
    lost = {"subscription": subscription, "count": item.count, "first": item.first_seq, "last": item.last_seq}
    return encode_notification("rpc.lost", msgspec.json.encode(lost))


def _parse(params: msgspec.Raw | None, kind: type[Request]) -> Request:
    try:
        return msgspec.json.decode(params if params is not None else b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise RpcError(INVALID_PARAMS, f"Invalid params: {error}") from error
