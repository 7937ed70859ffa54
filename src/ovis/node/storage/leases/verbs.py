"""The verbs of leases apart from volumes. They translate and decide nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ovis.client.types import ExternalLeaseStatus, LeaseInfo
from ovis.client.types import Lease as LeaseName
from ovis.client.verbs import (
    LeaseCreateArgs,
    LeaseDeleteArgs,
    LeaseFenceArgs,
    LeaseInfoArgs,
    LeaseRebuildLeasesArgs,
    LeaseStatusArgs,
)
from ovis.node.host.identity import host_id
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.registry import verb
from ovis.node.storage import claims
from ovis.node.storage.formats.identifiers import DomainId, LeaseId
from ovis.node.storage.leases import job_notes, steps
from ovis.node.storage.leases.errors import InNoPool
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.tasks.tasks import SPM

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.leases.interface import Resource
    from ovis.node.storage.tasks.steps import Step


@verb("Lease.create")
async def lease_create(node: Node, args: LeaseCreateArgs) -> str:
    domain, lease = _ids(args.lease)
    note = ""
    if args.metadata is not None:
        first = job_notes.first(args.metadata, now=time.time(), hardware_id=_hardware_id(node))
        note = job_notes.write(first).decode()
    return await _task(node, "createLease", domain, [steps.Make(domain, lease, note)])


@verb("Lease.delete")
async def lease_delete(node: Node, args: LeaseDeleteArgs) -> str:
    domain, lease = _ids(args.lease)
    return await _task(node, "deleteLease", domain, [steps.Find(domain, lease), steps.Remove(domain, lease)])


@verb("Lease.rebuild_leases")
async def lease_rebuild(node: Node, args: LeaseRebuildLeasesArgs) -> str:
    domain = DomainId(str(args.sd_id))
    return await _task(node, "rebuildLeases", domain, [steps.Rebuild(domain)])


@verb("Lease.info")
async def lease_info(node: Node, args: LeaseInfoArgs) -> LeaseInfo:
    _, resource = await _find(node, args.lease)
    return LeaseInfo(
        lease_id=args.lease.lease_id,
        sd_id=args.lease.sd_id,
        path=str(resource.place.path),
        offset=resource.place.offset,
    )


@verb("Lease.status")
async def lease_status(node: Node, args: LeaseStatusArgs) -> ExternalLeaseStatus:
    domain, resource = await _find(node, args.lease)
    owner = await domain.locks.owner(resource)
    return ExternalLeaseStatus(
        owners=0 if owner is None else 1,
        version=await domain.locks.version(resource),
        metadata=job_notes.read(resource, await ExternalLeases(domain).read_note(resource)),
    )


@verb("Lease.fence")
async def lease_fence(node: Node, args: LeaseFenceArgs) -> None:
    domain, resource = await _find(node, args.lease)
    await job_notes.fence(
        domain.locks,
        resource,
        steps.host_id(node.storage),
        args.metadata,
        now=time.time(),
        hardware_id=_hardware_id(node),
    )


def _hardware_id(node: Node) -> str:
    return host_id(node.config.host.id, node.config.state_folder / "host.id", KernelFiles())


def _ids(lease: LeaseName) -> tuple[DomainId, LeaseId]:
    return DomainId(str(lease.sd_id)), LeaseId(str(lease.lease_id))


async def _find(node: Node, lease: LeaseName) -> tuple[Domain, Resource]:
    domain_id, lease_id = _ids(lease)
    domain = await node.storage.domain(domain_id)
    return domain, await ExternalLeases(domain).find(lease_id)


async def _task(node: Node, name: str, domain_id: DomainId, planned: list[Step]) -> str:
    pool = node.storage.pools.joined
    if pool is None:
        raise InNoPool
    pool.spm.check()
    ExternalLeases(await node.storage.domain(domain_id))  # says whether it can have leases
    wanted = [claims.domain(domain_id, exclusive=False), claims.external_leases(domain_id)]
    return await node.storage.tasks.start(name, planned, claims=wanted, tag=SPM)
