"""Bringing all domains of a pool to a newer version: those that are active now, the master last, since others are
compared with it when they are activated: a crash between leaves a pool of the old version, and the upgrade is repeated.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage.domains import upgrading
from ovis.node.storage.formats.domain_metadata import VERSIONS, DomainClass
from ovis.node.storage.pool.errors import VersionNotServed, VersionTooHigh
from ovis.node.storage.pool.pool import Pool

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)


async def check(pool: Pool, version: int) -> bool:
    """Whether there is something to do. Raises VersionNotServed, VersionTooHigh, NotSpm."""
    pool.spm.check()
    if version not in VERSIONS:
        raise VersionNotServed(version)
    _, record, _ = await pool.read()
    if record.domain.version > version:
        raise VersionTooHigh(f"pool {pool.id}", record.domain.version, version)
    return record.domain.version < version


async def upgrade(storage: Storage, pool: Pool, version: int) -> None:
    """Safe to repeat. A domain that cannot be converted now keeps its version, and is tried again when it is activated;
    only the master must be. Raises what converting the master raises."""
    if not await check(pool, version):
        return
    for domain_id in pool.membership.active:
        if domain_id == pool.membership.master:
            continue
        try:
            domain = await storage.domain(domain_id)
            if (await domain.read_record()).domain.domain_class is DomainClass.DATA:
                await upgrading.upgrade(storage, domain, version, host_id=pool.host_id)
                storage.domains.renew(domain)
        except (NodeError, OSError) as error:
            log.warning("pool %s: domain %s keeps its version for now: %s", pool.id, domain_id, error)
    master = await pool.master()
    await upgrading.upgrade(storage, master, version, host_id=pool.host_id, is_held=True)
    storage.domains.renew(master)
    await pool.spm.reopen()
