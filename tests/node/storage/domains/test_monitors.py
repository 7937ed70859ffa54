"""Monitors over a real file domain and its real process; a stopped process is a dead file server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from ovis.node.errors import NodeError
from ovis.node.storage.domains.file_domain import FileDomain, NewFileDomain, create_file_domain
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.domains.monitor import Periods, Vitals
from ovis.node.storage.domains.monitors import Monitors, OfThePool, OtherHostId
from ovis.node.storage.errors import NoSuchDomain
from ovis.node.storage.formats.domain_metadata import StorageType
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.interface import HostIdState
from ovis.node.storage.leases.local import LocalLocks
from ovis.wire.events import Bus, Event

ONE, OTHER = (DomainId(f"d000000{number}-0000-4000-8000-000000000000") for number in range(2))
QUICK = Periods(check=0.01, metadata=0.0, deadline=0.3)


class Host:
    """As much of Storage as monitors need, with one mount and process for each domain."""

    def __init__(self) -> None:
        self.events = Bus()
        self.settings = SimpleNamespace(retry_period=0.01)
        self.domains = self
        self.there: dict[DomainId, FileDomain] = {}
        self.forgotten: list[DomainId] = []
        self.back = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def domain(self, domain_id: DomainId) -> Domain:
        if domain_id not in self.there:
            raise NoSuchDomain(domain_id)
        return self.there[domain_id]

    def known(self, domain_id: DomainId) -> Domain | None:
        return self.there.get(domain_id)

    async def forget(self, domain_id: DomainId) -> None:
        self.forgotten.append(domain_id)

    def keep(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work, name=name))
        return self.tasks[-1]

    def count(self) -> None:
        self.back += 1


@asynccontextmanager
async def watching(folder: Path, *ids: DomainId, periods: Periods = QUICK) -> AsyncIterator[tuple[Host, Monitors]]:
    host = Host()
    ios = []
    for domain_id in ids:
        mount = folder / f"mount of {domain_id}"
        mount.mkdir()
        io = IoProcess([PurePosixPath(mount)], seconds=1.5)
        ios.append(io)
        new = NewFileDomain(domain_id, 5, StorageType.LOCAL, str(mount))
        host.there[domain_id] = await create_file_domain(io, PurePosixPath(mount), new, LocalLocks())
    monitors = Monitors(host, back=host.count, periods=periods)  # type: ignore[arg-type]
    try:
        yield host, monitors
    finally:
        await monitors.close()
        assert all(task.done() for task in host.tasks)
        for io in ios:
            await io.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  # several independent things are waited for
            await asyncio.sleep(0.005)


def metadata(host: Host, domain_id: DomainId) -> Path:
    return Path(host.there[domain_id].paths.metadata)


def stop(host: Host, domain_id: DomainId) -> None:
    pid = host.there[domain_id].io.pid  # type: ignore[attr-defined]
    os.kill(pid, signal.SIGSTOP)


def test_a_good_domain(tmp_path: Path) -> None:
    async def main() -> None:
        async with watching(tmp_path, ONE) as (host, monitors):
            monitors.watch(ONE)
            monitors.watch(ONE)
            assert not monitors.report()[ONE].actual
            vitals = await monitors.looked(ONE)
            assert (vitals.is_valid, vitals.version, vitals.code, vitals.has_host_id) == (True, 5, 0, False)
            assert vitals.space is not None
            assert vitals.space.total > 0
            told = monitors.report([ONE])[ONE]
            assert (told.valid, told.actual, told.acquired) == (True, True, False)
            assert monitors.report([OTHER]) == {}
            domain = host.there[ONE]
            await domain.locks.join(domain.lockspace, 1)
            await until(lambda: monitors.vitals()[ONE].has_host_id)
            await domain.locks.leave(domain.lockspace, 1)
            await monitors.unwatch(ONE)
            assert monitors.report() == {}

    asyncio.run(main())


def test_a_domain_goes_and_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with watching(tmp_path, ONE) as (host, monitors):
            heard = host.events.subscribe("|storage|domain_status|*")
            monitors.watch(ONE)
            await monitors.looked(ONE)
            place = metadata(host, ONE)
            place.rename(place.with_name("away"))
            await until(lambda: not monitors.vitals()[ONE].is_valid)
            assert monitors.vitals()[ONE].code == 358
            assert host.forgotten[0] == ONE
            assert host.back == 0
            place.with_name("away").rename(place)
            await until(lambda: monitors.vitals()[ONE].is_valid)
            assert host.back == 1
            events = [await anext(heard) for _ in range(3)]
            assert all(isinstance(event, Event) and event.name.endswith(ONE) for event in events)
            assert [json.loads(event.params)["code"] for event in events if isinstance(event, Event)] == [0, 358, 0]

    asyncio.run(main())


@pytest.mark.parametrize("damage", [b"", b"VERSION=5\n", b"\0" * 4096])
def test_damaged_metadata_make_it_invalid(tmp_path: Path, damage: bytes) -> None:
    async def main() -> None:
        async with watching(tmp_path, ONE) as (host, monitors):
            metadata(host, ONE).write_bytes(damage)
            monitors.watch(ONE)
            vitals = await monitors.looked(ONE)
            assert not vitals.is_valid
            assert vitals.code >= 749

    asyncio.run(main())


def test_a_domain_that_hangs_delays_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with watching(tmp_path, ONE, OTHER) as (host, monitors):
            monitors.watch(ONE)
            monitors.watch(OTHER)
            await asyncio.gather(monitors.looked(ONE), monitors.looked(OTHER))
            stop(host, ONE)
            seen: set[float | None] = set()

            def others_go_on() -> bool:
                seen.add(monitors.vitals()[OTHER].checked)
                return not monitors.vitals()[ONE].is_valid

            await until(others_go_on)
            assert monitors.vitals()[ONE].code == 3
            assert monitors.is_silent(f"/run/vdsm/storage/{ONE}/image/volume")
            assert not monitors.is_silent(f"/run/vdsm/storage/{OTHER}/image/volume")
            assert len(seen) > 3
            await until(lambda: monitors.vitals()[OTHER].is_valid)  # a busy machine may have been late once
            await until(lambda: monitors.vitals()[ONE].is_valid)  # its process was replaced
            assert host.back >= 1
            assert not monitors.is_silent(str(metadata(host, ONE)))

    asyncio.run(main())


def test_a_fault_of_ours_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        async with watching(tmp_path, ONE) as (host, monitors):
            monkeypatch.setattr(host.there[ONE], "space", broken)
            monitors.watch(ONE)
            assert (await monitors.looked(ONE)).code == 16
            monkeypatch.undo()
            await until(lambda: monitors.vitals()[ONE].is_valid)

    asyncio.run(main())


def test_a_domain_outside_the_pool_gets_its_host_id(tmp_path: Path) -> None:
    async def main() -> None:
        async with watching(tmp_path, ONE) as (host, monitors):
            domain = host.there[ONE]
            await monitors.start(ONE, 7)
            await monitors.start(ONE, 7)
            await until(lambda: monitors.vitals()[ONE].has_host_id)
            with pytest.raises(OtherHostId):
                await monitors.start(ONE, 8)
            monitors.watch(ONE)  # its pool takes it, too
            with pytest.raises(OfThePool):
                await monitors.stop(ONE)
            await monitors.unwatch(ONE)
            assert ONE in monitors.vitals()
            await monitors.stop(ONE)
            await monitors.stop(ONE)
            assert await domain.locks.state(domain.lockspace) is HostIdState.FREE
            assert monitors.vitals() == {}

    asyncio.run(main())


def test_a_domain_that_is_not_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with watching(tmp_path) as (_, monitors):
            await monitors.start(ONE, 1)
            assert (await monitors.looked(ONE)).code == 358
            await monitors.stop(ONE)

    asyncio.run(main())


def test_locks_that_do_not_answer_are_no_fault_of_the_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ovis.node.storage.leases.errors import LocksNotResponding

    async def silent(_: object) -> HostIdState:
        raise LocksNotResponding("no sanlock")

    async def main() -> None:
        async with watching(tmp_path, ONE) as (host, monitors):
            monkeypatch.setattr(host.there[ONE].locks, "state", silent)
            monitors.watch(ONE)
            vitals: Vitals = await monitors.looked(ONE)
            assert (vitals.is_valid, vitals.has_host_id) == (True, False)

    asyncio.run(main())
    assert issubclass(LocksNotResponding, NodeError)
