"""Hosts over real file domains in a folder: real I/O processes, simulated leases that several hosts share."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Any, cast

import msgspec

from ovis.client import node_schema
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.jobs import Jobs
from ovis.node.node import Node
from ovis.node.registry import HANDLERS
from ovis.node.storage.domains import creating
from ovis.node.storage.domains.creating import NewDomain
from ovis.node.storage.formats.domain_metadata import DomainClass, StorageType
from ovis.node.storage.formats.identifiers import DomainId, PoolId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.leases.interface import Locks
from ovis.node.storage.leases.simulated import SharedLeases, SimulatedLocks
from ovis.node.storage.parts import Parts
from ovis.node.storage.pool.creating import NewPool
from ovis.node.storage.pool.creating import create as create_pool
from ovis.node.storage.pool.pool import Pool
from ovis.node.storage.settings import StorageSettings
from ovis.node.storage.storage import Storage
from ovis.wire.events import Bus
from ovis.wire.service import Access, Caller

POOL = PoolId("5849b030-626e-47cb-ad90-3ce782d831b3")


class HostParts(Parts):
    def __init__(self, settings: StorageSettings, locks: Locks) -> None:
        super().__init__(settings)
        self._shared_locks = locks

    def locks(self, *, is_local: bool) -> Locks:
        return self._shared_locks

    async def block_domains(self) -> list[DomainId]:
        return []


class Cluster:
    """Hosts `one`, `two`... with the same mounts. Each `host()` is one life of its agent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.leases = SharedLeases()
        self._locks: dict[str, SimulatedLocks] = {}

    @property
    def mounts(self) -> Path:
        return self.folder / "mnt"

    def locks(self, name: str) -> SimulatedLocks:
        return self._locks.setdefault(name, self.leases.host(name))

    def boot(self, name: str) -> None:
        """The host comes back after it died."""
        self._locks.pop(name, None)

    @asynccontextmanager
    async def host(self, name: str = "one") -> AsyncIterator[Storage]:
        state = self.folder / name
        settings = StorageSettings(
            state=state,
            run=state / "run",
            repository=Repository(PurePosixPath(self.folder), PurePosixPath(state / "links")),
            retry_period=0.05,
            io_deadline=20.0,
            owner=(os.getuid(), os.getgid()),
        )
        storage = Storage(settings, Jobs(Bus()), Bus(), parts=HostParts(settings, self.locks(name)))
        try:
            yield storage
        finally:
            await storage.close()

    def connect(self, export: str) -> str:
        """The remote path of a new export, mounted on all hosts."""
        (self.mounts / f"nas:_{export}").mkdir(parents=True)
        return f"nas:/{export}"


async def make_domain(
    cluster: Cluster,
    storage: Storage,
    *,
    version: int = 5,
    domain_class: DomainClass = DomainClass.DATA,
    name: str = "",
) -> DomainId:
    domain = DomainId(str(uuid.uuid4()))
    place = cluster.connect(f"export{domain[:8]}")
    new = NewDomain(domain, StorageType.NFS, place, name, domain_class, version, None, 250)
    await creating.create(storage, new)
    return domain


async def make_pool(storage: Storage, master: DomainId, *others: DomainId) -> None:
    await create_pool(storage, NewPool(POOL, "first", master, 1), [master, *others])


async def connected(
    storage: Storage,
    master: DomainId,
    *,
    host_id: int = 1,
    version: int = 1,
    domains: dict[DomainId, DomainStatus] | None = None,
) -> Pool:
    await storage.pools.connect(POOL, host_id=host_id, master=master, master_version=version, domains=domains)
    return storage.pools.find(POOL)


async def until(condition: object) -> None:
    for _ in range(2000):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


class FakeNode:
    """As much of a node as the verbs of storage see."""

    is_ready = True
    uses_storage = True
    vms: tuple[Any, ...] = ()

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.events = storage.events
        self.jobs = storage.jobs


async def call(storage: Storage, method: str, **params: Any) -> Any:
    """What a client gets for a verb; raises RpcError."""
    bridge = Bridge(cast(Node, FakeNode(storage)), node_schema.load_calls(), HANDLERS, CallLimits())
    everything = frozenset(Access)
    caller = Caller("test", "unix", "", everything)
    return msgspec.json.decode(await bridge.call(method, msgspec.Raw(msgspec.json.encode(params)), caller, flow="test"))


async def done(storage: Storage, task_id: str) -> tuple[str, int]:
    """Result and code of a task that a verb has started, which is cleared."""
    await storage.tasks.wait(task_id)
    status = await call(storage, "Task.getStatus", taskID=task_id)
    await call(storage, "Task.clear", taskID=task_id)
    return status["taskResult"], status["code"]
