"""What a pool tells callers about itself and its domains."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ovis.client import types
from ovis.node.errors import NodeError
from ovis.node.storage.domains.interface import Domain, DomainSpace
from ovis.node.storage.domains.telling import api_type
from ovis.node.storage.formats.domain_metadata import DomainClass
from ovis.node.storage.formats.identifiers import DomainId, ImageId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.formats.repository import ISO_IMAGE
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.pool.pool import Pool
from ovis.node.wire_errors import code_of

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

LOOK_SECONDS = 10.0
"""For each domain, all at once: a dead one is told without its figures."""
UNREADABLE = -1


async def info(storage: Storage, pool: Pool) -> types.StoragePoolFullInfo:
    """Raises MasterNotFound, WrongMaster."""
    master, record, metadata = await pool.read()
    members = pool.membership.domains
    told = await asyncio.gather(*(_domain(storage, domain, status) for domain, status in members.items()))
    by_id = {str(domain): facts for domain, facts in zip(members, told, strict=True)}
    spm = await pool.spm.status()
    whole = types.StoragePoolInfo(
        domains=",".join(f"{domain}:{status.value}" for domain, status in members.items()),
        isoprefix=next((found.isoprefix for found in told if found.isoprefix), ""),
        lver=spm.spm_lver,
        master_uuid=master.id,
        master_ver=metadata.master_version,
        name=metadata.description,
        pool_status=types.StoragePoolStatus.CONNECTED,
        spm_id=spm.spm_id,
        type=api_type(record.domain.type),
        version=record.domain.version,
    )
    return types.StoragePoolFullInfo(info=whole, dominfo=by_id)


async def domains_with(storage: Storage, pool: Pool, image: ImageId) -> list[DomainId]:
    """Active data domains that have a finished volume of the image. One that cannot be read is an error: the caller
    would take its silence for absence."""
    found = await asyncio.gather(*(_has(storage, domain, image) for domain in pool.membership.active))
    return [domain for domain, has in zip(pool.membership.active, found, strict=True) if has]


async def _has(storage: Storage, domain_id: DomainId, image: ImageId) -> bool:
    domain = await storage.domain(domain_id)
    if (await domain.read_record()).domain.domain_class is not DomainClass.DATA:
        return False
    volumes = (await domain.store.volumes(image)).values()
    return any(not stored.is_unfinished and stored.removal is Removal.NONE for stored in volumes)


async def _domain(storage: Storage, domain_id: DomainId, status: DomainStatus) -> types.StoragePoolDomainInfo:
    shown = types.StorageDomainStatus(status.value)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            domain = await storage.domain(domain_id)
            record, space = await asyncio.gather(domain.read_record(), domain.space())
    except (NodeError, OSError, TimeoutError):
        return types.StoragePoolDomainInfo(status=shown, version=UNREADABLE, alerts=[], isoprefix="")
    return types.StoragePoolDomainInfo(
        status=shown,
        version=record.domain.version,
        diskfree=space.free,
        disktotal=space.total,
        alerts=_alerts(domain, space),
        isoprefix=str(domain.paths.image(ISO_IMAGE)) if record.domain.domain_class is DomainClass.ISO else "",
    )


def _alerts(domain: Domain, space: DomainSpace) -> list[types.StoragePoolDomainAlert]:
    if space.metadata_is_valid:
        return []
    text = f"LVM's metadata area of storage domain {domain.id} is nearly full: {space.metadata_free} bytes are free"
    return [types.StoragePoolDomainAlert(code=code_of("VgMetadataCriticallyFull"), message=text)]
