"""The managed volumes of this host.

                        ┌── failed: undone, forgotten ──┐
    unknown ── attach ──> remembered ──> device ──> link ──> attached
       ^                  │ the agent died               │
       └───── detach ─────┴──────────── detach ──────────┘

A volume is remembered before its driver is asked, so whatever is left after a crash has a record, which volumes_info
shows without attachment; attach with the same connection goes on from there, and detach cleans. After a boot the
records are there and the devices are not: attach makes them anew.

VMs use the link, which is equal on all hosts: <run>/managedvolumes/<domain>_<volume>. Assumption: the name; no fact
tells more than its purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from ovis.node.errors import BadParameter, NodeError
from ovis.node.privileged.client import Root
from ovis.node.storage.connections.connections import Connections
from ovis.node.storage.managed import kinds
from ovis.node.storage.managed.driver import Connection, Driver, Tools
from ovis.node.storage.managed.errors import (
    AlreadyAttached,
    DriverFailed,
    ManagedVolumeError,
    OtherConnection,
    UnsupportedDevice,
)
from ovis.node.storage.managed.records import Record, Records

log = logging.getLogger(__name__)

Find = Callable[[Connection], Driver]


@dataclass(frozen=True)
class Managed:
    """`link`: where VMs find it; None: attached for no domain. `exists`: its device is there."""

    record: Record
    link: Path | None
    exists: bool


class ManagedVolumes:
    def __init__(
        self,
        records: Records,
        links: Path,
        root: Root,
        connections: Callable[[], Connections],
        *,
        find: Find = kinds.driver,
        check: Callable[[str], None] | None = None,
    ) -> None:
        """`check` raises UnsupportedDevice; None: it must be a block device."""
        self._records = records
        self._links = links
        self._tools = Tools(root, connections, self._others)
        self._find = find
        self._check = check or _require_device
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def attach(self, volume: str, domain: str, connection: Connection) -> Managed:
        """`domain` empty: none. Failed: nothing is attached or remembered, or a note on the error tells what is.

        Raises AlreadyAttached, OtherConnection, NotSupported, DriverFailed, UnsupportedDevice, BadParameter.
        """
        async with self._lock(volume):
            driver = self._find(connection)
            before = await asyncio.to_thread(self._records.read, volume)
            if before is not None:
                await self._refuse(before, connection)
                await asyncio.to_thread(self._unlink, before)  # it may have been of another domain
            driver.check(connection)
            record = Record(volume, domain, connection)
            await asyncio.to_thread(self._records.write, record)
            try:
                attachment = await driver.attach(volume, connection, self._tools)
                await asyncio.to_thread(self._check, attachment.path)
                record = msgspec.structs.replace(record, attachment=attachment)
                link = await asyncio.to_thread(self._link, record)
                await asyncio.to_thread(self._records.write, record)
            except BaseException as error:
                told = _as_failure(f"attaching managed volume {volume}", error)
                await _finished(self._undo(driver, record, told))
                raise told from error
            return Managed(record, link, exists=True)

    async def detach(self, volume: str, users: Callable[[Collection[str]], Sequence[str]] = lambda paths: ()) -> None:
        """`users`: VMs that have one of the paths. Failed: still remembered, may be repeated. Raises DriverFailed."""
        async with self._lock(volume):
            record = await asyncio.to_thread(self._records.read, volume)
            if record is None:
                return
            paths = {
                str(path) for path in (self._link_of(record), record.attachment and record.attachment.path) if path
            }
            if using := users(paths):
                problem = f"it stays attached, VM {', VM '.join(sorted(using))} uses it"
                raise DriverFailed(f"detaching managed volume {volume}", problem)
            driver = self._find(record.connection)
            # first: what it leads to may soon be the device of another volume
            await asyncio.to_thread(self._unlink, record)
            try:
                await driver.detach(volume, record.connection, record.attachment, self._tools)
            except BaseException as error:
                await asyncio.to_thread(self._relink, record)
                raise _as_failure(f"detaching managed volume {volume}, which stays remembered,", error) from error
            await asyncio.to_thread(self._records.remove, volume)

    async def all(self) -> list[Managed]:
        """By their ids. No device is asked."""

        def look() -> list[Managed]:
            return [Managed(one, self._link_of(one), _exists(one)) for one in self._records.all()]

        return await asyncio.to_thread(look)

    def _lock(self, volume: str) -> asyncio.Lock:
        """One at a time for each volume; it is there as long as somebody holds or awaits it."""
        lock = self._locks.get(volume)
        if lock is None:
            lock = self._locks[volume] = asyncio.Lock()
        return lock

    async def _others(self, volume: str) -> list[Connection]:
        records = await asyncio.to_thread(self._records.all)
        return [record.connection for record in records if record.volume != volume]

    async def _refuse(self, before: Record, connection: Connection) -> None:
        if before.connection != connection:
            raise OtherConnection(before.volume)
        if before.attachment is not None and await asyncio.to_thread(_exists, before):
            raise AlreadyAttached(before.volume, before.attachment.path)

    async def _undo(self, driver: Driver, record: Record, cause: BaseException) -> None:
        """Never raises: what failed first is what the caller is told."""
        try:
            await asyncio.to_thread(self._unlink, record)
            await driver.detach(record.volume, record.connection, record.attachment, self._tools)
            await asyncio.to_thread(self._records.remove, record.volume)
        except (NodeError, OSError) as error:
            cause.add_note(f"undoing it failed as well, so the volume stays remembered: {error}")
            log.warning("managed volume %s is attached in part and stays remembered: %s", record.volume, error)

    def _link_of(self, record: Record) -> Path | None:
        return self._links / f"{record.domain}_{record.volume}" if record.domain else None

    def _link(self, record: Record) -> Path | None:
        link = self._link_of(record)
        if link is not None and record.attachment is not None:
            self._links.mkdir(mode=0o755, parents=True, exist_ok=True)
            fresh = link.with_name(f"{link.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(record.attachment.path)
            fresh.replace(link)
        return link

    def _unlink(self, record: Record) -> None:
        link = self._link_of(record)
        if link is not None:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                link.unlink()

    def _relink(self, record: Record) -> None:
        if _exists(record):
            self._link(record)


async def _finished(work: Coroutine[Any, Any, None]) -> None:
    """Also when it is cancelled meanwhile; the work ends by its own deadlines, and who waits here raises afterwards."""
    task = asyncio.create_task(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


def _exists(record: Record) -> bool:
    return record.attachment is not None and Path(record.attachment.path).exists()


def _require_device(path: str) -> None:
    """Raises UnsupportedDevice."""
    try:
        is_block = stat.S_ISBLK(os.stat(path).st_mode)
    except OSError as error:
        raise UnsupportedDevice(path, f"it cannot be looked at ({error.strerror})") from error
    if not is_block:
        raise UnsupportedDevice(path, "it is no block device")


def _as_failure(what: str, error: BaseException) -> BaseException:
    """Those of this class's verbs pass, and what is no failure of storage; others are the driver's."""
    if isinstance(error, (ManagedVolumeError, BadParameter)) or not isinstance(error, (NodeError, OSError)):
        return error
    return DriverFailed(what, str(error))
