"""Hands events to every subscriber, each with its own bounded buffer."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from ovis.node.hypervisor.events import Event, Resync

# The busiest second we know is a host that loses its storage: an I/O error and a pause per disk. 4,096 holds that for
# a thousand VMs with two disks each and costs about half a megabyte when full.
BUFFER = 4096


class EventSubscription:
    def __init__(self, owner: "EventHub", size: int) -> None:
        self._owner = owner
        self._size = size
        self._buffer: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        if len(self._buffer) >= self._size:
            first = self._buffer[0]
            dropped = len(self._buffer) - 1 + first.lost if isinstance(first, Resync) else len(self._buffer)
            self._buffer.clear()
            self._buffer.append(Resync(dropped))
        self._buffer.append(event)
        self._ready.set()

    async def next(self) -> Event:
        """Raises StopAsyncIteration when closed and empty."""
        while not self._buffer:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._buffer.popleft()

    def close(self) -> None:
        """The events already in the buffer can still be read."""
        self._closed = True
        self._ready.set()
        self._owner.forget(self)

    async def _iterate(self) -> AsyncIterator[Event]:
        while True:
            try:
                event = await self.next()
            except StopAsyncIteration:
                return
            yield event

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._iterate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventHub:
    """Used from the event loop's thread only."""

    def __init__(self, size: int = BUFFER) -> None:
        self._size = size
        self._subscriptions: list[EventSubscription] = []

    def subscribe(self) -> EventSubscription:
        subscription = EventSubscription(self, self._size)
        self._subscriptions.append(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        for subscription in list(self._subscriptions):
            subscription.put(event)

    def forget(self, subscription: EventSubscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def close(self) -> None:
        for subscription in list(self._subscriptions):
            subscription.close()
