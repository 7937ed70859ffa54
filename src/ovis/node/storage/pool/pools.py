"""The pool that this host is in: one at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage


class Pools:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def recover(self) -> None: ...

    async def close(self) -> None: ...
