"""Growing a container where nothing has to be quick: VolumeStore.grow in terms of the other methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ovis.node.storage.errors import NoSuchVolume
from ovis.node.storage.formats.volume_tags import Removal

if TYPE_CHECKING:
    from ovis.node.storage.formats.identifiers import VolumeId
    from ovis.node.storage.formats.volume_metadata import VolumeMetadata
    from ovis.node.storage.volumes.store import VolumeStore


async def by_resizing(store: VolumeStore, volume: VolumeId, size: Callable[[VolumeMetadata], int]) -> int:
    stored = (await store.volumes()).get(volume)
    if stored is None or stored.is_unfinished or stored.removal is not Removal.NONE:
        raise NoSuchVolume(store.domain, "?" if stored is None else stored.image, volume)
    wanted = size(await store.read(stored.image, volume))
    if stored.size >= wanted:
        return stored.size
    return await store.resize(stored.image, volume, wanted)
