"""Locks over sanlock, for storage that several hosts share.

    host id    held by the sanlock daemon; it stays when the agent goes, VMs depend on it
    lease      held by a holder process, one for each lockspace (holder.py); gone with the agent and its writers

An agent that starts again finds its host ids held (`state` asks the daemon) and has no leases: what worked under them
was stopped with it. Nothing is remembered here but which leases our own holders have.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.leases import sanlock_library as library
from ovis.node.storage.leases.calls import Calls
from ovis.node.storage.leases.errors import (
    AcquireFailed,
    FormatFailed,
    HostIdTaken,
    LeaseError,
    LeaseHeld,
    LeaveFailed,
    LocksNotResponding,
    LockspaceLost,
    NotALease,
    NoteFailed,
    ReleaseFailed,
)
from ovis.node.storage.leases.holders import Holder
from ovis.node.storage.leases.interface import NOTE_BYTES, Found, HostIdState, Lockspace, Owner, Resource, Tie
from ovis.node.storage.leases.sanlock_library import Listed, SanlockError
from ovis.node.storage.volumes.store import LeasePlace

log = logging.getLogger(__name__)

RUN_FOLDER = "SANLOCK_RUN_DIR"
IDLE_SECONDS = 60.0  # a holder without leases is 8 MB; starting one takes 50 ms
AGAIN_SECONDS = 0.2


@dataclass
class _Space:
    """What we have in one lockspace. `leases`: held by the holder, by name."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    holder: Holder | None = None
    leases: dict[str, Resource] = field(default_factory=dict)
    idle: asyncio.TimerHandle | None = None


