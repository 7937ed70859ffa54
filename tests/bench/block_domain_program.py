"""What block domains cost, measured inside a bed: real LVM, root helper, I/O process, sanlock. Run by
rows_block_domain.py, from the project's folder.

    python tests/bench/block_domain_program.py changes|growth|life [--quick]

Standard output: {name of a figure: [value of each round, ...]}. Seconds, and volumes a second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ovis.node.storage.domains.block_domain import BlockDomain, open_block_domain
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.lvm.isolation import Isolation
from tests.bed.parts.agent_storage import agent_storage
from tests.bed.parts.block import GIB, block_domain, block_host, metadata_of, new_image, new_volume
from tests.bed.parts.loop import mapped_disk

MIB = 1 << 20
POOL = "5849b030-626e-47cb-ad90-3ce782d831b3"
Figures = dict[str, list[float]]


async def changes(folder: Path, quick: bool) -> Figures:
    """Five at a time, as on file domains."""
    rounds, count = (1, 5) if quick else (3, 20)
    async with _domain(folder) as domain:
        found: list[float] = []
        for _ in range(rounds):
            begin = time.perf_counter()
            await asyncio.gather(*(_change(domain, count // 5) for _ in range(5)))
            found.append(count / (time.perf_counter() - begin))
    return {"changes": found}


async def growth(folder: Path, quick: bool) -> Figures:
    """Of a thin volume that is active here, as the SPM extends its own host's; and the refresh on a host that asked,
    which finds the size as it was. Beside both: activating one, and opening the domain."""
    rounds = 2 if quick else 10
    found: Figures = {"grow": [], "refresh": [], "activate": [], "deactivate": [], "open": []}
    async with _domain(folder) as domain:
        image, volume = await _thin(domain)
        for number in range(rounds):
            wanted = (number + 2) * 256 * MIB
            await _timed(found["grow"], lambda wanted=wanted: domain.store.grow(volume, lambda metadata: wanted))
            await _timed(found["refresh"], lambda: domain.store.refresh(volume))
        for _ in range(rounds):
            await _timed(found["deactivate"], lambda: domain.store.deactivate(image, volume))
            await _timed(found["activate"], lambda: domain.store.activate(image, volume))
        await domain.store.deactivate(image, volume)
        host = domain.host
        for _ in range(rounds):
            await domain.close()
            await _timed(found["open"], lambda: open_block_domain(host, domain.id))
    return found


async def life(folder: Path, quick: bool) -> Figures:
    """An empty domain becomes one of the pool, active, inactive, and leaves it, through the verbs of an agent."""
    found: Figures = {"attach": [], "activate": [], "deactivate": [], "detach": []}
    with mapped_disk(folder, 16 * GIB) as first, mapped_disk(folder, 16 * GIB) as second:
        async with agent_storage(folder, io_timeout=3) as storage:
            import storage_host

            async def call(method: str, **params: Any) -> Any:
                return await storage_host.call(storage, method, **params)

            master, other = [await _made(call, disk) for disk in (first, second)]
            where = {"storagepoolID": POOL, "masterSdUUID": master, "masterVersion": 1}
            await call("StoragePool.create", name="bench", domainList=[master], **where)
            await call("StoragePool.connect", hostID=1, **where)
            started = await call("StoragePool.spmStart", storagepoolID=POOL, prevID=-1, prevLver="-1")
            assert await storage_host.done(storage, started) == ("success", 0)
            ids = {"storagedomainID": other, "storagepoolID": POOL}
            for _ in range(1 if quick else 3):
                for step in found:
                    await _timed(found[step], lambda step=step: call(f"StorageDomain.{step}", **ids))
            await call("StoragePool.destroy", storagepoolID=POOL, hostID=1)
            for domain in (master, other):
                await call("StorageDomain.format", storagedomainID=domain)
    return found


async def _made(call: Callable[..., Awaitable[Any]], disk: Path) -> str:
    domain = str(uuid.uuid4())
    group = await call("LVMVolumeGroup.create", name=domain, devlist=[str(disk)])
    new = {"domainType": 3, "typeArgs": group, "name": "", "domainClass": 1, "version": "5"}
    await call("StorageDomain.create", storagedomainID=domain, **new)
    return domain


@asynccontextmanager
async def _domain(folder: Path) -> AsyncIterator[BlockDomain]:
    with mapped_disk(folder, 200 * GIB) as disk:
        async with block_host(folder, Isolation()) as host, block_domain(host, [disk]) as domain:
            yield domain


async def _thin(domain: BlockDomain) -> tuple[ImageId, VolumeId]:
    image, volume = new_image(), new_volume()
    plain = metadata_of(domain.id, image, capacity=50 * GIB)
    thin = replace(plain, format=VolumeFormat.COW, allocation=Allocation.SPARSE)
    await domain.store.begin(image, volume, thin, size=256 * MIB, allocate=True)
    await domain.store.publish(image, volume)
    await domain.group()  # known, as an SPM knows it from watching the domain
    return image, volume


async def _change(domain: BlockDomain, count: int) -> None:
    for _ in range(count):
        image, volume = new_image(), new_volume()
        await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
        await domain.store.publish(image, volume)
        await domain.store.mark_removed(image, [volume], Removal.DELETE)
        await domain.store.purge(image, [volume])


async def _timed(into: list[float], work: Callable[[], Awaitable[object]]) -> None:
    begin = time.perf_counter()
    await work()
    into.append(time.perf_counter() - begin)


def main() -> None:
    part = {"changes": changes, "growth": growth, "life": life}[sys.argv[1]]
    with TemporaryDirectory(dir="/var/tmp") as folder:
        found = asyncio.run(part(Path(folder), "--quick" in sys.argv))
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
