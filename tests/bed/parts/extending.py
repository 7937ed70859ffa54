"""Asks for bigger volumes as the agent does for its VMs, from a host of a pool that is not its SPM.

A program that runs in a bed, with storage of its own under the host's id; the agent of that host uses no thin disk
meanwhile. Standard input: {"host", "pool", "master", "domain", "group", "size", "volumes": [[image, volume], ...]}. All
are asked for at once. Standard output, when all are answered: {volume: [seconds, bytes that this host sees, error]}.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path, PurePosixPath
from typing import Any

from ovis.node.errors import NodeError
from ovis.node.jobs import Jobs
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.settings import StorageSettings
from ovis.node.storage.storage import Storage
from ovis.wire.events import Bus


async def main(wish: dict[str, Any]) -> dict[str, Any]:
    storage = Storage(_settings(wish["group"]), Jobs(Bus()), Bus())
    await _join(storage, wish)
    return dict(await asyncio.gather(*(_extend(storage, wish, image, volume) for image, volume in wish["volumes"])))


async def _extend(storage: Storage, wish: dict[str, Any], image: Any, volume: Any) -> tuple[str, list[Any]]:
    domain = await storage.domain(wish["domain"])
    began = time.monotonic()
    error = None
    try:
        await storage.extensions.extend(domain.id, image, volume, wish["size"])
    except NodeError as problem:
        error = str(problem)
    took = time.monotonic() - began
    device = f"/dev/{domain.id}/{volume}"
    seen = await asyncio.to_thread(_size, device)
    await domain.store.deactivate(image, volume)
    return volume, [took, seen, error]


def _size(device: str) -> int:
    if not os.path.exists(device):
        return 0
    descriptor = os.open(device, os.O_RDONLY)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)


def _settings(group: int) -> StorageSettings:
    folder = Path("/var/lib/extending")
    return StorageSettings(
        state=folder / "state",
        run=folder / "run",
        repository=Repository(PurePosixPath("/rhev/data-center"), PurePosixPath(folder / "links")),
        owner=(36, group),
        sanlock_io_timeout=2,
    )


async def _join(storage: Storage, wish: dict[str, Any]) -> None:
    await storage.pools.connect(
        wish["pool"], host_id=wish["host"], master=wish["master"], master_version=1, domains=None
    )


if __name__ == "__main__":
    answer = asyncio.run(main(json.load(sys.stdin)))
    print(json.dumps(answer), flush=True)
    os._exit(0)  # closing storage would deactivate volumes that the agent of this host uses
