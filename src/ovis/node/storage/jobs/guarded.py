"""How a job works on a volume without the SPM: under the volume's lease, once for each generation.

    claims of this host ─> lease of the volume ─> generation as expected? ─> [ILLEGAL] ─> work ─> generation + 1 [LEGAL]

A job that fails or is aborted leaves the generation as it was, and a volume whose content it was changing ILLEGAL: its
caller starts another job with the same generation. One that comes late, or comes twice, is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.claims import Claim
from ovis.node.storage.formats.volume_metadata import Legality
from ovis.node.storage.leases.held import volume_lease
from ovis.node.storage.volumes import reading
from ovis.node.storage.volumes.copying import Place

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.volumes.chain import Layer

CLAIM_SECONDS = 3600.0  # what others do on the same disk may take its time; the job shows as running


@dataclass(frozen=True)
class Guarded:
    """A volume and the generation that it must have (None: any)."""

    place: Place
    generation: int | None = None


@asynccontextmanager
async def working_on(
    storage: Storage,
    host_id: int,
    wanted: Guarded,
    *,
    job_id: str,
    changes_data: bool = False,
    more: Iterable[Claim] = (),
) -> AsyncIterator[tuple[Domain, Layer]]:
    """`changes_data`: the volume is ILLEGAL meanwhile. When the block ends well the generation grows.

    Raises ClaimTimeout, LeaseHeld, GenerationMismatch; LeaseLost: the work was ended.
    """
    place = wanted.place
    needed = [claims.domain(place.domain, exclusive=False), claims.image(place.domain, place.image), *more]
    async with storage.claims.hold(needed, by=f"job {job_id}", seconds=CLAIM_SECONDS):
        domain = await storage.domain(place.domain)
        layer = await reading.layer(domain, place.image, place.volume)
        async with volume_lease(domain, host_id, place.image, place.volume, generation=wanted.generation) as metadata:
            if changes_data and metadata.legality is not Legality.ILLEGAL:
                await domain.store.write(place.image, place.volume, replace(metadata, legality=Legality.ILLEGAL))
            yield domain, replace(layer, metadata=metadata)
            found = await domain.store.read(place.image, place.volume)
            finished = replace(found, generation=found.next_generation)
            if changes_data:
                finished = replace(finished, legality=Legality.LEGAL)
            await domain.store.write(place.image, place.volume, finished)
