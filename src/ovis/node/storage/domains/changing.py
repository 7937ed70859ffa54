"""Changes of a domain that is in use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.domains.alone import held_alone
from ovis.node.storage.domains.creating import check_description
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.errors import DomainNotActive, StorageError
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.pool.pool import Pool
from ovis.node.storage.tasks.errors import NotSpm

if TYPE_CHECKING:
    from ovis.node.storage.domains.block_domain import BlockDomain
    from ovis.node.storage.storage import Storage


class NotOnDisks(StorageError):
    wire_name = "StorageDomainActionError"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} lies on a file system, which has no disks of its own to change")


async def set_description(storage: Storage, domain_id: DomainId, text: str) -> None:
    """By the SPM for a domain of its pool; a domain in no pool is held alone. Raises DescriptionTooLong, NotSpm."""
    check_description(text)
    async with storage.claims.hold([claims.domain(domain_id)], by=f"rename domain {domain_id}"):
        domain = await storage.domain(domain_id)
        pool = storage.pools.joined
        if pool is not None and domain_id in pool.membership.domains:
            pool.spm.check()
            await pool.change_domain(domain, lambda record: _named(record, text))
        elif (await domain.read_record()).domain.pools:
            raise NotSpm
        else:
            async with held_alone(domain):
                await domain.write_record(_named(await domain.read_record(), text))


async def active_block_domain(storage: Storage, pool: Pool, domain_id: DomainId) -> BlockDomain:
    """For the SPM. Raises NotSpm, DomainNotInPool, DomainNotActive, NotOnDisks."""
    from ovis.node.storage.domains.block_domain import BlockDomain

    pool.spm.check()
    if pool.status(domain_id) is not DomainStatus.ACTIVE:
        raise DomainNotActive(domain_id)
    domain: Domain = await storage.domain(domain_id)
    if not isinstance(domain, BlockDomain):
        raise NotOnDisks(domain_id)
    return domain


def _named(record: DomainRecord, text: str) -> DomainRecord:
    return replace(record, domain=replace(record.domain, description=text))
