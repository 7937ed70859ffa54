"""Events: one bus, many subscribers, bounded memory.

An event has a name such as `|virt|VM_status|<vm id>` and parameters (a JSON object). It is encoded once, however many
subscribers there are, and carries a sequence number of the bus: a subscriber that sees a gap in what it asked for
without a `Lost` mark has found a bug.

A subscription is a bounded buffer (number and bytes). When its reader is too slow the oldest events are dropped and, in
their place and before any newer event, the reader gets one `Lost` mark with their number and their first and last
sequence numbers. Publishing never waits and never fails because of a subscriber.

Patterns are those of a shell over the whole name, case-sensitive: `*`, `?`. Without these signs the name itself.

Everything here belongs to the thread of the event loop.
"""

from __future__ import annotations

import fnmatch
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    import asyncio

NOTIFY_TIME_OFFSET = 2**31 - 1
"""Added to the monotonic clock's milliseconds (reference/vdsm.md, 1.3)."""

PATTERN_LENGTH = 256
_WILD = re.compile(r"[*?]")
_EVENT_OVERHEAD = 300  # bytes of Python objects around one buffered event, measured with sys.getsizeof


class Event(msgspec.Struct, frozen=True):
    """One event: `params` is the JSON text of an object that already carries `notify_time`."""

    seq: int
    name: str
    params: bytes

    @property
    def params_with_seq(self) -> bytes:
        """The parameters with the member `seq` added, for framings which have no header for it."""
        return b'%b,"seq":%d}' % (self.params[:-1], self.seq)


class Lost(msgspec.Struct, frozen=True):
    """`count` matching events were dropped, from `first_seq` to `last_seq`."""

    count: int
    first_seq: int
    last_seq: int


class BadPattern(ValueError):
    """A pattern that is empty or longer than PATTERN_LENGTH."""


def matcher(pattern: str) -> Callable[[str], object]:
    """A function that is true for the names which match `pattern`. Raises BadPattern."""
    if not pattern or len(pattern) > PATTERN_LENGTH:
        raise BadPattern(f"A pattern has 1 to {PATTERN_LENGTH} characters, this one has {len(pattern)}")
    if not _WILD.search(pattern):
        return pattern.__eq__
    # fnmatch also knows [sets]; names never contain brackets, and a literal one must stay literal
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match


class Subscription:
    """Async iterator of `Event | Lost`; ends after `close`. One reader at a time."""

    def __init__(
        self,
        pattern: str,
        *,
        limit: int = 1000,
        limit_bytes: int = 8 << 20,
        on_close: Callable[[Subscription], None] | None = None,
    ) -> None:
        self.pattern = pattern
        self.matches = matcher(pattern)
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._on_close = on_close
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._lost: Lost | None = None
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, event: Event) -> None:
        """Buffer `event`, dropping the oldest ones if it does not fit."""
        if self._closed:
            return
        self._events.append(event)
        self._bytes += len(event.params) + _EVENT_OVERHEAD
        while self._events and (len(self._events) > self._limit or self._bytes > self._limit_bytes):
            self._drop_oldest()
        self._wake()

    def put_lost(self, lost: Lost) -> None:
        """Pass on a loss that happened before this buffer; what is still buffered is older: lost too."""
        while self._events:
            self._drop_oldest()
        self._note_lost(lost.count, lost.first_seq, lost.last_seq)
        self._wake()

    def take(self) -> Event | Lost | None:
        """The next item if there is one, without waiting."""
        if self._lost is not None:
            lost, self._lost = self._lost, None
            return lost
        if not self._events:
            return None
        event = self._events.popleft()
        self._bytes -= len(event.params) + _EVENT_OVERHEAD
        return event

    def close(self) -> None:
        """Stop; buffered items are dropped and a waiting reader ends. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        self._events.clear()
        self._lost = None
        self._bytes = 0
        self._wake()
        if self._on_close is not None:
            self._on_close(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event | Lost:
        while True:
            if self._closed:
                raise StopAsyncIteration
            item = self.take()
            if item is not None:
                return item
            await self._wait()

    async def _wait(self) -> None:
        import asyncio  # here: the blocking client uses this class too and must not pay for asyncio

        if self._waiter is not None:
            raise RuntimeError("A subscription has one reader at a time")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _drop_oldest(self) -> None:
        event = self._events.popleft()
        self._bytes -= len(event.params) + _EVENT_OVERHEAD
        self._note_lost(1, event.seq, event.seq)

    def _note_lost(self, count: int, first: int, last: int) -> None:
        if self._lost is not None:
            count, first = self._lost.count + count, self._lost.first_seq
        self._lost = Lost(count, first, last)


class Bus:
    """Publishes events to subscriptions. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._subscriptions: dict[Subscription, None] = {}  # a dict keeps the order of subscribing
        self._seq = 0
        self._encode = msgspec.json.Encoder().encode

    @property
    def seq(self) -> int:
        """Sequence number of the newest event, 0 before the first."""
        return self._seq

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, pattern: str, *, limit: int = 1000, limit_bytes: int = 8 << 20) -> Subscription:
        """Events published from now on whose name matches `pattern`. Raises BadPattern."""
        subscription = Subscription(pattern, limit=limit, limit_bytes=limit_bytes, on_close=self._forget)
        self._subscriptions[subscription] = None
        return subscription

    def publish(self, name: str, params: Mapping[str, object]) -> Event:
        """Number, encode and hand out an event. `params` needs string keys and values which msgspec can encode."""
        self._seq += 1
        notify_time = int(self._clock() * 1000) + NOTIFY_TIME_OFFSET
        event = Event(self._seq, name, self._encode({**params, "notify_time": notify_time}))
        for subscription in tuple(self._subscriptions):
            if subscription.matches(name):
                subscription.put(event)
        return event

    def _forget(self, subscription: Subscription) -> None:
        self._subscriptions.pop(subscription, None)