class SanlockLocks:
    """`folder`: where sanlock's socket is, None its usual place. It is one for the process: the library reads it from
    the environment. `io_timeout` in seconds, sanlock's unit of patience; all hosts of a domain have the same."""

    def __init__(self, folder: Path | None = None, *, io_timeout: int = 10) -> None:
        if folder is not None:
            os.environ[RUN_FOLDER] = str(folder)
        self.io_timeout = io_timeout
        self._calls = Calls(max(30.0, 6.0 * io_timeout))
        self._spaces: dict[DomainId, _Space] = {}

    async def format_lockspace(self, lockspace: Lockspace) -> None:
        try:
            await self._calls.run(lockspace.domain, library.write_lockspace, lockspace, self.io_timeout)
        except SanlockError as error:
            raise FormatFailed(f"lockspace {lockspace.domain} at {lockspace.place.path}", str(error)) from error

    async def format_resource(self, resource: Resource) -> None:
        try:
            await self._calls.run(resource.lockspace.domain, library.write_resource, resource)
        except SanlockError as error:
            raise FormatFailed(f"lease {resource.name} at {_spot(resource.place)}", str(error)) from error

    async def clear(self, lockspace: Lockspace, place: LeasePlace) -> None:
        try:
            await self._calls.run(lockspace.domain, library.clear_resource, lockspace, place)
        except SanlockError as error:
            raise FormatFailed(f"no lease at {_spot(place)}", str(error)) from error

    async def join(self, lockspace: Lockspace, host_id: int, *, wait: bool = True) -> None:
        # The id of a host that has died becomes free after 8 io timeouts, sanlock's 60 s for a watchdog, and the time
        # that joining itself takes.
        limit = 60.0 + 20.0 * self.io_timeout + self._calls.seconds
        try:
            async with asyncio.timeout(limit):
                # The daemon tells nobody that it has finished.
                while not await self._joined(lockspace, host_id, wait=wait):  # noqa: ASYNC110
                    await asyncio.sleep(AGAIN_SECONDS)
        except TimeoutError as error:
            raise LockspaceLost(lockspace, f"joining it did not end within {limit:g} s") from error

    async def _joined(self, lockspace: Lockspace, host_id: int, *, wait: bool) -> bool:
        """One try; False: try again."""
        listed = await self._listed(lockspace)
        if listed is not None and listed.host_id != host_id:
            raise HostIdTaken(lockspace, host_id, f"this host is in it as {listed.host_id}")
        if listed is not None and listed.flags == 0:
            return True
        if listed is not None:  # being added or removed
            return listed.flags == library.ADDING and not wait
        try:
            seconds = 60.0 + 20.0 * self.io_timeout
            await self._calls.run_slowly(
                seconds, lockspace.domain, library.add_lockspace, lockspace, host_id, self.io_timeout, wait=wait
            )
        except SanlockError as error:
            if error.number in (-errno.EEXIST, -errno.EINPROGRESS, -errno.EAGAIN):
                return False  # somebody was quicker
            if error.number in (library.HOST_ID_BUSY, -errno.EINVAL):
                raise HostIdTaken(lockspace, host_id, str(error)) from error
            raise LockspaceLost(lockspace, str(error)) from error
        return True

    async def leave(self, lockspace: Lockspace, host_id: int) -> None:
        for resource in self._held(lockspace.domain):
            await self.release(resource)
        await self._let_go(lockspace.domain)
        try:
            # It ends within two renewals.
            seconds = self._calls.seconds + 10.0 * self.io_timeout
            await self._calls.run_slowly(seconds, lockspace.domain, library.remove_lockspace, lockspace, host_id)
        except SanlockError as error:
            if error.number == -errno.ENOENT:
                return
            busy = "leases of VMs are held in it" if error.number == -errno.EBUSY else str(error)
            raise LeaveFailed(lockspace, host_id, busy) from error

    async def state(self, lockspace: Lockspace) -> HostIdState:
        listed = await self._listed(lockspace)
        if listed is None:
            return HostIdState.FREE
        by_flags = {library.ADDING: HostIdState.JOINING, library.REMOVING: HostIdState.LEAVING}
        return by_flags.get(listed.flags, HostIdState.HELD)

    async def acquire(self, resource: Resource, host_id: int) -> None:
        # In a task of its own: when the caller goes, the call still ends, and what it took is given back.
        work = asyncio.ensure_future(self._acquire(resource, host_id))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(lambda done: self._undo_late(done, resource))
            raise

    async def _acquire(self, resource: Resource, host_id: int) -> None:
        space = self._space(resource)
        async with space.lock:
            if resource.name in space.leases:
                if space.holder is not None and not space.holder.ended.is_set():
                    return
                raise LockspaceLost(resource.lockspace, "its leases were lost and the work under them has not ended")
            await self._check_host_id(resource, host_id)
            holder = await self._holder(resource.lockspace, space)
            try:
                await self._calls.run(resource.lockspace.domain, library.acquire, resource, holder.pid)
            except SanlockError as error:
                self._watch_idle(resource.lockspace.domain, space)
                raise await self._refused(resource, host_id, error) from error
            except LocksNotResponding:
                # It may have been taken, or be taken later: not if its holder is gone.
                self._end_unused(space)
                raise
            space.leases[resource.name] = resource
            self._stop_idle(space)

    async def release(self, resource: Resource) -> None:
        await asyncio.shield(self._release(resource))

    async def _release(self, resource: Resource) -> None:
        space = self._space(resource)
        async with space.lock:
            if resource.name not in space.leases or space.holder is None:
                return
            del space.leases[resource.name]
            holder = space.holder
            if holder.is_kept and not holder.ended.is_set():
                said = self._end_unused(space)
                if space.leases:
                    raise ReleaseFailed(resource, f"a killed process that may write under it has not ended; {said}")
                log.warning("%s is free when a killed process that may write under it has ended", _named(resource))
                return
            try:
                if not holder.ended.is_set():
                    await self._calls.run(resource.lockspace.domain, library.release, resource, holder.pid)
            except SanlockError as error:
                if error.number != -errno.ENOENT:
                    raise ReleaseFailed(resource, f"{error}; {self._end_unused(space)}") from error
            except LocksNotResponding as error:
                raise ReleaseFailed(resource, f"{error}; {self._end_unused(space)}") from error
            finally:
                if holder.ended.is_set():
                    self._end_unused(space)
                else:
                    self._watch_idle(resource.lockspace.domain, space)

    def has(self, resource: Resource) -> bool:
        space = self._spaces.get(resource.lockspace.domain)
        return space is not None and resource.name in space.leases

    async def owner(self, resource: Resource) -> Owner | None:
        try:
            version, hosts = await self._calls.run(resource.lockspace.domain, library.owners, resource)
            for host in hosts:
                if not await self._is_gone(resource.lockspace, host):
                    return Owner(host.host_id, version)
        except SanlockError as error:
            raise _unreadable(_named(resource), error) from error
        return None

    async def version(self, resource: Resource) -> int:
        try:
            version, _ = await self._calls.run(resource.lockspace.domain, library.owners, resource)
        except SanlockError as error:
            raise _unreadable(_named(resource), error) from error
        return version

    async def renews(self, lockspace: Lockspace, host_id: int) -> bool | None:
        try:
            known = await self._calls.run(lockspace.domain, library.hosts, lockspace.domain, host_id)
        except SanlockError as error:
            log.info("host id %d of storage domain %s: %s", host_id, lockspace.domain, error)
            return None
        return next((host.renews for host in known if host.host_id == host_id), None)

    async def lost(self, lockspace: Lockspace) -> str:
        loop = asyncio.get_running_loop()
        answered = loop.time()
        while True:
            space = self._spaces.get(lockspace.domain)
            holder = space.holder if space else None
            if holder is not None and holder.ended.is_set():
                return "sanlock ended the holder of its leases: the host id could not be renewed, or was given up"
            try:
                listed = await self._listed(lockspace)
                if listed is None or listed.flags:
                    return "sanlock does not hold this host's id any more"
                answered = loop.time()
            except LocksNotResponding as error:
                # Others take over 8 io timeouts and a watchdog's 60 s after the last renewal.
                if loop.time() - answered >= 3.0 * self.io_timeout:
                    return str(error)
            await _first(self.io_timeout / 2, holder)

    def tie(self, lockspace: Lockspace) -> Tie | None:
        space = self._spaces.get(lockspace.domain)
        return space.holder if space else None

    async def found(self, lockspace: Lockspace, place: LeasePlace) -> Found | None:
        try:
            name, lease = await self._calls.run(lockspace.domain, library.read_resource, lockspace, place)
        except SanlockError as error:
            if error.number == library.LEADER_MAGIC:
                return None
            raise _unreadable(f"what lies at {_spot(place)}", error) from error
        return Found(name, lease) if lease else None  # existing agents clear a place by giving it no name

    async def read_note(self, resource: Resource) -> bytes:
        try:
            return await self._calls.run(resource.lockspace.domain, library.read_note, resource)
        except SanlockError as error:
            raise NoteFailed(resource, str(error)) from error

    async def write_note(self, resource: Resource, note: bytes) -> None:
        if len(note) > NOTE_BYTES:
            raise NoteFailed(resource, f"{len(note)} bytes, there is room for {NOTE_BYTES}")
        try:
            await self._calls.run(resource.lockspace.domain, library.write_note, resource, note)
        except SanlockError as error:
            raise NoteFailed(resource, str(error)) from error

    async def close(self) -> None:
        for domain in list(self._spaces):
            await self._let_go(domain)
        self._calls.close()

    def _held(self, domain: DomainId) -> list[Resource]:
        space = self._spaces.get(domain)
        return list(space.leases.values()) if space else []

    def _space(self, resource: Resource) -> _Space:
        return self._spaces.setdefault(resource.lockspace.domain, _Space())

    async def _holder(self, lockspace: Lockspace, space: _Space) -> Holder:
        if space.holder is not None and space.holder.ended.is_set():
            if space.leases:
                raise LockspaceLost(lockspace, "its leases were lost and the work under them has not ended")
            self._end_unused(space)
        if space.holder is None:
            space.holder = await Holder.start(lockspace.domain)
        return space.holder

    def _watch_idle(self, domain: DomainId, space: _Space) -> None:
        self._stop_idle(space)
        if not space.leases:
            space.idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_unused, space)

    def _stop_idle(self, space: _Space) -> None:
        if space.idle is not None:
            space.idle.cancel()
            space.idle = None

    def _end_unused(self, space: _Space) -> str:
        """End a holder without leases; what sanlock still counts as held by it is free then."""
        if space.leases or space.holder is None:
            return f"it is freed with the other leases of the domain: {', '.join(space.leases)}"
        self._stop_idle(space)
        space.holder.let_go()
        space.holder = None
        return "its holder was ended, which frees it"

    async def _let_go(self, domain: DomainId) -> None:
        space = self._spaces.get(domain)
        if space is None:
            return
        async with space.lock:
            holder = space.holder
            space.leases.clear()
            self._end_unused(space)
            if holder is not None:
                await _first(self._calls.seconds, holder)

    async def _listed(self, lockspace: Lockspace) -> Listed | None:
        try:
            found = await self._calls.run(lockspace.domain, library.lockspaces)
        except SanlockError as error:
            raise LocksNotResponding(str(error)) from error
        return next((one for one in found if one.name == lockspace.domain), None)

    async def _check_host_id(self, resource: Resource, host_id: int) -> None:
        listed = await self._listed(resource.lockspace)
        if listed is None or listed.flags:
            raise LockspaceLost(resource.lockspace, "sanlock does not hold it")
        if listed.host_id != host_id:
            raise AcquireFailed(resource, f"this host is in the lockspace as {listed.host_id}, not {host_id}")

    async def _refused(self, resource: Resource, host_id: int, error: SanlockError) -> LeaseError:
        if error.number in library.OWNED:
            try:
                return LeaseHeld(resource, await self.owner(resource))
            except LeaseError:
                return LeaseHeld(resource, None)
        if error.number in (-errno.EEXIST, -errno.EBUSY):
            return LeaseHeld(resource, Owner(host_id, 0), "another process of this host")
        if error.number == -errno.ENOSPC:
            return LockspaceLost(resource.lockspace, "sanlock is giving it up")
        if error.number in library.LEADER_ERRORS:
            return _unreadable(_named(resource), error)
        return AcquireFailed(resource, str(error))

    async def _is_gone(self, lockspace: Lockspace, owner: library.Host) -> bool:
        """Whether the lease that `owner` took would be given to another host now."""
        try:
            known = await self._calls.run(lockspace.domain, library.hosts, lockspace.domain, owner.host_id)
        except SanlockError:
            return False  # we are not in the lockspace, or not long enough: nobody knows
        return any(host.is_gone or host.generation > owner.generation for host in known)

    def _undo_late(self, acquiring: asyncio.Future[None], resource: Resource) -> None:
        if not acquiring.cancelled() and acquiring.exception() is None:
            self._late = asyncio.ensure_future(self._release_late(resource))

    async def _release_late(self, resource: Resource) -> None:
        try:
            await self._release(resource)
        except ReleaseFailed as error:
            log.warning("%s", error)


def _unreadable(what: str, error: SanlockError) -> LeaseError:
    """Whether something else lies there, or nobody could look."""
    if error.number in library.LEADER_ERRORS:
        return NotALease(what, str(error))
    return LocksNotResponding(f"{what}: {error}")


def _named(resource: Resource) -> str:
    return f"lease {resource.name} at {_spot(resource.place)}"


def _spot(place: LeasePlace) -> str:
    return f"{place.path}:{place.offset}"


async def _first(seconds: float, holder: Holder | None) -> None:
    """Wait so long, or until the holder has ended."""
    if holder is None:
        await asyncio.sleep(seconds)
        return
    try:
        async with asyncio.timeout(seconds):
            await holder.ended.wait()
    except TimeoutError:
        pass
