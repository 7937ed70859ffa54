import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from storage_host import Cluster, make_domain

from ovis.node.storage.domains import lookup
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.errors import NoSuchDomain
from ovis.node.storage.formats.identifiers import DomainId, VolumeId
from ovis.node.storage.io.interface import IoTimeout
from ovis.node.storage.storage import Storage

ON_DISKS = DomainId("11111111-2222-4333-8444-555555555555")


class HangingIo:
    """A mount whose server is gone."""

    def __init__(self, gives_up: asyncio.Event) -> None:
        self._gives_up = gives_up

    async def facts(self, path: Any, *, seconds: float) -> None:
        await self._gives_up.wait()
        raise IoTimeout("facts", path, seconds)

    async def close(self) -> None: ...


class BlockStandIn:
    is_block = True
    io = HangingIo(asyncio.Event())

    def __init__(self) -> None:
        self.closed = 0

    id = ON_DISKS

    @property
    def store(self) -> "BlockStandIn":
        return self

    async def active(self) -> list[VolumeId]:
        return []

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1


def with_a_dead_mount(cluster: Cluster, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    gives_up = asyncio.Event()
    cluster.connect("dead")
    mount = storage.repository.mounts / "nas:_dead"
    storage._ios[mount] = cast(Any, HangingIo(gives_up))
    monkeypatch.setattr(lookup, "MOUNTS_FIRST", 0.05)
    return gives_up


def test_dead_mount_keeps_nobody_from_a_domain_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            there = await make_domain(cluster, storage)
            gives_up = with_a_dead_mount(cluster, storage, monkeypatch)
            block = BlockStandIn()

            async def block_domains() -> list[DomainId]:
                return [ON_DISKS]

            async def open_block_domain(domain: DomainId) -> Domain:
                return cast(Domain, block)

            monkeypatch.setattr(storage.parts, "block_domains", block_domains)
            monkeypatch.setattr(storage.parts, "open_block_domain", open_block_domain)
            async with asyncio.timeout(10):
                assert (await storage.domain(there)).id == there
                assert await storage.domain(ON_DISKS) is cast(Domain, block)
                missing = asyncio.create_task(storage.domain(DomainId(str(ON_DISKS).replace("1", "2"))))
                await asyncio.sleep(0.2)
                gives_up.set()
                with pytest.raises(NoSuchDomain, match="nas:_dead"):
                    await missing

    asyncio.run(main())


def test_one_search_serves_all_who_ask_and_a_cancelled_one_harms_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            domain = await make_domain(cluster, storage)
            asking = [asyncio.create_task(storage.domain(domain)) for _ in range(3)]
            await asyncio.sleep(0)
            asking[0].cancel()
            found = await asyncio.gather(*asking[1:])
            assert found[0] is found[1] is await storage.domain(domain)

    asyncio.run(main())


def test_domain_that_is_being_closed_is_opened_after_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            opened: list[int] = []
            block = BlockStandIn()

            async def block_domains() -> list[DomainId]:
                return [ON_DISKS]

            async def open_block_domain(domain: DomainId) -> Domain:
                opened.append(block.closed)
                return cast(Domain, block)

            monkeypatch.setattr(storage.parts, "block_domains", block_domains)
            monkeypatch.setattr(storage.parts, "open_block_domain", open_block_domain)
            await storage.domain(ON_DISKS)
            closing = asyncio.create_task(storage.domains.forget(ON_DISKS))
            await asyncio.sleep(0)
            await storage.domain(ON_DISKS)
            await closing
            assert opened == [0, 1]

    asyncio.run(main())
