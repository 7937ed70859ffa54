"""Moving the master role to another domain of the pool while it is in use: a task of the SPM.

    1  the lease of the new master is taken; the descriptions of VMs and the records of tasks are copied to it
    2  it gets the pool's metadata with a higher version: from here on it leads
    3  the SPM role goes on there, and the old master becomes a regular member

A crash before 2 changed nothing that counts; after it there are two that say Master, the version tells which one leads,
and the next SPM corrects the other. No other task of the SPM may run meanwhile, nor be started: its record would be in
two places.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage.domains.alone import sdm
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.pool import records
from ovis.node.storage.pool.errors import WrongMaster, WrongState
from ovis.node.storage.pool.pool import Pool, write_pool
from ovis.node.storage.pool.spm import trusted
from ovis.node.storage.tasks.master_store import MasterStore

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

LONGEST_OVF = 4 << 20


async def check_new_master(storage: Storage, pool: Pool, new: DomainId, version: int) -> Domain:
    """Raises DomainNotInPool, WrongState, IsoAsMaster, BackupAsMaster, WrongMaster."""
    status = pool.status(new)
    if status is not DomainStatus.ACTIVE:
        raise WrongState(new, status.value, "master")
    domain = await storage.domain(new)
    record = await domain.read_record()
    records.check_can_lead(record)
    if version <= pool.membership.master_version:
        raise WrongMaster(pool.id, new, f"a new master's version must be above {pool.membership.master_version}")
    return domain


async def switch(storage: Storage, pool: Pool, new: DomainId, version: int, *, within: str = "") -> None:
    """`within`: the task that does it. Safe to repeat. Raises also TasksInTheWay, LeaseError, IoFailure, OSError."""
    if pool.membership.master == new:
        return
    pool.spm.check()
    target = await check_new_master(storage, pool, new, version)
    old, old_record, metadata = await pool.read()
    async with storage.tasks.held_still(pool.id, but=within):
        await pool.host_ids.hold(target)
        await target.locks.acquire(sdm(target), pool.host_id)
        try:
            await target.open_master()
            await _copy_vms(old, target)
            store = MasterStore(target.io, target.paths.tasks)
            await storage.tasks.copy_to(store)
            changed = replace(metadata, master_version=version)
            await write_pool(target, records.as_master(await target.read_record(), pool.id, changed))
        except BaseException:
            await target.close_master()
            await target.locks.release(sdm(target))
            raise
        storage.tasks.use(store, trusted(target))
    await pool.spm.move(old, target)
    await pool.use(replace(pool.membership, master=new, master_version=version))
    try:
        await old.write_record(records.as_member(old_record, pool.id))
    except (NodeError, OSError) as error:
        log.warning("pool %s: former master %s still says so, with a lower version: %s", pool.id, old.id, error)
    log.info("pool %s: master %s, version %d, in place of %s", pool.id, new, version, old.id)


async def _copy_vms(old: Domain, new: Domain) -> None:
    source = old.io
    for vm in await source.names(old.paths.vms):
        with contextlib.suppress(FileExistsError):
            await new.io.make_folder(new.paths.vms / vm)
        for name in await source.names(old.paths.vms / vm):
            data = await source.read(old.paths.vms / vm / name, size=LONGEST_OVF)
            await new.io.replace(new.paths.vms / vm / name, data)
