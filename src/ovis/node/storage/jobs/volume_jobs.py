"""What the jobs of class SDM do. Each is a function that runs as a job of the host (node/jobs.py) to its end."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node import processes
from ovis.node.processes import Command, Limits, Stalled
from ovis.node.storage import claims
from ovis.node.storage.formats.volume_metadata import (
    DESCRIPTION_LIMIT,
    Legality,
    VolumeFormat,
    VolumeMetadata,
    VolumeRole,
)
from ovis.node.storage.images import merging
from ovis.node.storage.images.merging import Subchain
from ovis.node.storage.jobs import external_end
from ovis.node.storage.jobs.external_end import ExternalEnd
from ovis.node.storage.jobs.guarded import CLAIM_SECONDS, Guarded, working_on
from ovis.node.storage.leases.held import inherited, keeper, volume_lease
from ovis.node.storage.volumes import bitmaps, copying, qemu_img, reading
from ovis.node.storage.volumes.copying import Place
from ovis.node.storage.volumes.errors import InvalidUpdate, QemuImgFailed, Unsupported, WrongFormat
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.volumes.chain import Layer

SPARSIFY = "virt-sparsify"
SPARSIFY_STALL = 6 * 3600.0  # it starts a machine of its own, and says little
OnPercent = Callable[[int], None]


@dataclass(frozen=True)
class Attributes:
    """None: as it is."""

    description: str | None = None
    generation: int | None = None
    legality: Legality | None = None
    role: VolumeRole | None = None


@dataclass(frozen=True)
class VolumeJobs:
    """`host_id`: of this host in its pool."""

    storage: Storage
    host_id: int
    job_id: str

    async def copy_data(self, source: Place, target: Guarded, *, with_bitmaps: bool, on_percent: OnPercent) -> None:
        more = [
            claims.domain(source.domain, exclusive=False),
            claims.image(source.domain, source.image, exclusive=False),
        ]
        async with working_on(self.storage, self.host_id, target, job_id=self.job_id, changes_data=True, more=more) as (
            _,
            layer,
        ):
            if with_bitmaps:
                from_layer = await reading.layer(await self.storage.domain(source.domain), source.image, source.volume)
                _require_qcow2(layer)
                _require_qcow2(from_layer)
            await copying.fill(self.storage, source, target.place, bitmaps=with_bitmaps, on_percent=on_percent)

    async def copy_in(self, source: ExternalEnd, target: Guarded, *, with_bitmaps: bool, on_percent: OnPercent) -> None:
        """From outside into a volume."""
        work = working_on(self.storage, self.host_id, target, job_id=self.job_id, changes_data=True)
        async with work, self._outside(source):
            await copying.fill_from(
                self.storage, source.disk, target.place, bitmaps=with_bitmaps, on_percent=on_percent
            )

    async def copy_out(self, source: Place, target: ExternalEnd, *, with_bitmaps: bool, on_percent: OnPercent) -> None:
        """From a volume to outside."""
        needed = [
            claims.domain(source.domain, exclusive=False),
            claims.image(source.domain, source.image, exclusive=False),
        ]
        async with (
            self.storage.claims.hold(needed, by=f"job {self.job_id}", seconds=CLAIM_SECONDS),
            self._outside(target),
        ):
            await copying.pour_out(
                self.storage,
                source,
                target.disk,
                create=target.create,
                is_zero=target.is_zero,
                bitmaps=with_bitmaps,
                on_percent=on_percent,
            )

    async def merge(self, subchain: Subchain, *, with_bitmaps: bool, on_percent: OnPercent) -> None:
        """The base is ILLEGAL before (prepareMerge) and after (until finalizeMerge)."""
        base = Guarded(Place(subchain.domain, subchain.image, subchain.base), subchain.base_generation)
        async with working_on(self.storage, self.host_id, base, job_id=self.job_id) as (domain, _):
            top = volume_lease(domain, self.host_id, subchain.image, subchain.top)
            async with top:
                await merging.merge(self.storage, domain, subchain, with_bitmaps=with_bitmaps, on_percent=on_percent)

    async def update(self, wanted: Guarded, attributes: Attributes) -> None:
        """One write: all or nothing."""
        place = wanted.place
        needed = [claims.domain(place.domain, exclusive=False), claims.image(place.domain, place.image)]
        async with self.storage.claims.hold(needed, by=f"job {self.job_id}"):
            domain = await self.storage.domain(place.domain)
            async with volume_lease(
                domain, self.host_id, place.image, place.volume, generation=wanted.generation
            ) as metadata:
                await domain.store.write(place.image, place.volume, updated(str(place), metadata, attributes))

    async def amend(self, wanted: Guarded, compat: str | None) -> None:
        async with self._disk(wanted, changes_data=True) as (domain, layer, disk):
            _require_qcow2(layer)
            if compat is None:
                return
            if domain.version < 4 and compat != "0.10":
                raise Unsupported(str(wanted.place), f"a domain of version {domain.version} holds qcow2 0.10 alone")
            await qemu_img.on(domain).amend(disk, compat)

    async def sparsify(self, wanted: Guarded) -> None:
        """Needs virt-sparsify, which looks into the guest's file systems."""
        program = shutil.which(SPARSIFY)
        if program is None:
            raise Unsupported(str(wanted.place), f"it needs {SPARSIFY} on the host (Debian: guestfs-tools)")
        async with self._disk(wanted, changes_data=True) as (_, layer, disk):
            if layer.metadata.parent is not None:
                raise Unsupported(str(wanted.place), "it builds on another volume; only a disk of one layer is shrunk")
            await _sparsify(program, disk)

    async def add_bitmap(self, wanted: Guarded, name: str) -> None:
        async with self._disk(wanted) as (domain, layer, disk):
            await bitmaps.add(domain, layer, PurePosixPath(disk.path), name)

    async def remove_bitmap(self, wanted: Guarded, name: str) -> None:
        async with self._disk(wanted) as (domain, layer, disk):
            await bitmaps.remove(domain, layer, PurePosixPath(disk.path), name)

    async def clear_bitmaps(self, wanted: Guarded) -> None:
        async with self._disk(wanted) as (domain, layer, disk):
            await bitmaps.clear(domain, layer, PurePosixPath(disk.path))

    def _outside(self, end: ExternalEnd) -> AbstractAsyncContextManager[None]:
        now = self.storage.now()
        return external_end.working_on(self.storage, self.host_id, end, job_id=self.job_id, now=now)

    @asynccontextmanager
    async def _disk(self, wanted: Guarded, *, changes_data: bool = False) -> AsyncIterator[tuple[Domain, Layer, Disk]]:
        """`working_on` with the volume active."""
        work = working_on(self.storage, self.host_id, wanted, job_id=self.job_id, changes_data=changes_data)
        async with work as (domain, layer), self.storage.prepared.active(domain, [layer]) as paths:
            yield domain, layer, Disk(paths[layer.id], layer.qemu_format)


