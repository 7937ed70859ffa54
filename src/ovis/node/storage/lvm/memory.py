"""What is known of volume groups, and when it still counts.

An LVM command costs 60 to 300 ms, so a group is remembered after it was read. It is believed again only if

    1. no change of ours has ended since (Lvm.changing forgets it), and
    2. the group's sequence number on the disk is the one that was read (on_disk.py, about 1 ms): each commit of
       whatever host and program has a higher one.

When the number cannot be read (no reader, a missing disk, an odd label) the group is read by LVM again. So `current` is
as true as a read: what it returns was on storage at some moment after the call began.

Callers that come while a read runs share the next one, which begins after they came.

Who alone may change a group (the SPM under its lease) need not even look at the number: then `last` is the group as it
is, but for the sizes that growing gave its volumes, which are added to it (`grew`). A host that becomes SPM forgets all
groups first.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import PurePosixPath

from ovis.node.errors import NodeError
from ovis.node.storage.lvm import on_disk
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.on_disk import Read
from ovis.node.storage.lvm.reports import Group
from ovis.node.storage.shared_call import SharedCall

UNKNOWN = -1
"""The sequence number after a change that was not read."""


class GroupMemory:
    def __init__(self, lvm: Lvm) -> None:
        self._lvm = lvm
        self._known: dict[str, Group] = {}
        self._forgotten: dict[str, int] = {}
        self._reads: dict[str, SharedCall[Group]] = {}
        lvm.forget = self.forget

    async def current(self, name: str, read: Read | None = None) -> Group:
        """The group as it is on storage now. Raises as Lvm.group."""
        known = self._known.get(name)
        if known is not None and read is not None and await self._sequence(known, read) == known.sequence:
            return known
        return await self.read(name)

    def last(self, name: str) -> Group | None:
        """As it was read last and has grown since; None after any other change of ours."""
        return self._known.get(name)

    def grew(self, group: Group, volume: str, size: int) -> None:
        """What was known before the change, which is over and was the last one. `current` does not believe it."""
        grown = replace(group.volumes[volume], size=size)
        self._known[group.name] = replace(group, sequence=UNKNOWN, volumes={**group.volumes, volume: grown})

    async def read(self, name: str) -> Group:
        """By LVM, whatever is remembered. Raises as Lvm.group."""
        read = self._reads.setdefault(name, SharedCall(lambda: self._read(name), f"reading volume group {name}"))
        try:
            return await read()
        finally:
            if read.is_idle:
                self._reads.pop(name, None)

    def forget(self, name: str) -> None:
        self._forgotten[name] = self._forgotten.get(name, 0) + 1
        self._known.pop(name, None)

    def forget_all(self) -> None:
        for name in {*self._known, *self._reads}:
            self.forget(name)

    async def settle(self, name: str) -> None:
        """Wait until no read of the group runs any more, and forget it."""
        if name in self._reads:
            await self._reads[name].settle()
        self.forget(name)
        self._forgotten.pop(name, None)

    async def close(self) -> None:
        await asyncio.gather(*(read.close() for read in list(self._reads.values())))

    async def _read(self, name: str) -> Group:
        forgotten = self._forgotten.get(name, 0)
        group = await self._lvm.group(name)
        if forgotten == self._forgotten.get(name, 0):
            self._known[name] = group
        return group

    async def _sequence(self, known: Group, read: Read) -> int | None:
        for device in known.devices:
            if device.used_metadata_areas and not device.is_missing:
                try:
                    return await on_disk.sequence(read, PurePosixPath(device.name), known.uuid)
                except (OSError, NodeError):
                    return None
        return None
