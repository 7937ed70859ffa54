"""Reading and changing volume groups, one LVM command at a time.

Reads say --readonly: they take no lock, never write and never ask the kernel, so they neither wait for a change that
hangs nor repair what another host is just writing. The price: a read that meets a change of another host may fail or
miss the group, and is repeated. What is active on this host is not LVM's to tell then (see logical_volumes.is_active).

A command may outlive the helper that was killed, or the agent: then a read that takes no lock could come before its
commit. So the first read of a group by this process, and the first one after a change that did not end well, takes
LVM's lock and with it waits for whatever still runs on this host.

Once the disks of a group are known, commands about it look at these alone: a disk that hangs holds up its own group and
no other. When one of them is missing then (another host has added one), all disks are looked at.

Changes of one group follow each other. A change that failed or took too long may be done, half done (commands that
name several volumes commit each by itself) or not: what is known of the group is forgotten after each.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import PurePosixPath
from typing import TypeVar

from ovis.node.privileged.errors import HelperLost
from ovis.node.storage.lvm import reports
from ovis.node.storage.lvm.errors import DoubleGroup, LvmFailed, NoSuchGroup, UnreadableReport
from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.lvm.reports import Group, PhysicalVolume
from ovis.node.storage.lvm.runner import ConfigValue, LvmRunner

log = logging.getLogger(__name__)

DEVICES = PurePosixPath("/dev")
READ_SECONDS = 60.0
CHANGE_SECONDS = 120.0
READS_AT_ONCE = 4
PAUSES = (0.1, 0.2, 0.4)
"""Before each repetition of a failed read. Another host's commit takes milliseconds, its whole command 0.3 s."""

T = TypeVar("T")


class Lvm:
    def __init__(
        self,
        runner: LvmRunner,
        isolation: Isolation | None = None,
        *,
        devices: PurePosixPath = DEVICES,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._runner = runner
        self._isolation = isolation or Isolation()
        self._config = self._isolation.config()
        self.device_folder = devices
        self._pause = pause
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._changes: dict[str, asyncio.Lock] = {}
        self._settled: set[str] = set()
        self._disks: dict[str, tuple[str, ...]] = {}
        self.forget: Callable[[str], None] = lambda group: None
        """Called with the name of a group that was changed."""

    async def groups(self) -> Mapping[str, Group]:
        """All that this host sees, by name. Raises LvmFailed, UnreadableReport."""
        found = await self._repeated(lambda: self._read_groups(()))
        return {group.name: group for group in found}

    async def group(self, name: str) -> Group:
        """Raises NoSuchGroup, DoubleGroup, LvmFailed, UnreadableReport."""
        found = await self._repeated(lambda: self._look_at(name), absent=name)
        self._settled.add(name)
        if len(found) > 1:
            raise DoubleGroup(name, [group.uuid for group in found])
        self._disks[name] = tuple(device.name for device in found[0].devices if not device.is_missing)
        return found[0]

    async def devices(self) -> tuple[PhysicalVolume, ...]:
        """All disks that LVM was ever told to use, with and without a group."""
        return await self._repeated(self._read_devices)

    async def change(
        self,
        words: Sequence[str],
        *,
        tried: str,
        failure: type[LvmFailed],
        group: str = "",
        config: Mapping[str, ConfigValue] | None = None,
        seconds: float = CHANGE_SECONDS,
        is_waited_for: bool = False,
    ) -> None:
        """`tried`: for the error, such as "making logical volume x in group y". `group`: the only one that it is about,
        with the disks that it had when it was read. `is_waited_for`: by a guest; nothing but these disks is looked for,
        and device nodes, which must be there already, are left as they are. Raises `failure`, PrivilegedError."""
        disks = self._disks.get(group, ())
        if is_waited_for:
            words = (*words, "--noudevsync")
        common = self._isolation.narrowed(disks) if is_waited_for else self._config
        began = time.monotonic()
        result = await self._runner.run(words, config={**common, **(config or {})}, devices=disks, seconds=seconds)
        log.debug("%s: LVM took %.3f s", tried, time.monotonic() - began)
        if not result.ok:
            raise failure(tried, result.status, result.errors.decode(errors="replace"))

    async def passes(self, words: Sequence[str], *, seconds: float = READ_SECONDS) -> bool:
        """Whether a command that only tries (--test) succeeds."""
        async with self._reads:
            return (await self._runner.run(words, config=self._config, devices=(), seconds=seconds)).ok

    @asynccontextmanager
    async def changing(self, group: str) -> AsyncIterator[None]:
        """Hold the only right of this process to change `group`; what is known of it is forgotten at the end."""
        async with self._changes.setdefault(group, asyncio.Lock()):
            try:
                yield
            except BaseException:
                self._settled.discard(group)
                raise
            finally:
                self.forget(group)

    async def _look_at(self, name: str) -> tuple[Group, ...]:
        is_locked = name not in self._settled
        if disks := self._disks.get(name, ()):
            try:
                found = await self._read_groups((name,), disks=disks, is_locked=is_locked)
                if len(found) == 1 and not found[0].missing_devices:
                    return found
            except LvmFailed:
                pass  # its disks may be others now
            self._disks.pop(name, None)
        return await self._read_groups((name,), is_locked=is_locked)

    async def _read_groups(
        self, names: Sequence[str], *, disks: Sequence[str] = (), is_locked: bool = False
    ) -> tuple[Group, ...]:
        output = await self._read("fullreport", reports.FULL_REPORT, names, disks=disks, is_locked=is_locked)
        return reports.read_groups(output)

    async def _read_devices(self) -> tuple[PhysicalVolume, ...]:
        return reports.read_devices(await self._read("pvs", reports.DEVICES_REPORT))

    async def _read(
        self,
        command: str,
        report: Sequence[str],
        names: Sequence[str] = (),
        *,
        disks: Sequence[str] = (),
        is_locked: bool = False,
    ) -> bytes:
        words = (command, *(() if is_locked else ("--readonly",)), *reports.FORM, *report, *names)
        async with nullcontext() if disks else self._reads:
            result = await self._runner.run(words, config=self._config, devices=disks, seconds=READ_SECONDS)
        if not result.ok:
            said = result.errors.decode(errors="replace")
            raise LvmFailed(f"reading {' '.join(names) or 'all'} with {command}", result.status, said)
        return result.output

    async def _repeated(self, read: Callable[[], Awaitable[tuple[T, ...]]], *, absent: str = "") -> tuple[T, ...]:
        for pause in PAUSES:
            try:
                if (found := await read()) or not absent:
                    return found
            except (LvmFailed, UnreadableReport, HelperLost):
                pass  # said by the last try
            await self._pause(pause)
        try:
            found = await read()
        except LvmFailed as error:
            if absent and f'"{absent}" not found' in error.said:
                raise NoSuchGroup(absent) from error
            raise
        if absent and not found:
            raise NoSuchGroup(absent)
        return found
