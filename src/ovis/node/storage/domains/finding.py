"""Which domains of some sort can be seen from this host."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.client.types import StorageDomainType
from ovis.node.errors import NodeError
from ovis.node.storage.domains.telling import api_type
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.pool.pool import Pool

if TYPE_CHECKING:
    from ovis.node.storage.formats.domain_record import DomainRecord
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0


@dataclass(frozen=True)
class Wanted:
    """None: any. `pool`: its members."""

    pool: Pool | None = None
    domain_class: str | None = None
    type: StorageDomainType | None = None
    remote_path: str | None = None

    @property
    def is_anything(self) -> bool:
        return self.domain_class is None and self.type is None and self.remote_path is None

    def fits(self, record: DomainRecord) -> bool:
        domain = record.domain
        return (
            self.domain_class in (None, domain.domain_class.value)
            and self.type in (None, api_type(domain.type))
            and self.remote_path in (None, domain.remote_path)
        )


async def domains(storage: Storage, wanted: Wanted) -> list[DomainId]:
    """Domains that cannot be read are left out, unless every one is wanted; the log says why."""
    found: Iterable[DomainId]
    found = await storage.domains.all() if wanted.pool is None else sorted(wanted.pool.membership.domains)
    if wanted.is_anything:
        return list(found)
    listed = list(found)
    fitting = await asyncio.gather(*(_fits(storage, domain, wanted) for domain in listed))
    return [domain for domain, fits in zip(listed, fitting, strict=True) if fits]


async def _fits(storage: Storage, domain_id: DomainId, wanted: Wanted) -> bool:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            domain = await storage.domain(domain_id)
            return wanted.fits(await domain.read_record())
    except (NodeError, OSError, TimeoutError) as error:
        log.warning("storage domain %s cannot be read: %s", domain_id, error or "no answer")
        return False
