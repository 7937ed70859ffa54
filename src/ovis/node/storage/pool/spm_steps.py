"""The task that makes this host the SPM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import PoolId
from ovis.node.storage.tasks.steps import Step, step

if TYPE_CHECKING:
    from ovis.node.storage.tasks.steps import Work


@step("spm.take")
@dataclass(frozen=True)
class Take(Step):
    pool: PoolId

    async def do(self, work: Work) -> None:
        await work.storage.pools.find(self.pool).spm.take()

    async def undo(self, work: Work) -> None:
        pool = work.storage.pools.joined
        if pool is not None and pool.id == self.pool:  # else the role ended with the agent
            await pool.spm.lose("its start was undone")


@step("spm.upgrade")
@dataclass(frozen=True)
class Upgrade(Step):
    """Active domains are brought to the version that the pool is to have. There is no way back for them."""

    pool: PoolId
    version: int

    async def do(self, work: Work) -> None:
        from ovis.node.storage.pool.upgrading import upgrade

        await upgrade(work.storage, work.storage.pools.find(self.pool), self.version)
