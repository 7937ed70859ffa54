"""Where records of tasks are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

NAME = "task.json"


class TaskStore(Protocol):
    """Raises OSError or IoFailure."""

    async def save(self, task_id: str, record: bytes) -> None:
        """Old or new after a crash, durable on return."""

    async def remove(self, task_id: str) -> None:
        """Safe to repeat."""

    async def load(self) -> Mapping[str, bytes]:
        """All records by id. What a crash left without a record is removed."""
