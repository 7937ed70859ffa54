"""Steps of tasks on the pool as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, PoolId
from ovis.node.storage.pool.switching import switch
from ovis.node.storage.tasks.steps import Step, step

if TYPE_CHECKING:
    from ovis.node.storage.tasks.steps import Work


@step("pool.switch_master")
@dataclass(frozen=True)
class SwitchMaster(Step):
    """Does all or nothing by itself."""

    pool: PoolId
    master: DomainId
    version: int

    async def do(self, work: Work) -> None:
        pool = work.storage.pools.find(self.pool)
        await switch(work.storage, pool, self.master, self.version, within=work.task_id)
