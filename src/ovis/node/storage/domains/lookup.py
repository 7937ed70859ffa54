"""Finding a domain by its id: in the folders that are mounted, then among the volume groups.

An opened domain is remembered until somebody says that this host does not use it any more (`forget`: removed, out of
the pool, its server disconnected) or that it is another one now (`renew`: upgraded). Each mount is asked through its
own process, all at once: a dead one only costs its own deadline, and nothing when the domain is found elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.storage.errors import NoSuchDomain
from ovis.node.storage.formats.identifiers import DomainId, is_identifier
from ovis.node.storage.formats.repository import domain_on
from ovis.node.storage.io.interface import IoFailure

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.formats.domain_record import DomainRecord
    from ovis.node.storage.io.interface import FileIo
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

LOOK_SECONDS = 20.0
MOUNTS_FIRST = 1.0
GRACE = 120.0
"""For work that is under way on a domain that is opened anew."""
NESTED = ("glusterSD",)
BLOCK = "blockSD"


class Domains:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._open: dict[DomainId, Domain] = {}
        self._searches: dict[DomainId, asyncio.Task[Domain]] = {}
        self._closing: dict[DomainId, asyncio.Task[None]] = {}
        self._recovered: set[DomainId] = set()

    async def find(self, domain_id: DomainId) -> Domain:
        """Raises NoSuchDomain; its text tells of mounts that did not answer."""
        known = self._open.get(domain_id)
        if known is not None:
            return known
        search = self._searches.get(domain_id)
        if search is None:
            search = asyncio.create_task(self._search(domain_id), name=f"search of domain {domain_id}")
            self._searches[domain_id] = search
            search.add_done_callback(lambda done: self._searched(domain_id, done))
        return await asyncio.shield(search)  # another caller may wait for the same

    def known(self, domain_id: DomainId) -> Domain | None:
        """The domain if it is open; nothing is looked for."""
        return self._open.get(domain_id)

    async def all(self) -> list[DomainId]:
        """Ids of the domains that can be seen now. Mounts that do not answer are left out, with a warning."""
        found: set[DomainId] = set(await self._storage.parts.block_domains())
        mounts = await self.mounts()
        listed = await asyncio.gather(*(self._on(mount) for mount in mounts), return_exceptions=True)
        for mount, result in zip(mounts, listed, strict=True):
            if isinstance(result, (OSError, NodeError)):
                log.warning("storage at %s cannot be listed: %s", mount, result)
            elif isinstance(result, BaseException):
                raise result
            else:
                found.update(result)
        return sorted(found)

    async def mounts(self) -> list[PurePosixPath]:
        """The folders below mnt/ in which domains may lie. Only the local disk is asked."""
        return await asyncio.to_thread(_mounts, self._storage.repository.mounts)

    async def agree(self, domain: Domain, record: DomainRecord) -> Domain:
        """The domain as its record says it is: opened anew when another host has upgraded it."""
        if record.domain.version == domain.version:
            return domain
        self.renew(domain)
        return await self.find(domain.id)

    def renew(self, domain: Domain) -> None:
        """The next call opens it anew. Work that has the old object may end with it; what is active stays active."""
        if self._open.get(domain.id) is domain:
            del self._open[domain.id]
            if domain.is_block:
                self._storage.keep(self._end_later(domain.io), f"the former process of domain {domain.id}")

    async def forget(self, domain_id: DomainId) -> None:
        """Close the domain here; the next call looks for it again, when that is done."""
        domain = self._open.pop(domain_id, None)
        if domain is not None:
            closing = asyncio.create_task(domain.close(), name=f"closing domain {domain_id}")
            self._closing[domain_id] = closing
            closing.add_done_callback(lambda done: self._closing.pop(domain_id, None))
        if domain_id in self._closing:
            await asyncio.shield(self._closing[domain_id])

    def own_ios(self) -> list[FileIo]:
        """Of open domains that share their process with no other."""
        return [domain.io for domain in self._open.values() if domain.is_block]

    def below(self, mount: PurePosixPath) -> list[Domain]:
        """The open ones in a mounted folder."""
        return [d for d in self._open.values() if not d.is_block and d.paths.folder.is_relative_to(mount)]

    async def forget_below(self, mount: PurePosixPath) -> None:
        for domain in self.below(mount):
            await self.forget(domain.id)

    async def close(self) -> None:
        """The agent ends. What is active on this host stays so: VMs run on, and the next agent finds it."""
        for search in list(self._searches.values()):
            search.cancel()
        own = self.own_ios()
        self._open.clear()
        await asyncio.gather(*(self._storage.parts.close_io(io) for io in own), return_exceptions=True)

    async def _end_later(self, io: FileIo) -> None:
        try:
            await asyncio.sleep(GRACE)
        finally:
            await self._storage.parts.close_io(io)

    def _searched(self, domain_id: DomainId, search: asyncio.Task[Domain]) -> None:
        self._searches.pop(domain_id, None)
        if not search.cancelled() and search.exception() is None:
            self._open[domain_id] = search.result()

    async def _search(self, domain_id: DomainId) -> Domain:
        if not is_identifier(domain_id):
            raise NoSuchDomain(domain_id, "its id is no UUID")
        if domain_id in self._closing:
            await asyncio.wait([self._closing[domain_id]])
        trouble: list[str] = []
        ways = [asyncio.create_task(self._on_a_mount(domain_id, trouble))]
        try:
            # LVM is asked when the mounts do not have it, or one of them takes its time over the answer.
            await asyncio.wait(ways, timeout=MOUNTS_FIRST)
            if not ways[0].done() or ways[0].exception() is not None or ways[0].result() is None:
                ways.append(asyncio.create_task(self._on_disks(domain_id)))
            for way in asyncio.as_completed(ways):
                found = await way
                if found is not None:
                    return found
        finally:
            for task in ways:
                task.cancel()
        raise NoSuchDomain(domain_id, "; ".join(trouble))

    async def _on_a_mount(self, domain_id: DomainId, trouble: list[str]) -> Domain | None:
        mounts = await self.mounts()
        looks = [asyncio.create_task(self._is_on(mount, domain_id)) for mount in mounts]
        try:
            for next_look in asyncio.as_completed(looks):
                mount, problem = await next_look
                if problem:
                    trouble.append(problem)
                if mount is not None:
                    folder = domain_on(mount, domain_id).folder
                    return await self._storage.parts.open_file_domain(self._storage.io(mount), folder)
        finally:
            for look in looks:
                look.cancel()
        return None

    async def _on_disks(self, domain_id: DomainId) -> Domain | None:
        if domain_id in await self._storage.parts.block_domains():
            domain = await self._storage.parts.open_block_domain(domain_id)
            if domain_id not in self._recovered:
                await self._storage.prepared.recover(domain)
                self._recovered.add(domain_id)
            return domain
        return None

    async def _is_on(self, mount: PurePosixPath, domain_id: DomainId) -> tuple[PurePosixPath | None, str | None]:
        """The mount when the domain is there, and what went wrong."""
        metadata = domain_on(mount, domain_id).metadata
        try:
            await self._storage.io(mount).facts(metadata, seconds=LOOK_SECONDS)
        except (FileNotFoundError, NotADirectoryError):
            return None, None
        except (OSError, IoFailure) as error:
            return None, f"{mount}: {error}"
        return mount, None

    async def _on(self, mount: PurePosixPath) -> list[DomainId]:
        io = self._storage.io(mount)
        names = [name for name in await io.names(mount, seconds=LOOK_SECONDS) if is_identifier(name)]
        present = await asyncio.gather(*(self._is_on(mount, DomainId(name)) for name in names))
        return [DomainId(name) for name, (where, _) in zip(names, present, strict=True) if where is not None]


def _mounts(folder: PurePosixPath) -> list[PurePosixPath]:
    # names alone: to look at what is mounted there can hang
    found: list[PurePosixPath] = []
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    for name in names:
        if name in NESTED:
            found += _mounts(folder / name)
        elif name != BLOCK:
            found.append(folder / name)
    return found