def updated(subject: str, metadata: VolumeMetadata, wanted: Attributes) -> VolumeMetadata:
    """Raises InvalidUpdate."""
    if wanted.legality is not None and wanted.legality is metadata.legality:
        raise InvalidUpdate(subject, f"is marked {metadata.legality.value} already")
    if wanted.role is not None:
        if wanted.role is not VolumeRole.SHARED or metadata.role is not VolumeRole.LEAF:
            raise InvalidUpdate(subject, f"cannot become {wanted.role.value}: it is {metadata.role.value}")
        if metadata.parent is not None:
            raise InvalidUpdate(subject, "builds on another volume and cannot become a template")
    return replace(
        metadata,
        description=metadata.description if wanted.description is None else wanted.description[:DESCRIPTION_LIMIT],
        legality=wanted.legality or metadata.legality,
        role=wanted.role or metadata.role,
        generation=metadata.next_generation if wanted.generation is None else wanted.generation,
    )


async def _sparsify(program: str, disk: Disk) -> None:
    command = Command(
        [program, "--in-place", "--format", disk.format, str(disk.path)],
        limits=Limits(memory=None, files=1024, is_background=True, grace=10.0),
        descriptors=inherited(),
        when_stuck=keeper(),
        environment={"LIBGUESTFS_BACKEND": "direct"},
    )
    try:
        ended = await processes.run(command, seconds=SPARSIFY_STALL)
    except (Stalled, OSError) as error:
        raise QemuImgFailed(SPARSIFY, str(disk.path), str(error)) from error
    if ended.status:
        raise QemuImgFailed(SPARSIFY, str(disk.path), ended.complaint)


def _require_qcow2(layer: Layer) -> None:
    if layer.metadata.format is not VolumeFormat.COW:
        raise WrongFormat(f"volume {layer.id}", "is raw, this needs qcow2")
