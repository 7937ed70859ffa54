"""What an engine asks of a pool beside joining it: checked here, done by tasks and by the parts that know how."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage import claims
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.pool import records, upgrading
from ovis.node.storage.pool.errors import UpgradeRunning, WrongMaster
from ovis.node.storage.pool.pool import Pool
from ovis.node.storage.pool.spm_steps import Take, Upgrade
from ovis.node.storage.pool.steps import SwitchMaster
from ovis.node.storage.pool.switching import check_new_master
from ovis.node.storage.tasks.record import OnCrash
from ovis.node.storage.tasks.steps import Step
from ovis.node.storage.tasks.tasks import SPM

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)


async def start_spm(
    storage: Storage, pool: Pool, *, previous_id: int, previous_version: int, domain_version: int | None
) -> str:
    """The id of a task of this host. What the caller believes of the former SPM is only noted: the lease decides."""
    known = await pool.spm.status()
    if (known.spm_id, known.spm_lver) != (previous_id, previous_version):
        log.info(
            "pool %s: the caller knows SPM %d (version %d), the lease says %d (version %d)",
            *(pool.id, previous_id, previous_version, known.spm_id, known.spm_lver),
        )
    steps: list[Step] = [Take(pool.id)]
    if domain_version is not None:
        steps.append(Upgrade(pool.id, domain_version))
    return await storage.tasks.start("spmStart", steps, claims=[claims.pool(pool.id)])


async def stop_spm(storage: Storage, pool: Pool) -> None:
    """Raises TasksInTheWay."""
    async with storage.claims.hold([claims.pool(pool.id)], by="spmStop"):
        await pool.spm.give_up()


async def switch_master(storage: Storage, pool: Pool, *, old: DomainId, new: DomainId, version: int) -> str:
    """The id of a task of the SPM. Raises NotSpm, WrongMaster, and what check_new_master does."""
    pool.spm.check()
    if pool.membership.master != old:
        raise WrongMaster(pool.id, old, f"that is {pool.membership.master}")
    await check_new_master(storage, pool, new, version)
    step = SwitchMaster(pool.id, new, version)
    return await storage.tasks.start(
        "switchMaster", [step], claims=[claims.pool(pool.id)], tag=SPM, on_crash=OnCrash.GO_ON
    )


async def rename(storage: Storage, pool: Pool, name: str) -> None:
    """Raises NotSpm, NameTooLong."""
    records.check_name(name)
    async with storage.claims.hold([claims.pool(pool.id)], by="rename pool"):
        await pool.change(lambda metadata: replace(metadata, description=name))


async def upgrade(storage: Storage, pool: Pool, version: int) -> None:
    """Begin it. Raises NotSpm, VersionNotServed, VersionTooHigh, UpgradeRunning."""
    if pool.upgrading_to is not None:
        raise UpgradeRunning(pool.id, pool.upgrading_to)
    if await upgrading.check(pool, version):
        pool.upgrading_to = version
        storage.keep(_upgrade(storage, pool, version), f"upgrade of pool {pool.id}")


async def _upgrade(storage: Storage, pool: Pool, version: int) -> None:
    try:
        async with storage.claims.hold([claims.pool(pool.id)], by="upgrade pool", seconds=600):
            await upgrading.upgrade(storage, pool, version)
    except (NodeError, OSError):
        log.exception("pool %s keeps its version", pool.id)
    finally:
        pool.upgrading_to = None
