"""Work that many ask for at once: who comes while it runs shares the next run, which begins after they came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedCall(Generic[T]):
    """`work` ends by itself: it has its own deadlines. A caller that is cancelled does not end it for the others."""

    def __init__(self, work: Callable[[], Awaitable[T]], name: str) -> None:
        self._work = work
        self._name = name
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running), name=self._name)
        return await asyncio.shield(self._next)

    @property
    def is_idle(self) -> bool:
        return self._next is None and self._running is None

    async def settle(self) -> None:
        """Wait until nothing of it runs."""
        while tasks := [task for task in (self._next, self._running) if task is not None]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        tasks = [task for task in (self._next, self._running) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _after(self, running: asyncio.Task[T] | None) -> T:
        this = self._next
        try:
            if running is not None:
                await asyncio.wait([running])
        finally:
            self._next = None
        self._running = this
        try:
            return await self._work()
        finally:
            self._running = None
