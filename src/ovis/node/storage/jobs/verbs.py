"""The verbs of class SDM: each starts a job of this host. They translate and decide nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ovis.client.types import CopyDataDIVEndpoint, CopyDataEndpoint, CopyDataExternalEndpoint, HostJobType
from ovis.client.verbs import (
    SDMAddBitmapArgs,
    SDMAmendVolumeArgs,
    SDMClearBitmapsArgs,
    SDMCopyDataArgs,
    SDMMergeArgs,
    SDMMoveDomainDeviceArgs,
    SDMReduceDomainArgs,
    SDMRemoveBitmapArgs,
    SDMSparsifyVolumeArgs,
    SDMUpdateVolumeArgs,
)
from ovis.node.errors import BadParameter
from ovis.node.jobs import Job
from ovis.node.registry import verb
from ovis.node.storage import arguments
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeRole
from ovis.node.storage.images.verbs import subchain_of
from ovis.node.storage.jobs import external_end
from ovis.node.storage.jobs.external_end import ExternalEnd
from ovis.node.storage.jobs.guarded import Guarded
from ovis.node.storage.jobs.volume_jobs import Attributes, VolumeJobs
from ovis.node.storage.leases.errors import InNoPool
from ovis.node.storage.volumes import asked
from ovis.node.storage.volumes.copying import Place

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.formats.identifiers import DomainId
    from ovis.node.storage.pool.pool import Pool

Work = Callable[[VolumeJobs, Job], Awaitable[None]]


@verb("SDM.copy_data")
async def copy_data(node: Node, args: SDMCopyDataArgs) -> None:
    source, target = _end("source", args.source), _end("destination", args.destination)

    async def work(jobs: VolumeJobs, job: Job) -> None:
        options = {"with_bitmaps": args.copy_bitmaps}
        match source, target:
            case Guarded(), Guarded():
                await jobs.copy_data(source.place, target, **options, on_percent=_progress(job))
            case ExternalEnd(), Guarded():
                await jobs.copy_in(source, target, **options, on_percent=_progress(job))
            case Guarded(), ExternalEnd():
                await jobs.copy_out(source.place, target, **options, on_percent=_progress(job))

    ends = [end for end in (source, target) if isinstance(end, Guarded)]
    if not ends:
        raise BadParameter("source", "one end has to be a volume of a storage domain")
    what = f"copy volume {ends[0].place.volume}"
    await _start(node, args.job_id, what, work, *(end.place.domain for end in ends))


@verb("SDM.merge")
async def merge(node: Node, args: SDMMergeArgs) -> None:
    subchain = subchain_of(args.subchain_info)

    async def work(jobs: VolumeJobs, job: Job) -> None:
        await jobs.merge(subchain, with_bitmaps=args.merge_bitmaps, on_percent=_progress(job))

    await _start(node, args.job_id, f"merge volume {subchain.top}", work, subchain.domain)


@verb("SDM.update_volume")
async def update_volume(node: Node, args: SDMUpdateVolumeArgs) -> None:
    wanted, given = _div(args.vol_info), args.vol_attr
    attributes = Attributes(
        description=given.description,
        generation=given.generation,
        legality=None if given.legality is None else Legality(given.legality.value),
        role=None if given.type is None else VolumeRole(given.type.value),
    )
    await _on_volume(node, args.job_id, "update", wanted, lambda jobs, _: jobs.update(wanted, attributes))


@verb("SDM.amend_volume")
async def amend_volume(node: Node, args: SDMAmendVolumeArgs) -> None:
    wanted = _div(args.vol_info)
    compat = None if args.qcow2_attr.compat is None else args.qcow2_attr.compat.value
    await _on_volume(node, args.job_id, "amend", wanted, lambda jobs, _: jobs.amend(wanted, compat))


@verb("SDM.sparsify_volume")
async def sparsify_volume(node: Node, args: SDMSparsifyVolumeArgs) -> None:
    wanted = _div(args.vol_info)
    await _on_volume(node, args.job_id, "sparsify", wanted, lambda jobs, _: jobs.sparsify(wanted))


@verb("SDM.add_bitmap")
async def add_bitmap(node: Node, args: SDMAddBitmapArgs) -> None:
    wanted = _div(args.vol_info)
    await _on_volume(node, args.job_id, "add a bitmap to", wanted, lambda j, _: j.add_bitmap(wanted, args.bitmap))


@verb("SDM.remove_bitmap")
async def remove_bitmap(node: Node, args: SDMRemoveBitmapArgs) -> None:
    wanted = _div(args.vol_info)
    await _on_volume(node, args.job_id, "remove a bitmap of", wanted, lambda j, _: j.remove_bitmap(wanted, args.bitmap))


@verb("SDM.clear_bitmaps")
async def clear_bitmaps(node: Node, args: SDMClearBitmapsArgs) -> None:
    wanted = _div(args.vol_info)
    await _on_volume(node, args.job_id, "clear the bitmaps of", wanted, lambda jobs, _: jobs.clear_bitmaps(wanted))


@verb("SDM.move_domain_device")
async def move_domain_device(node: Node, args: SDMMoveDomainDeviceArgs) -> None:
    from ovis.node.storage.domains.block_creation import device_path
    from ovis.node.storage.jobs import device_jobs

    pool, given = _pool(node), args.move_params
    domain, device = arguments.domain(given.sd_id), device_path(given.guid)
    to = [device_path(guid) for guid in given.dst_guids or ()]
    device_jobs.check(pool, domain)

    async def run(_: Job) -> None:
        await device_jobs.move(pool, domain, device, to)

    node.jobs.start(args.job_id, HostJobType.STORAGE, f"empty disk {given.guid}", run)


@verb("SDM.reduce_domain")
async def reduce_domain(node: Node, args: SDMReduceDomainArgs) -> None:
    from ovis.node.storage.domains.block_creation import device_path
    from ovis.node.storage.jobs import device_jobs

    pool, given = _pool(node), args.reduce_params
    domain, device = arguments.domain(given.sd_id), device_path(given.guid)
    device_jobs.check(pool, domain)

    async def run(_: Job) -> None:
        await device_jobs.reduce(pool, domain, device)

    node.jobs.start(args.job_id, HostJobType.STORAGE, f"take disk {given.guid} out", run)


async def _on_volume(node: Node, job_id: str, what: str, wanted: Guarded, work: Work) -> None:
    place = wanted.place
    asked.require_unused(node, place.domain, place.image, [place.volume])
    await _start(node, job_id, f"{what} volume {place.volume}", work, place.domain)


async def _start(node: Node, job_id: str, description: str, work: Work, *domains: DomainId) -> None:
    """Raises JobExists, InNoPool, DomainNotActive."""
    pool = _pool(node)
    for domain in domains:
        await asked.active_domain(node, pool, domain)
    jobs = VolumeJobs(node.storage, pool.host_id, job_id.lower())

    async def run(job: Job) -> None:
        await work(jobs, job)

    node.jobs.start(job_id, HostJobType.STORAGE, description, run)


def _pool(node: Node) -> Pool:
    pool = node.storage.pools.joined
    if pool is None:
        raise InNoPool
    return pool


def _end(field: str, endpoint: CopyDataEndpoint) -> Guarded | ExternalEnd:
    if isinstance(endpoint, CopyDataDIVEndpoint):
        return _div(endpoint)
    assert isinstance(endpoint, CopyDataExternalEndpoint)
    end = ExternalEnd(
        url=endpoint.url,
        format=endpoint.format.lower(),
        domain=arguments.domain(endpoint.lease.sd_id),
        lease=LeaseId(endpoint.lease.lease_id.lower()),
        generation=endpoint.generation,
        create=endpoint.create,
        is_zero=endpoint.is_zero,
    )
    external_end.check(field, end)
    return end


def _div(endpoint: CopyDataDIVEndpoint) -> Guarded:
    place = Place(arguments.domain(endpoint.sd_id), arguments.image(endpoint.img_id), arguments.volume(endpoint.vol_id))
    return Guarded(place, endpoint.generation)


def _progress(job: Job) -> Callable[[int], None]:
    def tell(percent: int) -> None:
        job.percent = percent

    return tell
