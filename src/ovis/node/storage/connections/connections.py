"""All connections of this host: each call's entries are tried at once, each by itself, and what is up is remembered.

    nothing ── connect ──> connected, on the list ── disconnect ──> nothing
                             │ lost (reboot, somebody unmounts, a session ends)
                             └──> on the list, missing ── tried again every retry period ──> connected

Several callers' ids can stand for one server (several domains on it): it is disconnected with the last of them, and
never while something below it is in use. The all-zero id, of a one-time check, counts for nothing.

Order on disk: connect, write the list, answer; disconnect, write the list, answer. After kill -9 in between the server
is connected but unknown, or known and connected anew at the next start; the caller has no answer and calls again, and
both calls look at what is there before they act.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from ovis.client.types import ConnectionRefParameters
from ovis.node.errors import NodeError
from ovis.node.privileged.devices import SettleDevices
from ovis.node.privileged.errors import Refused
from ovis.node.storage.connections import kept, kinds
from ovis.node.storage.connections.errors import ConnectionProblem, WrongParameters
from ovis.node.storage.connections.interface import Server, Tools
from ovis.node.storage.connections.kept import Kept
from ovis.node.storage.connections.kinds import AnyServer

log = logging.getLogger(__name__)

AT_ONCE = 16
NOBODY = "00000000-0000-0000-0000-000000000000"
RECOVER_WITHIN = 30.0
"""How long a start waits for the servers of before; those that take longer come in the background."""


class Unremembered(ConnectionProblem):
    wire_name = "StorageServerActionError"

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the list of connections cannot be kept, so nothing is promised: {error}")


class SystemRefuses(ConnectionProblem):
    def __init__(self, server: str, error: OSError) -> None:
        super().__init__(f"{server}: {error}")


@dataclass(frozen=True)
class Outcome:
    """`caller`: the id given. `problem` None: it is connected, or not any more."""

    caller: str
    problem: NodeError | None = None


class Connections:
    def __init__(self, tools: Tools, file: Path, *, retry_period: float = 30) -> None:
        self.tools = tools
        self._file = file
        self._retry_period = retry_period
        self._kept: dict[str, Kept] = {}
        self._written: dict[str, Kept] = {}
        self._writers: set[asyncio.Task[None]] = set()
        self._is_read = False
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reading, self._writing = asyncio.Lock(), asyncio.Lock()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._told: set[str] = set()
        self._watching: asyncio.Task[None] | None = None
        self._first_look = asyncio.Event()

    def known(self) -> list[Server]:
        """Those that should be connected."""
        return [one.server for one in self._kept.values()]

    async def connect(self, kind: int, asked: Sequence[ConnectionRefParameters]) -> list[Outcome]:
        """One outcome for each, in their order. Raises UnknownKind, Unremembered."""
        return await self._all(kind, asked, self._connect)

    async def disconnect(self, kind: int, asked: Sequence[ConnectionRefParameters]) -> list[Outcome]:
        """Same."""
        return await self._all(kind, asked, self._disconnect)

    async def recover(self) -> None:
        """Connect again what was connected before; what cannot be yet is tried in the background."""
        await self._read()
        if self._kept:
            self._watch()
            try:
                async with asyncio.timeout(RECOVER_WITHIN):
                    await self._first_look.wait()
            except TimeoutError:
                log.warning("not all storage servers are connected again; they are tried further")

    async def look(self) -> None:
        """Connect what should be and is not. A problem is logged when it begins and when it ends."""
        missing = await asyncio.to_thread(_missing, list(self._kept.values()), self.tools)
        problems = await asyncio.gather(*(self._again(one) for one in missing))
        if any(p is None and one.server.brings_devices for one, p in zip(missing, problems, strict=True)):
            await self._settle()

    async def close(self) -> None:
        """Everything stays connected."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def _all(
        self,
        number: int,
        asked: Sequence[ConnectionRefParameters],
        act: Callable[[Server, str], Coroutine[Any, Any, None]],
    ) -> list[Outcome]:
        kind = kinds.kind(number)
        await self._read()
        devices = False

        async def one(given: ConnectionRefParameters) -> Outcome:
            nonlocal devices
            caller = str(given.id or NOBODY)
            try:
                server = kind.asked(given)
                async with self._at_once, self._locks[server.name]:
                    await _translated(server.name, act(server, caller))
                devices |= server.brings_devices
            except NodeError as problem:
                log.warning("%s", problem)
                return Outcome(caller, problem)
            return Outcome(caller)

        outcomes = await asyncio.gather(*(one(given) for given in asked))
        if devices:
            await self._settle()
        await self._write()
        if self._kept:
            self._watch()
        return outcomes

    async def _connect(self, server: Server, caller: str) -> None:
        await server.connect(self.tools)
        before = self._kept.get(server.name)
        callers = (before.callers if before else frozenset()) | ({caller} - {NOBODY})
        self._kept[server.name] = Kept(cast(AnyServer, server.kept()), callers)
        self._told.discard(server.name)

    async def _disconnect(self, server: Server, caller: str) -> None:
        known = self._kept.get(server.name)
        others = known.callers - {caller} if known else frozenset()
        if known and others:
            self._kept[server.name] = msgspec.structs.replace(known, callers=others)
            return
        await server.disconnect(self.tools)
        self._kept.pop(server.name, None)
        self._told.discard(server.name)

    async def _again(self, one: Kept) -> NodeError | None:
        server = one.server
        try:
            async with self._at_once, self._locks[server.name]:
                if server.name not in self._kept:
                    return None  # disconnected meanwhile
                await _translated(server.name, server.connect(self.tools))
        except NodeError as problem:
            if server.name not in self._told:
                self._told.add(server.name)
                log.warning("a connection is lost and cannot be made again yet: %s", problem)
            return problem
        self._told.discard(server.name)
        log.info("connected again: %s", server.name)
        return None

    async def _settle(self) -> None:
        try:
            await self.tools.root.call(SettleDevices())
        except (NodeError, OSError) as error:
            log.warning("devices may not be complete yet: %s", error)

    def _watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._look_forever(), name="storage connections")

    async def _look_forever(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # must outlive a fault of one server
                log.exception("looking after the connections failed in an unforeseen way")
            self._first_look.set()
            await asyncio.sleep(self._retry_period)

    async def _read(self) -> None:
        async with self._reading:
            if not self._is_read:
                try:
                    found = await asyncio.to_thread(kept.read, self._file)
                except OSError as error:
                    raise Unremembered(error) from error
                for one in found:
                    self._kept[one.server.name] = self._written[one.server.name] = one
                self._is_read = True

    async def _write(self) -> None:
        """What is known, if it is not yet written. A writer that was begun ends, also when its caller is cancelled."""
        task = asyncio.create_task(self._write_in_turn())
        self._writers.add(task)
        task.add_done_callback(self._writers.discard)
        await asyncio.shield(task)

    async def _write_in_turn(self) -> None:
        async with self._writing:
            wanted = dict(self._kept)
            if wanted == self._written:
                return
            try:
                await asyncio.to_thread(kept.write, self._file, list(wanted.values()))
            except OSError as error:
                raise Unremembered(error) from error
            self._written = wanted


def _missing(wanted: Sequence[Kept], tools: Tools) -> list[Kept]:
    """One look at the kernel's tables for all: a host can have hundreds of sessions."""
    mounted, sessions = tools.mounted(), tools.sessions(tools.sysfs)
    seen = dataclasses.replace(tools, mounted=lambda: mounted, sessions=lambda sysfs: sessions)
    return [one for one in wanted if not one.server.is_connected(seen)]


async def _translated(name: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Refused as error:
        raise WrongParameters(f"description ({name})", error.problem) from error
    except OSError as error:
        raise SystemRefuses(name, error) from error
