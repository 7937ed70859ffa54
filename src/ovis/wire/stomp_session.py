"""STOMP 1.2 on one connection, as existing clients speak it. Facts: reference/vdsm.md, 1.2 and 1.3.

    destination of SEND                                what happens
    jms.topic.vdsm_requests, jms.topic.vdsm_irs_requests,
    or one of them with `.suffix`                      the body is JSON-RPC; the answer goes to `reply-to`
    any other                                          relayed to the clients subscribed to it or to a dotted parent

Answers go to the connection that asked and to nobody else, whatever ids and names others use. Without `reply-to` they
go to `jms.topic.vdsm_responses`. When the connection is not subscribed to that destination, an ERROR frame carries the
answer as its body: the call was done, and the client can know.

A subscription to `jms.queue.events` gets the events of the service: JSON-RPC notifications, parameters as published,
sequence number in the header `seq`. A loss is the notification `|ovis|events_lost|no_id` with {count, first, last}.

Unlike the specification and like the existing server: CONNECT is not enforced (clients in the field work without), and
an ERROR about one frame does not close the connection. What cannot be parsed, and commands we do not serve, close it.
A receipt is sent for every frame that asks for one.

Heart-beats, in ms: the client offers `cx,cy` in CONNECT, the server answers `cy,cx`, both raised to at least 1000. The
server sends a line end when it sent nothing else for cy; a client silent for 1.5 cx (the specification asks for a
margin; found within 1.75 cx) is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ovis.wire.dispatch import Dispatcher
from ovis.wire.errors import ProtocolError, RpcError
from ovis.wire.events import Event, Lost, Subscription
from ovis.wire.jsonrpc import encode_notification
from ovis.wire.service import Access
from ovis.wire.stomp import Frame, StompParser, encode, escape

if TYPE_CHECKING:
    from ovis.wire.link import Link

log = logging.getLogger(__name__)

REQUESTS = ("jms.topic.vdsm_requests", "jms.topic.vdsm_irs_requests")
RESPONSES = "jms.topic.vdsm_responses"
EVENTS = "jms.queue.events"
EVENTS_LOST = "|ovis|events_lost|no_id"
DESTINATION_LENGTH = 1024

_REQUEST_PREFIXES = tuple(name + "." for name in REQUESTS)
_RELAYING = frozenset({Access.OPERATE, Access.ADMINISTER, Access.PEER})
_SILENT_QUARTERS = 6  # of cx: 1.5 cx


class _Refused(Exception):
    """A frame that is answered with ERROR; the connection goes on."""


class _Target:
    """One subscription of this connection; knows the head of its MESSAGE frames."""

    __slots__ = ("destination", "events", "head", "id")

    def __init__(self, subscription_id: str, destination: str) -> None:
        self.id = subscription_id
        self.destination = destination
        self.events: Subscription | None = None
        self.head = (
            f"MESSAGE\ndestination:{escape(destination)}\ncontent-type:application/json\n"
            f"subscription:{escape(subscription_id)}\n"
        ).encode()


class StompSession:
    def __init__(self, link: Link) -> None:
        self.completed = 0
        self._link = link
        self._parser = StompParser(link.hub.limits.message_bytes)
        hub = link.hub
        self._dispatcher = Dispatcher(hub.service, link.caller, hub.calls, hub.limits, link.settled)
        self._targets: dict[str, _Target] = {}
        self._by_destination: dict[str, list[_Target]] = {}
        self._number = 0
        self._closing = False
        self._connected = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._commands: dict[str, Callable[[Frame], None]] = {
            "SEND": self._send,
            "SUBSCRIBE": self._subscribe,
            "UNSUBSCRIBE": self._unsubscribe,
            "CONNECT": self._connect,
            "STOMP": self._connect,
            "DISCONNECT": self._disconnect,
        }

    # -- the session of a link

    @property
    def pending(self) -> int:
        return self._parser.pending

    def feed(self, data: bytes) -> None:
        self._parser.push(data)
        self.resume()

    def resume(self) -> None:
        while not (self._link.blocked or self._closing):
            frame = self._parser.pop()
            if frame is None:
                return
            self.completed += 1
            self._receive(frame)

    def refuse(self, error: ProtocolError) -> None:
        self._error(str(error))

    def closed(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for target in tuple(self._targets.values()):
            self._forget(target)

    # -- frames

    def _receive(self, frame: Frame) -> None:
        handle = self._commands.get(frame.command)
        if handle is None:
            raise ProtocolError(f"Unsupported command {frame.command[:32]!r}")
        receipt = frame.headers.get("receipt")
        try:
            handle(frame)
        except _Refused as refusal:
            self._error(str(refusal), receipt=receipt)
            return
        if receipt is not None:
            self._link.write(encode("RECEIPT", {"receipt-id": receipt}))
        if self._closing:
            self._link.close()

    def _connect(self, frame: Frame) -> None:
        versions = frame.headers.get("accept-version", "").split(",")
        if "1.2" not in (version.strip() for version in versions):
            raise _Refused("Version unsupported")
        if self._connected:
            raise _Refused("Already connected")
        client_sends, client_wants = _heart_beat(
            frame.headers.get("heart-beat", "0,0"), self._link.hub.limits.heart_beat_seconds
        )
        self._connected = True
        self._link.write(encode("CONNECTED", {"version": "1.2", "heart-beat": f"{client_wants},{client_sends}"}))
        if client_wants:
            self._link.wrote = True
            self._beat(client_wants / 2000)
        if client_sends:
            self._link.heard = True
            self._listen(client_sends / 4000, 0)

    def _disconnect(self, frame: Frame) -> None:
        self._closing = True

    def _subscribe(self, frame: Frame) -> None:
        subscription_id = frame.headers.get("id")
        destination = frame.headers.get("destination")
        if not subscription_id or not destination:
            raise _Refused("Missing destination or subscription id header")
        if subscription_id in self._targets:
            raise _Refused("Subscription id already exists")
        if frame.headers.get("ack", "auto") != "auto":
            raise _Refused("Only ack:auto is supported")
        if len(destination) > DESTINATION_LENGTH:
            raise _Refused("Destination too long")
        if len(self._targets) >= self._link.hub.limits.subscriptions:
            raise _Refused("Too many subscriptions")
        target = _Target(subscription_id, destination)
        if destination == EVENTS:
            self._follow_events(target)
        self._targets[subscription_id] = target
        self._by_destination.setdefault(destination, []).append(target)
        self._link.hub.relay.join(destination, (self, subscription_id))

    def _unsubscribe(self, frame: Frame) -> None:
        target = self._targets.get(frame.headers.get("id", ""))
        if target is None:
            raise _Refused("Missing or unknown subscription id")
        self._forget(target)

    def _forget(self, target: _Target) -> None:
        del self._targets[target.id]
        targets = self._by_destination[target.destination]
        targets.remove(target)
        if not targets:
            del self._by_destination[target.destination]
        self._link.hub.relay.leave(target.destination, (self, target.id))
        if target.events is not None:
            target.events.close()

    # -- calls

    def _send(self, frame: Frame) -> None:
        headers = frame.headers
        destination = headers.get("destination")
        if not destination:
            raise _Refused("Missing destination header")
        if destination in REQUESTS or destination.startswith(_REQUEST_PREFIXES):
            reply = partial(self._answer, headers.get("reply-to") or RESPONSES)
            self._dispatcher.receive(frame.body, reply, flow=headers.get("ovirtCorrelationId", ""), unwrap=True)
        else:
            self._relay(destination, frame)

    def _answer(self, destination: str, answer: bytes) -> None:
        targets = self._by_destination.get(destination)
        if targets is None:
            self._error("No subscription for the answer", body=answer)
            return
        for target in targets:
            self._message(target, answer)

    def _message(self, target: _Target, body: bytes, extra: bytes = b"") -> None:
        self._number += 1
        head = b"%bmessage-id:%d\n%bcontent-length:%d\n\n" % (target.head, self._number, extra, len(body))
        self._link.write(head, body, b"\0")

    def _error(self, text: str, *, receipt: str | None = None, body: bytes | None = None) -> None:
        headers = {"message": text, "content-type": "text/plain" if body is None else "application/json"}
        if receipt is not None:
            headers["receipt-id"] = receipt
        self._link.write(encode("ERROR", headers, text.encode() if body is None else body))

    # -- client to client

    def _relay(self, destination: str, frame: Frame) -> None:
        if len(destination) > DESTINATION_LENGTH:
            raise _Refused("Destination too long")
        if not self._link.caller.access & _RELAYING:
            raise _Refused("Not allowed to send to other clients")
        members = list(self._link.hub.relay.members(destination))
        if not members:
            raise _Refused("Subscription not available")
        delivered = [session.relayed(subscription_id, frame) for session, subscription_id in members]
        if not all(delivered):
            raise _Refused("A subscriber does not read its messages; it did not get this one")

    def relayed(self, subscription_id: str, frame: Frame) -> bool:
        """Pass on another client's frame; False if this one does not read and the frame was dropped."""
        if self._link.blocked or self._link.closed:
            return False
        self._number += 1
        headers = {name: value for name, value in frame.headers.items() if name not in ("receipt", "content-length")}
        headers.update({"subscription": subscription_id, "message-id": str(self._number)})
        self._link.write(encode("MESSAGE", headers, frame.body))
        return True

    # -- events

    def _follow_events(self, target: _Target) -> None:
        try:
            target.events = self._link.hub.service.subscribe("*", self._link.caller)
        except RpcError as error:
            raise _Refused(str(error)) from error
        self._link.hub.spawn(self._pump(target, target.events), f"events to {self._link.caller.address}")

    async def _pump(self, target: _Target, events: Subscription) -> None:
        with events:
            async for item in events:
                await self._link.writable()
                if self._link.closed:
                    return
                self._event(target, item)

    def _event(self, target: _Target, item: Event | Lost) -> None:
        if isinstance(item, Event):
            self._message(target, encode_notification(item.name, item.params), b"seq:%d\n" % item.seq)
        else:
            lost = {"count": item.count, "first": item.first_seq, "last": item.last_seq}
            self._message(target, encode_notification(EVENTS_LOST, msgspec.json.encode(lost)))

    # -- heart-beats

    def _beat(self, pause: float) -> None:
        """Every half period: a line end if nothing was sent since the last look."""
        if not self._link.wrote:
            self._link.write(b"\n")
        self._link.wrote = False
        self._timers["beat"] = self._link.loop.call_later(pause, self._beat, pause)

    def _listen(self, pause: float, silent: int) -> None:
        """Every quarter period: count the silent ones. While we do not read, silence means nothing."""
        silent = 0 if self._link.heard or self._link.blocked else silent + 1
        self._link.heard = False
        if silent >= _SILENT_QUARTERS:
            self._link.abort("no heart-beat")
            return
        self._timers["listen"] = self._link.loop.call_later(pause, self._listen, pause, silent)


def _heart_beat(text: str, least: float) -> tuple[int, int]:
    """The two numbers of a `heart-beat` header in ms: 0, or at least `least` seconds. Raises _Refused."""
    numbers = text.split(",")
    if len(numbers) != 2 or not all(number.strip().isdecimal() and len(number) <= 10 for number in numbers):
        raise _Refused("Invalid heart-beat header")
    sends, wants = (int(number) for number in numbers)
    floor = int(least * 1000)
    return (max(sends, floor) if sends else 0), (max(wants, floor) if wants else 0)
