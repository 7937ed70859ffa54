"""The verbs over a real file domain; locks are simulated and shared by two hosts."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ovis.client.types import (
    UUID,
    JobMetadata,
    JobStatus,
    Lease,
    LeaseMetadataType,
    TaskResult,
)
from ovis.client.verbs import (
    LeaseCreateArgs,
    LeaseDeleteArgs,
    LeaseFenceArgs,
    LeaseInfoArgs,
    LeaseRebuildLeasesArgs,
    LeaseStatusArgs,
)
from ovis.node import handlers  # noqa: F401  # before the module of verbs, which it loads late
from ovis.node.config import Config
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.sanlock_areas import MIB
from ovis.node.storage.leases import verbs
from ovis.node.storage.leases.errors import (
    GenerationMismatch,
    InNoPool,
    JobStatusMismatch,
    LeaseHeld,
    NoSuchLease,
)
from ovis.node.storage.leases.external import ExternalLeases, NoLeases
from ovis.node.storage.storage import Storage
from ovis.node.storage.tasks.errors import NotSpm
from tests.node.storage.storage_host import Cluster, connected, make_domain, make_pool

LIMIT = 60.0
VM = UUID("33330000-0000-4000-8000-000000000001")
JOB = UUID("44440000-0000-4000-8000-000000000001")
PENDING = JobMetadata(type=LeaseMetadataType.JOB, job_id=JOB, generation=3, job_status=JobStatus.PENDING)


class Station:
    """A node that is SPM of a pool with one domain."""

    def __init__(self, storage: Storage, state: Path, domain: str) -> None:
        config = Config(state_folder=state)
        self.node = cast("Any", SimpleNamespace(storage=storage, config=config))
        self.storage = storage
        self.domain = UUID(domain)

    def name(self, lease: UUID) -> Lease:
        return Lease(lease_id=lease, sd_id=self.domain)

    async def create(self, lease: UUID = VM, metadata: JobMetadata | None = None) -> TaskResult:
        return await self.done(
            await verbs.lease_create(self.node, LeaseCreateArgs(lease=self.name(lease), metadata=metadata))
        )

    async def done(self, task_id: str) -> TaskResult:
        return (await self.storage.tasks.wait(task_id)).result


def run(folder: Path, test: Callable[[Station, Cluster], Awaitable[None]], *, spm: bool = True) -> None:
    async def main() -> None:
        cluster = Cluster(folder)
        async with asyncio.timeout(LIMIT), cluster.host("one") as storage:
            master = await make_domain(cluster, storage)
            await make_pool(storage, master)
            pool = await connected(storage, master)
            if spm:
                await pool.spm.take()
            await test(Station(storage, folder, master), cluster)

    asyncio.run(main())


def test_a_lease_lives_and_goes(tmp_path: Path) -> None:
    async def test(station: Station, cluster: Cluster) -> None:
        assert await station.create() is TaskResult.SUCCESS
        info = await verbs.lease_info(station.node, LeaseInfoArgs(lease=station.name(VM)))
        assert (info.lease_id, info.sd_id, info.offset) == (VM, station.domain, 3 * MIB)
        assert info.path.endswith("/dom_md/xleases")
        status = await verbs.lease_status(station.node, LeaseStatusArgs(lease=station.name(VM)))
        assert (status.owners, status.version, status.metadata) == (0, 0, None)
        assert await station.create() is TaskResult.CLEAN_SUCCESS, "it is there already: undone, nothing else touched"
        assert await verbs.lease_info(station.node, LeaseInfoArgs(lease=station.name(VM))) == info
        deleting = await verbs.lease_delete(station.node, LeaseDeleteArgs(lease=station.name(VM)))
        assert await station.done(deleting) is TaskResult.SUCCESS
        with pytest.raises(NoSuchLease):
            await verbs.lease_info(station.node, LeaseInfoArgs(lease=station.name(VM)))
        again = await verbs.lease_delete(station.node, LeaseDeleteArgs(lease=station.name(VM)))
        assert await station.done(again) is not TaskResult.SUCCESS

    run(tmp_path, test)


def test_a_job_is_fenced_once_and_only_as_it_is_believed_to_be(tmp_path: Path) -> None:
    async def test(station: Station, cluster: Cluster) -> None:
        await station.create(JOB, PENDING)
        wrong = LeaseFenceArgs(lease=station.name(JOB), metadata=JobMetadata(**{**fields(PENDING), "generation": 2}))
        with pytest.raises(GenerationMismatch):
            await verbs.lease_fence(station.node, wrong)
        await verbs.lease_fence(station.node, LeaseFenceArgs(lease=station.name(JOB), metadata=PENDING))
        domain = await station.storage.domain(cast("Any", str(station.domain)))
        resource = await ExternalLeases(domain).find(LeaseId(str(JOB)))
        await domain.locks.acquire(resource, 1)
        note = await domain.locks.read_note(resource)
        assert b'"FENCED"' in note
        assert b'"generation":4' in note
        await domain.locks.release(resource)
        with pytest.raises((JobStatusMismatch, GenerationMismatch)):
            await verbs.lease_fence(station.node, LeaseFenceArgs(lease=station.name(JOB), metadata=PENDING))

    run(tmp_path, test)


def fields(job: JobMetadata) -> dict[str, Any]:
    return {name: getattr(job, name) for name in job.__struct_fields__}


def test_a_job_that_runs_is_not_fenced(tmp_path: Path) -> None:
    async def test(station: Station, cluster: Cluster) -> None:
        await station.create(JOB, PENDING)
        domain = await station.storage.domain(cast("Any", str(station.domain)))
        resource = await ExternalLeases(domain).find(LeaseId(str(JOB)))
        other = cluster.locks("two")
        await other.join(domain.lockspace, 2)
        await other.acquire(resource, 2)
        with pytest.raises(LeaseHeld) as refused:
            await verbs.lease_fence(station.node, LeaseFenceArgs(lease=station.name(JOB), metadata=PENDING))
        assert refused.value.owner is not None
        status = await verbs.lease_status(station.node, LeaseStatusArgs(lease=station.name(JOB)))
        assert (status.owners, status.version) == (1, 2)

    run(tmp_path, test)


def test_a_lost_index_is_rebuilt(tmp_path: Path) -> None:
    async def test(station: Station, cluster: Cluster) -> None:
        await station.create()
        before = await verbs.lease_info(station.node, LeaseInfoArgs(lease=station.name(VM)))
        damage(Path(before.path))
        rebuilding = await verbs.lease_rebuild(station.node, LeaseRebuildLeasesArgs(sd_id=station.domain))
        assert await station.done(rebuilding) is TaskResult.SUCCESS
        assert await verbs.lease_info(station.node, LeaseInfoArgs(lease=station.name(VM))) == before

    run(tmp_path, test)


def damage(xleases: Path) -> None:
    with xleases.open("r+b") as file:
        file.seek(MIB)
        file.write(b"x" * 65536)


def test_changes_are_for_the_spm(tmp_path: Path) -> None:
    async def test(station: Station, cluster: Cluster) -> None:
        with pytest.raises(NotSpm):
            await station.create()

    run(tmp_path, test, spm=False)


def test_without_a_pool_nothing_is_changed(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            station = Station(storage, tmp_path, await make_domain(cluster, storage))
            with pytest.raises(InNoPool):
                await station.create()
            old = Station(storage, tmp_path, await make_domain(cluster, storage, version=3))
            with pytest.raises(NoLeases):
                await verbs.lease_info(old.node, LeaseInfoArgs(lease=old.name(VM)))

    asyncio.run(main())
