"""What the verbs of volumes and images have in common: where the call may act, and how its task is started."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ovis.node.storage import arguments, claims
from ovis.node.storage.errors import DomainNotActive
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.pool.spm import trusted
from ovis.node.storage.tasks.tasks import SPM
from ovis.node.storage.volumes.errors import VolumeInUse
from ovis.node.storage.volumes.plan import Plan
from ovis.node.vm.disk_users import writers

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.pool.pool import Pool

CALL_SECONDS = 20.0  # for calls that wait for what others do with a disk; below the verbs' deadlines


def connected(node: Node, pool_id: str) -> Pool:
    return node.storage.pools.find(arguments.pool(pool_id))


async def active_domain(node: Node, pool: Pool, domain_id: str) -> Domain:
    """Raises DomainNotInPool, DomainNotActive, NoSuchDomain."""
    wanted = arguments.domain(domain_id)
    if pool.status(wanted) is not DomainStatus.ACTIVE:
        raise DomainNotActive(wanted)
    return await node.storage.domain(wanted)


async def spm_domain(node: Node, pool_id: str, domain_id: str) -> Domain:
    """For changes that only the SPM makes. Raises NotConnected, NotSpm, and as `active_domain`."""
    pool = connected(node, pool_id)
    pool.spm.check()
    return await active_domain(node, pool, domain_id)


async def any_domain(node: Node, domain_id: str) -> Domain:
    """In a pool or not. Raises NoSuchDomain."""
    return await node.storage.domain(arguments.domain(domain_id))


async def start(node: Node, verb: str, plan: Plan, *domains: Domain) -> str:
    """The id of a task of the SPM."""
    needed = (claims.domain(domain.id, exclusive=False) for domain in domains)
    return await node.storage.tasks.start(verb, plan.steps, claims=[*needed, *plan.claims], tag=SPM)


@asynccontextmanager
async def changing(node: Node, pool_id: str, domain: Domain, image: ImageId, by: str) -> AsyncIterator[None]:
    """A short change by the SPM that needs no task: it ends with the SPM's lease."""
    needed = [claims.domain(domain.id, exclusive=False), claims.image(domain.id, image)]
    async with node.storage.claims.hold(needed, by=by, seconds=CALL_SECONDS):
        pool = connected(node, pool_id)
        pool.spm.check()
        async with trusted(await pool.master())():
            yield


@asynccontextmanager
async def using(node: Node, domain: DomainId, image: ImageId, by: str) -> AsyncIterator[None]:
    """Nobody changes the image meanwhile."""
    needed = [claims.domain(domain, exclusive=False), claims.image(domain, image, exclusive=False)]
    async with node.storage.claims.hold(needed, by=by, seconds=CALL_SECONDS):
        yield


def require_unused(node: Node, domain: DomainId, image: ImageId, volumes: Collection[VolumeId]) -> None:
    """That no VM of this host writes to one of them. Raises VolumeInUse. VMs of other hosts are the caller's care."""
    ends = {f"/{domain}/images/{image}/{volume}": volume for volume in volumes}
    ends |= {f"/{domain}/{image}/{volume}": volume for volume in volumes}
    for path, vm in writers(node.vms).items():
        for end, volume in ends.items():
            if path.endswith(end):
                raise VolumeInUse(f"volume {volume} of storage domain {domain}", f"VM {vm} writes to it")
