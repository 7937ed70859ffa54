"""What is known of volume groups, and when it still counts.

An LVM command costs 60 to 300 ms, so a group is remembered after it was read. It is believed again only if

    1. no change of ours has ended since (Lvm.changing forgets it), and
    2. the group's sequence number on the disk is the one that was read (on_disk.py, about 1 ms): each commit of
       whatever host and program has a higher one.

When the number cannot be read (no reader, a missing disk, an odd label) the group is read by LVM again. So `current` is
as true as a read: what it returns was on storage at some moment after the call began.

Callers that come while a read runs share the next one, which begins after they came.
"""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath

from ovis.node.storage.io.interface import IoFailure
from ovis.node.storage.lvm import on_disk
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.on_disk import Read
from ovis.node.storage.lvm.reports import Group


class GroupMemory:
    def __init__(self, lvm: Lvm) -> None:
        self._lvm = lvm
        self._known: dict[str, Group] = {}
        self._forgotten: dict[str, int] = {}
        self._running: dict[str, asyncio.Task[Group]] = {}
        self._next: dict[str, asyncio.Task[Group]] = {}
        lvm.forget = self.forget

    async def current(self, name: str, read: Read | None = None) -> Group:
        """The group as it is on storage now. Raises as Lvm.group."""
        known = self._known.get(name)
        if known is not None and read is not None and await self._sequence(known, read) == known.sequence:
            return known
        return await self.read(name)

    async def read(self, name: str) -> Group:
        """By LVM, whatever is remembered. Raises as Lvm.group."""
        if name not in self._next:
            self._next[name] = asyncio.create_task(self._read_next(name), name=f"reading volume group {name}")
        return await asyncio.shield(self._next[name])

    def forget(self, name: str) -> None:
        self._forgotten[name] = self._forgotten.get(name, 0) + 1
        self._known.pop(name, None)

    async def settle(self, name: str) -> None:
        """Wait until no read of the group runs any more, and forget it."""
        if running := [task for task in (self._next.get(name), self._running.get(name)) if task is not None]:
            await asyncio.wait(running)
        self.forget(name)

    async def close(self) -> None:
        tasks = [*self._next.values(), *self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_next(self, name: str) -> Group:
        this = self._next[name]
        try:
            if (running := self._running.get(name)) is not None:
                await asyncio.wait([running])
        finally:
            self._next.pop(name, None)
        self._running[name] = this
        try:
            forgotten = self._forgotten.get(name, 0)
            group = await self._lvm.group(name)
            if forgotten == self._forgotten.get(name, 0):
                self._known[name] = group
            return group
        finally:
            if self._running.get(name) is this:
                del self._running[name]

    async def _sequence(self, known: Group, read: Read) -> int | None:
        for device in known.devices:
            if device.used_metadata_areas and not device.is_missing:
                try:
                    return await on_disk.sequence(read, PurePosixPath(device.name), known.uuid)
                except (OSError, IoFailure):
                    return None
        return None
