"""Volumes of storage domains for VMs, on a host whose storage may never be used: then nothing of it is loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.vm_volumes import VmVolumes
    from ovis.node.vm.disks.keeping import Kept
    from ovis.node.vm.disks.volumes import VolumeIds


class VolumesIfAny:
    """Implements vm.disks.keeping.VolumeKeeper. `is_used`: whether this host has any storage."""

    def __init__(self, node: Node, is_used: Callable[[], bool]) -> None:
        self._node = node
        self._is_used = is_used
        self._volumes: VmVolumes | None = None

    async def take(self, vm_id: str, ids: VolumeIds, *, transient: bool = False) -> Kept | None:
        volumes = await self._loaded()
        return None if volumes is None else await volumes.take(vm_id, ids, transient=transient)

    async def keep_only(self, vm_id: str, ids: VolumeIds) -> None:
        if (volumes := await self._loaded()) is not None:
            await volumes.keep_only(vm_id, ids)

    async def merged(self, ids: VolumeIds, *, base: str, is_active: bool) -> None:
        if (volumes := await self._loaded()) is not None:
            await volumes.merged(ids, base=base, is_active=is_active)

    async def grow(self, ids: VolumeIds, size: int) -> None:
        if (volumes := await self._loaded()) is not None:
            await volumes.grow(ids, size)

    async def give_back(self, vm_id: str, image: str | None = None) -> None:
        if (volumes := await self._loaded()) is not None:
            await volumes.give_back(vm_id, image)

    async def give_back_of_others(self, is_used: Callable[[str], bool]) -> None:
        if (volumes := await self._loaded()) is not None:
            await volumes.give_back_of_others(is_used)

    async def _loaded(self) -> VmVolumes | None:
        if self._volumes is None and self._is_used():
            await asyncio.to_thread(import_module, "ovis.node.storage.vm_volumes")
            from ovis.node.storage.vm_volumes import VmVolumes

            self._volumes = VmVolumes(self._node.storage)
        return self._volumes
