"""The volumes that VMs of this host use (vm/disks/keeping.py), prepared in their names.

The holder of each is `vm-<VM>-<volume>`, so that what an agent took is known to the next one (volumes/prepared.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage import claims
from ovis.node.storage.errors import NoSuchDomain
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.images import live
from ovis.node.storage.volumes import reading, transient
from ovis.node.storage.volumes.qemu_img import QCOW2, Disk
from ovis.node.vm.disks.keeping import Kept, KeptLayer

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.volumes.chain import Layer
    from ovis.node.storage.volumes.prepared import Record
    from ovis.node.vm.disks.volumes import VolumeIds

log = logging.getLogger(__name__)

UUID_LENGTH = 36
CLAIM_SECONDS = 20.0
Wanted = Callable[[str, str, DomainId, "Record"], bool]
"""VM, volume, domain and record of a holder -> whether it is meant."""


class VmVolumes:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._layers = storage.settings.transient
        self._made: set[PurePosixPath] = set()
        """Layers of transient disks that this agent has made and not removed."""

    async def take(self, vm_id: str, ids: VolumeIds, *, transient: bool = False) -> Kept | None:
        """Raises NodeError when the domain is there and the volume cannot be used; TransientExists."""
        assert ids.domain is not None
        assert ids.image is not None
        try:
            domain = await self._storage.domain(DomainId(ids.domain))
        except NoSuchDomain:
            return None
        image, volume = ImageId(ids.image), VolumeId(ids.volume)
        path = await self._storage.prepared.prepare(domain, image, volume, holder=_holder(vm_id, volume))
        chain = (await reading.image(domain, image)).chain(volume)
        layers = tuple([await _layer(domain, image, layer) for layer in chain])
        if not transient:
            return Kept(str(path), domain.is_block, chain[-1].qemu_format, layers)
        layer = await self._layer(domain, vm_id, chain[-1], path)
        return Kept(str(layer), is_block=False, driver=QCOW2, layers=layers, is_layer=True)

    async def _layer(self, domain: Domain, vm_id: str, top: Layer, path: PurePosixPath) -> PurePosixPath:
        known = PurePosixPath(transient.path_of(self._layers, domain.id, top.id, vm_id))
        if known not in self._made:
            below = Disk(path, top.qemu_format)
            await transient.make(self._layers, domain.id, top.id, vm_id, below=below, capacity=top.metadata.capacity)
            self._made.add(known)
        return known

    async def keep_only(self, vm_id: str, ids: VolumeIds) -> None:
        if await self.take(vm_id, ids) is not None:
            kept = (ids.domain, ids.volume)
            await self._release(
                lambda vm, volume, domain, record: (
                    vm == vm_id and record.links == ids.image and (domain, volume) != kept
                )
            )

    async def merged(self, ids: VolumeIds, *, base: str, is_active: bool) -> None:
        assert ids.image is not None
        try:
            domain = await self._storage.domain(DomainId(ids.domain or ""))
        except NoSuchDomain:
            return
        image = ImageId(ids.image)
        needed = [claims.domain(domain.id, exclusive=False), claims.image(domain.id, image)]
        async with self._storage.claims.hold(needed, by="a live merge", seconds=CLAIM_SECONDS):
            top = VolumeId(ids.volume)
            async with self._storage.extensions.may_change(domain) as by_spm:
                await live.merged(domain, image, base=VolumeId(base), top=top, is_active=is_active, by_spm=by_spm)

    async def grow(self, ids: VolumeIds, size: int) -> None:
        assert ids.domain is not None
        assert ids.image is not None
        extensions = self._storage.extensions
        await extensions.extend(DomainId(ids.domain), ImageId(ids.image), VolumeId(ids.volume), size)

    async def give_back(self, vm_id: str, image: str | None = None) -> None:
        await self._release(lambda vm, _, __, record: vm == vm_id and image in (None, record.links))

    async def give_back_of_others(self, is_used: Callable[[str], bool]) -> None:
        await self._release(lambda vm, *_: not is_used(vm))
        for layer in transient.left_behind(self._layers, frozenset()):  # of before a boot, which forgets the holders
            if not is_used(layer.suffix.removeprefix(".")):
                self._remove_layer(layer)

    def _remove_layer(self, layer: Path) -> None:
        layer.unlink(missing_ok=True)
        self._made.discard(PurePosixPath(layer))

    async def _release(self, is_wanted: Wanted) -> None:
        found = [
            (domain_id, record, holder)
            for domain_id, holder, record in self._storage.prepared.holders()
            if (names := _names(holder)) is not None and is_wanted(*names, domain_id, record)
        ]
        await asyncio.gather(*(self._let_go(*each, is_wanted) for each in found))

    async def _let_go(self, domain_id: DomainId, record: Record, holder: str, is_wanted: Wanted) -> None:
        try:
            domain = await self._storage.domain(domain_id)
            assert record.links is not None
            names = _names(holder)
            if names is None or not is_wanted(*names, domain_id, record):  # the VM has come again meanwhile
                return
            self._remove_layer(transient.path_of(self._layers, domain_id, VolumeId(names[1]), names[0]))
            await self._storage.prepared.tear_down(domain, record.links, holder=holder)
        except (NodeError, OSError) as error:
            log.warning("volumes of domain %s stay active for now (%s): %s", domain_id, holder, error)


def _holder(vm_id: str, volume: VolumeId) -> str:
    return f"vm-{vm_id}-{volume}"


def _names(holder: str) -> tuple[str, str] | None:
    """VM and volume of a holder of ours."""
    parts = holder.removeprefix("vm-")
    if not holder.startswith("vm-") or len(parts) != 2 * UUID_LENGTH + 1:
        return None
    return parts[:UUID_LENGTH], parts[UUID_LENGTH + 1 :]


async def _layer(domain: Domain, image: ImageId, layer: Layer) -> KeptLayer:
    lease = await domain.store.lease(layer.image, layer.id)
    path = domain.paths.volume(image, layer.id)
    return KeptLayer(layer.id, layer.image, str(path), str(lease.path), lease.offset)
