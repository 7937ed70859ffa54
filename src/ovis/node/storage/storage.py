"""The root of all that this host knows of storage: one object, made when storage is first used.

    Storage
    ├── privileged     the root helper
    ├── connections    servers, mounts, sessions
    ├── domains        finds a domain by its id, wherever it lies          domains/lookup.py
    ├── claims         who works on what, within this host                 claims.py
    ├── tasks          long operations, kept across crashes                tasks/
    ├── nbd            servers of single volumes                            nbd/server.py
    ├── prepared       volumes in use on this host, and by whom            volumes/prepared.py
    ├── managed        block devices of storage systems                   managed/volumes.py
    ├── pools          the pool that this host is in, and its SPM role     pool/
    └── monitors       checks of the domains in use                        domains/monitor.py

The parts are imported when first asked for: an idle agent carries none of them. A test hands in its own `parts`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ovis.node.errors import NodeError
from ovis.node.storage.claims import Claims
from ovis.node.storage.parts import Parts
from ovis.node.storage.settings import StorageSettings

if TYPE_CHECKING:
    from ovis.client.types import StorageDomainVitals
    from ovis.node.jobs import Jobs
    from ovis.node.storage.connections.connections import Connections
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.domains.lookup import Domains
    from ovis.node.storage.domains.monitors import Monitors
    from ovis.node.storage.formats.identifiers import DomainId
    from ovis.node.storage.io.interface import FileIo
    from ovis.node.storage.leases.interface import Locks, Tie
    from ovis.node.storage.managed.volumes import ManagedVolumes
    from ovis.node.storage.nbd.server import NbdServers
    from ovis.node.storage.pool.extensions import Extensions
    from ovis.node.storage.pool.pools import Pools
    from ovis.node.storage.tasks.tasks import Tasks
    from ovis.node.storage.volumes.prepared import Prepared
    from ovis.wire.events import Bus

log = logging.getLogger(__name__)

CLOSING_SECONDS = 5.0


class Storage:
    def __init__(
        self,
        settings: StorageSettings,
        jobs: Jobs,
        events: Bus,
        *,
        parts: Parts | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.repository = settings.repository
        self.jobs = jobs
        self.events = events
        self.now = now
        self.claims = Claims()
        self.domain_is_back: Callable[[], None] = lambda: None
        """Called when a domain that could not be used can be used again."""
        self.parts = parts or Parts(settings)
        self._running: set[asyncio.Task[None]] = set()
        self._ios: dict[PurePosixPath, FileIo] = {}

    @property
    def privileged(self) -> Any:
        return self.parts.privileged

    @cached_property
    def connections(self) -> Connections:
        return self.parts.connections(self)

    @cached_property
    def domains(self) -> Domains:
        from ovis.node.storage.domains.lookup import Domains

        return Domains(self)

    @cached_property
    def tasks(self) -> Tasks:
        from ovis.node.storage.tasks.folder_store import FolderStore
        from ovis.node.storage.tasks.tasks import Tasks

        return Tasks(self, FolderStore(self.settings.state / "tasks"), at_once=self.settings.tasks_at_once)

    @cached_property
    def pools(self) -> Pools:
        from ovis.node.storage.pool.pools import Pools

        return Pools(self)

    @cached_property
    def nbd(self) -> NbdServers:
        from ovis.node.storage.nbd.server import NbdServers

        return NbdServers(self, self.settings.run / "nbd")

    @cached_property
    def managed(self) -> ManagedVolumes:
        from ovis.node.storage.managed.records import Records
        from ovis.node.storage.managed.volumes import ManagedVolumes

        records = Records(self.settings.state / "managed")
        return ManagedVolumes(records, self.settings.managed_links, self.privileged, lambda: self.connections)

    @cached_property
    def prepared(self) -> Prepared:
        from ovis.node.storage.volumes.prepared import Prepared

        return Prepared(self.repository, self.settings.run / "prepared")

    @cached_property
    def monitors(self) -> Monitors:
        from ovis.node.storage.domains.monitors import Monitors

        return Monitors(self, back=lambda: self.domain_is_back())

    def is_silent(self, path: str) -> bool:
        """Whether the path lies on a domain that is watched and does not answer. From memory."""
        return "monitors" in self.__dict__ and self.monitors.is_silent(path)

    def vitals(self) -> dict[str, StorageDomainVitals]:
        """Of all domains that are watched, from memory."""
        return self.monitors.report() if "monitors" in self.__dict__ else {}

    @cached_property
    def extensions(self) -> Extensions:
        from ovis.node.storage.pool.extensions import Extensions

        return Extensions(self)

    async def domain(self, domain_id: DomainId) -> Domain:
        """The domain, opened when it was not. Raises NoSuchDomain, IoTimeout."""
        return await self.domains.find(domain_id)

    def io(self, mount: PurePosixPath) -> FileIo:
        """The process that touches the file system mounted there; one for each mount."""
        if mount not in self._ios:
            self._ios[mount] = self.parts.io(mount)
        return self._ios[mount]

    async def forget_io(self, mount: PurePosixPath) -> None:
        """End the process of a mount that goes away, and forget the domains on it."""
        await self.domains.forget_below(mount)
        io = self._ios.pop(mount, None)
        if io is not None:
            await self.parts.close_io(io)

    def tie(self, tie: Tie | None, *, at_once: bool = False) -> None:
        """Let the processes that touch storage hold what keeps a lease held (None: nothing any more), so that no other
        host gets it before they are dead. `at_once`: those that run are killed, with what they do."""
        if tie is None and self.parts.role_tie is None:
            return
        self.parts.role_tie = tie
        for io in [*self._ios.values(), *self.domains.own_ios()]:
            self.parts.renew_io(io, at_once=at_once)

    def locks(self, *, is_local: bool) -> Locks:
        """The lock of a domain: sanlock, or this process alone for domains that only this host can reach."""
        return self.parts.locks(is_local=is_local)

    def users(self, place: PurePosixPath) -> list[str]:
        """Who needs what is mounted there, for a person: domains of the pool that are in use."""
        pool = self.pools.joined
        if pool is None:
            return []
        return [
            f"storage domain {domain.id} of pool {pool.id}"
            for domain in self.domains.below(place)
            if domain.id in pool.host_ids.kept
        ]

    def watch(self, domain_id: DomainId) -> None:
        """Check the domain regularly from now on. Safe to repeat."""
        self.parts.watch(self, domain_id)

    async def unwatch(self, domain_id: DomainId) -> None:
        await self.parts.unwatch(self, domain_id)

    def keep(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run something in the background until it ends or storage is closed. It handles its own errors."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def recover(self) -> None:
        """What was there before the agent's restart: connections, tasks of this host, the pool. Never raises for
        storage that is away: that is tried again in the background."""
        await self.pools.expect()
        for recover in (self.connections.recover, self.parts.recover, self.tasks.recover_own, self.pools.recover):
            try:
                await recover()
            except (NodeError, OSError):
                log.exception("a part of storage is not as it was before the start")

    async def close(self) -> None:
        """End all that runs here. Nothing on storage changes; what was interrupted goes on at the next start."""
        for part in ("monitors", "pools", "tasks"):
            if part in self.__dict__:
                await getattr(self, part).close()
        for task in self._running:
            task.cancel()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=CLOSING_SECONDS)
            for task in late:
                log.warning("%s does not end", task.get_name())
        for part in ("connections", "domains"):
            if part in self.__dict__:
                await getattr(self, part).close()
        for io in self._ios.values():
            await self.parts.close_io(io)
        self._ios.clear()
        await self.parts.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed in an unforeseen way", task.get_name(), exc_info=error)
