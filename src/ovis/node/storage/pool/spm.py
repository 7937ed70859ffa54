"""The role of the pool's manager (SPM): one host at a time, the holder of the SDM lease of the master domain.

             take                      lease held, master open, tasks taken over
    FREE ──────────> CONTEND ────────────────────────────────────────────────────> SPM
      ^                 │ failed: all undone                                        │
      ├─────────────────┘                                                           │
      ├──────────────────────── CONTEND <───────────── give up: no tasks left ──────┤
      └───────────────────────────────────── lose: the host id or the lease is gone ┘

In SPM only: the pool's metadata change, tasks with the tag `spm` run, the master's file system is mounted. When the
lease is lost the role ends first, then every task is ended where it stands; the next SPM recovers them from the master
domain. Processes that write under the lease are ended by its holder (leases/holder.py), whatever the agent does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ovis.client.types import SpmRole, SpmStatus
from ovis.node.errors import NodeError
from ovis.node.storage.domains.alone import sdm
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.mailbox import Extend
from ovis.node.storage.leases.held import while_trusted
from ovis.node.storage.leases.interface import Owner
from ovis.node.storage.pool.clearing import clear_removed
from ovis.node.storage.pool.errors import SpmStartFailed
from ovis.node.storage.pool.extensions import grow
from ovis.node.storage.pool.mailbox import SpmMailbox
from ovis.node.storage.tasks.errors import NotSpm, TasksInTheWay
from ovis.node.storage.tasks.master_store import MasterStore
from ovis.node.storage.tasks.task import Trust
from ovis.node.storage.tasks.tasks import SPM

if TYPE_CHECKING:
    from ovis.node.storage.pool.pool import Pool

log = logging.getLogger(__name__)

NOBODY = -1
CLEAN_UP_SECONDS = 30.0


def trusted(master: Domain) -> Trust:
    """What tasks of the SPM run within."""
    return lambda: while_trusted(master.locks, master.lockspace, f"the SPM lease of {master.id}")


class Spm:
    def __init__(self, pool: Pool) -> None:
        self.role = SpmRole.FREE
        self._pool = pool
        self._turn = asyncio.Lock()
        self._cleaning = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._master: Domain | None = None
        """While this host has, or may have, anything of the role there."""
        self._clearing: asyncio.Task[None] | None = None
        self._mail: asyncio.Task[None] | None = None
        """Serves the other hosts while this one is SPM."""

    def check(self) -> None:
        """Raises NotSpm."""
        if self.role is not SpmRole.SPM:
            raise NotSpm(self._pool.id)

    @asynccontextmanager
    async def trusted(self) -> AsyncIterator[None]:
        """For what only the SPM may do: ended when the lease is lost. Raises NotSpm, LeaseLost."""
        self.check()
        assert self._master is not None
        async with trusted(self._master)():
            yield

    async def status(self) -> SpmStatus:
        """Who has the lease, as it lies on storage; where that cannot be told, what the master's metadata say."""
        master, _, metadata = await self._pool.read()
        try:
            owner = await master.locks.owner(sdm(master))
        except NodeError as error:
            log.warning("pool %s: the owner of the SPM lease cannot be read: %s", self._pool.id, error)
            owner = None if metadata.spm_id is None else Owner(metadata.spm_id, metadata.spm_version or 0)
        return SpmStatus(
            spm_id=owner.host_id if owner else NOBODY,
            spm_lver=owner.version if owner else NOBODY,
            spm_status=self.role,
        )

    async def take(self) -> None:
        """Become the SPM; safe to repeat. Raises LeaseHeld with the owner, SpmStartFailed; then this host is none."""
        async with self._turn:
            if self.role is SpmRole.SPM:
                return
            async with self._cleaning:  # what a lost role left is gone first
                self.role = SpmRole.CONTEND
            try:
                await self._take()
                self._check_contending()
            except BaseException:
                await self._clean_up()
                raise
            self.role = SpmRole.SPM
            self._serve_mail()
        log.info("pool %s: this host is the SPM", self._pool.id)
        self._pool.storage.keep(self._pool.correct_former_masters(), f"former masters of {self._pool.id}")
        self._clearing = self._pool.storage.keep(clear_removed(self._pool), f"removed volumes of {self._pool.id}")

    async def give_up(self) -> None:
        """Safe to repeat. Raises TasksInTheWay, and what keeps the master mounted: then this host is still SPM."""
        async with self._turn:
            if self.role is not SpmRole.SPM:
                return
            tasks = self._pool.storage.tasks
            if left := [task.task_id for task in tasks.tagged(SPM)]:
                raise TasksInTheWay(self._pool.id, left)
            master = await self._pool.master()
            await tasks.let_go()
            try:
                await master.close_master()
            except BaseException:
                await self._take_over(master)
                raise
            self.role = SpmRole.CONTEND
            self._end_watch()
            try:
                with contextlib.suppress(NodeError, OSError):  # only for those who look; the lease counts
                    await self._record(None)
                await master.locks.release(sdm(master))
            finally:
                self._pool.storage.tie(None)
                self.role, self._master = SpmRole.FREE, None
        log.info("pool %s: this host has given up the SPM role", self._pool.id)

    async def reopen(self) -> None:
        """The master was opened anew: what holds on to the old object takes the new one."""
        self._master = master = await self._pool.master()
        await master.open_master()
        self._pool.storage.tasks.use(MasterStore(master.io, master.paths.tasks), trusted(master))
        self._serve_mail()

    async def move(self, old: Domain, new: Domain) -> None:
        """The role goes on under the lease of the new master, which this host holds already."""
        self._end_watch()
        self._master = new
        self._pool.storage.tie(new.locks.tie(new.lockspace))
        self._watch = asyncio.create_task(self._until_lost(new), name=f"SPM lease of {self._pool.id}")
        self._serve_mail()
        await self._let_go_of(old)

    async def lose(self, reason: str) -> None:
        """End the role now. Nothing is asked of storage before all work on it has ended."""
        if self.role is SpmRole.FREE:
            return
        log.error("pool %s: the SPM role is lost: %s", self._pool.id, reason)
        self.role = SpmRole.FREE
        await self._clean_up()

    async def close(self) -> None:
        """The agent ends, and the lease with it. Storage is not asked: the next start finds what is mounted."""
        self._end_watch()
        self.role, self._master = SpmRole.FREE, None
        await self._pool.storage.tasks.let_go()

    async def _take(self) -> None:
        pool = self._pool
        master, _, _ = await pool.read()
        self._master = master
        await pool.host_ids.hold(master)
        lease = sdm(master)
        await master.locks.acquire(lease, pool.host_id)
        self._watch = asyncio.create_task(self._until_lost(master), name=f"SPM lease of {pool.id}")
        owner = await master.locks.owner(lease)  # after the watch began: a loss between both is not missed
        if owner is None or owner.host_id != pool.host_id:
            raise SpmStartFailed(pool.id, f"its lease is held by {owner or 'nobody'} after it was taken")
        pool.storage.tie(master.locks.tie(master.lockspace))
        pool.storage.parts.forget_groups()
        await self._record(owner)  # reads the metadata again: the former SPM may have changed them until now
        await pool.catch_up()
        await master.open_master()
        await self._take_over(master)

    async def _take_over(self, master: Domain) -> None:
        await self._pool.storage.tasks.take_over(MasterStore(master.io, master.paths.tasks), trusted(master))

    async def _record(self, owner: Owner | None) -> None:
        master, record, metadata = await self._pool.read()
        changed = replace(metadata, spm_id=owner.host_id if owner else None)
        if owner:
            changed = replace(changed, spm_version=owner.version)
        await master.write_record(replace(record, pool=changed))

    async def _until_lost(self, master: Domain) -> None:
        reason = await master.locks.lost(master.lockspace)
        self._watch = None
        await self.lose(reason)

    async def _clean_up(self) -> None:
        """Leave nothing of the role behind, whatever storage says to that."""
        self.role = SpmRole.FREE
        self._end_watch()
        async with self._cleaning:
            await self._pool.storage.tasks.let_go()
            self._pool.storage.tie(None, at_once=True)
            master, self._master = self._master, None
            if master is not None:
                await self._let_go_of(master)

    async def _let_go_of(self, master: Domain) -> None:
        for what, call in (("closed", master.close_master), ("released", partial(master.locks.release, sdm(master)))):
            try:
                async with asyncio.timeout(CLEAN_UP_SECONDS):
                    await call()
            except (NodeError, OSError, TimeoutError) as error:
                log.warning("pool %s: master domain %s was not %s: %s", self._pool.id, master.id, what, error)

    def _check_contending(self) -> None:
        if self.role is not SpmRole.CONTEND:
            raise SpmStartFailed(self._pool.id, "its lease was lost again at once")

    def _serve_mail(self) -> None:
        self._end_mail()
        assert self._master is not None
        mailbox = SpmMailbox(self._master, self.extend)
        self._mail = asyncio.create_task(mailbox.serve(), name=f"mail of pool {self._pool.id}")

    async def extend(self, wish: Extend) -> int:
        """The volume's size now. Raises NotSpm, LeaseLost, and as `extensions.grow`."""
        async with self.trusted():
            return await grow(await self._pool.storage.domain(wish.domain), wish.volume, wish.size)

    def _end_mail(self) -> None:
        if self._mail is not None:
            self._mail.cancel()
            self._mail = None

    def _end_watch(self) -> None:
        self._end_mail()
        if self._clearing is not None:
            self._clearing.cancel()
            self._clearing = None
        watch, self._watch = self._watch, None
        if watch is not None and watch is not asyncio.current_task():
            watch.cancel()
