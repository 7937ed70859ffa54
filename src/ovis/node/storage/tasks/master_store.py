"""Records of the SPM's tasks: master/tasks/<id>/task.json on the master domain, for whoever is SPM next.

Folders without our file are another program's tasks (older agents keep `<id>.task` and more there): left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import PurePosixPath

from ovis.node.storage.formats.identifiers import is_identifier
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.tasks.record import LIMIT
from ovis.node.storage.tasks.store import NAME

log = logging.getLogger(__name__)


class MasterStore:
    def __init__(self, io: FileIo, folder: PurePosixPath) -> None:
        self._io = io
        self._folder = folder
        self._made: set[str] = set()

    async def save(self, task_id: str, record: bytes) -> None:
        folder = self._folder / task_id
        if task_id not in self._made:
            with contextlib.suppress(FileExistsError):
                await self._io.make_folder(folder)
            self._made.add(task_id)
        await self._io.replace(folder / NAME, record, mode=0o660)

    async def remove(self, task_id: str) -> None:
        folder = self._folder / task_id
        with contextlib.suppress(FileNotFoundError):
            await self._io.remove(folder / NAME)  # first: from here on there is no task
        await self._io.remove_tree(folder)
        self._made.discard(task_id)

    async def load(self) -> Mapping[str, bytes]:
        names = [name for name in await self._io.names(self._folder) if is_identifier(name)]
        loaded = await asyncio.gather(*(self._read(name) for name in names))
        return {name: data for name, data in zip(names, loaded, strict=True) if data is not None}

    async def _read(self, task_id: str) -> bytes | None:
        folder = self._folder / task_id
        try:
            data = await self._io.read(folder / NAME, size=LIMIT + 1)
        except FileNotFoundError:
            left = await self._io.names(folder)
            if any(NAME not in name for name in left):  # ours: a record that was being written
                log.warning("%s is a task of another program (%s): it is left as it is", folder, ", ".join(left))
            else:
                await self._io.remove_tree(folder)
            return None
        self._made.add(task_id)
        return data
