"""Records of the tasks of this host alone: <state>/tasks/<id>/task.json on its own disk."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from ovis.node import durable_files
from ovis.node.storage.formats.identifiers import is_identifier
from ovis.node.storage.tasks.record import LIMIT
from ovis.node.storage.tasks.store import NAME


class FolderStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def save(self, task_id: str, record: bytes) -> None:
        await asyncio.to_thread(self._save, task_id, record)

    async def remove(self, task_id: str) -> None:
        await asyncio.to_thread(self._remove, task_id)

    async def load(self) -> Mapping[str, bytes]:
        return await asyncio.to_thread(self._load)

    def _save(self, task_id: str, record: bytes) -> None:
        folder = self._folder / task_id
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)
            durable_files.flush(self._folder)
        durable_files.replace(folder / NAME, record)

    def _remove(self, task_id: str) -> None:
        folder = self._folder / task_id
        (folder / NAME).unlink(missing_ok=True)  # first: from here on there is no task
        with contextlib.suppress(FileNotFoundError):
            durable_files.flush(folder)
            shutil.rmtree(folder)
            durable_files.flush(self._folder)

    def _load(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        if not self._folder.is_dir():
            return found
        for folder in self._folder.iterdir():
            if not is_identifier(folder.name):
                continue
            try:
                with (folder / NAME).open("rb") as file:
                    found[folder.name] = file.read(LIMIT + 1)
            except FileNotFoundError:
                shutil.rmtree(folder, ignore_errors=True)
        return found
