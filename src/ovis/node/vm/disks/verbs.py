"""The verbs of snapshots, merges, replication and sizes. They translate and decide nothing.

What changes disks runs to its end even when its caller has gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ovis.client.types import (
    DriveSpec,
    DriveSpecVolume,
    HostJobType,
    SnapshotDriveInfo,
    SnapshotVolumeDriveInfo,
    VolumeSizeInfo,
)
from ovis.client.verbs import (
    VMDiskReplicateFinishArgs,
    VMDiskReplicateStartArgs,
    VMDiskSizeExtendArgs,
    VMGetDiskAlignmentArgs,
    VMMergeArgs,
    VMRefreshDiskArgs,
    VMSealArgs,
    VMSnapshotArgs,
)
from ovis.node.errors import BadParameter
from ovis.node.jobs import Job
from ovis.node.registry import verb
from ovis.node.vm.block_jobs import merge, replica
from ovis.node.vm.disks import sealing, sizes
from ovis.node.vm.disks.errors import Unsupported
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.prepare import canonical_id
from ovis.node.vm.snapshots import memory_handle, snapshot

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.vm.vms import Vms

T = TypeVar("T")
MINUTE = 60.0


async def to_its_end(vms: Vms, work: Coroutine[Any, Any, T], name: str) -> T:
    """A caller that goes away leaves the work running."""
    found: list[T] = []

    async def run() -> None:
        found.append(await work)

    await asyncio.shield(vms.own(run(), name))
    return found[0]


@verb("VM.snapshot")
async def vm_snapshot(node: Node, args: VMSnapshotArgs) -> None:
    vm = node.vms.find(args.vm_id)
    wish = snapshot.Wish(
        disks=[_snapshot_disk(number, drive) for number, drive in enumerate(args.snap_drives)],
        memory=await memory_handle.place(node.vms, vm, args.snap_memory) if args.snap_memory else None,
        is_frozen=args.frozen,
        timeout=args.timeout_minutes * MINUTE,
        freeze_timeout=args.freeze_timeout_minutes * MINUTE,
    )
    if args.job_uuid is None:
        await to_its_end(node.vms, snapshot.take(node.vms, vm, wish), f"snapshot of VM {vm.id}")
        return
    vm.require_qemu()

    async def work(_job: Job) -> None:
        await to_its_end(node.vms, snapshot.take(node.vms, vm, wish), f"snapshot of VM {vm.id}")

    node.jobs.start(canonical_id(args.job_uuid, "jobUUID"), HostJobType.VIRT, f"snapshot of VM {vm.id}", work)


@verb("VM.merge")
async def vm_merge(node: Node, args: VMMergeArgs) -> None:
    vm = node.vms.find(args.vm_id)
    if args.bandwidth_mib_per_second < 0:
        raise BadParameter("bandwidth", "is negative")
    wish = merge.Wish(
        disk=_ids(args.drive),
        base=canonical_id(args.base_vol_uuid, "baseVolUUID"),
        top=canonical_id(args.top_vol_uuid, "topVolUUID"),
        bandwidth=args.bandwidth_mib_per_second << 20,
        job_id=None if args.job_uuid is None else canonical_id(args.job_uuid, "jobUUID"),
    )
    await to_its_end(node.vms, merge.merge(node.vms, vm, wish), f"begin a merge of VM {vm.id}")


@verb("VM.diskReplicateStart")
async def vm_disk_replicate_start(node: Node, args: VMDiskReplicateStartArgs) -> None:
    vm = node.vms.find(args.vm_id)
    work = replica.start(node.vms, vm, _ids(args.src_disk), _ids(args.dst_disk))
    await to_its_end(node.vms, work, f"begin a replication of VM {vm.id}")


@verb("VM.diskReplicateFinish")
async def vm_disk_replicate_finish(node: Node, args: VMDiskReplicateFinishArgs) -> None:
    vm = node.vms.find(args.vm_id)
    work = replica.finish(node.vms, vm, _ids(args.src_disk), _ids(args.dst_disk))
    await to_its_end(node.vms, work, f"finish a replication of VM {vm.id}")


@verb("VM.diskSizeExtend")
async def vm_disk_size_extend(node: Node, args: VMDiskSizeExtendArgs) -> int:
    ids = _volume_ids("driveSpecs", args.vm_id, args.drive_specs)
    if canonical_id(args.vm_id, "vmID") == sizes.NOBODY:
        return await sizes.extended(node.vms, ids, args.new_size)
    vm = node.vms.find(args.vm_id)
    vm.require_qemu()
    work = sizes.extend(node.vms, vm, await node.vms.drives.find(vm, ids), args.new_size)
    return await to_its_end(node.vms, work, f"extend a disk of VM {vm.id}")


@verb("VM.refresh_disk")
async def vm_refresh_disk(node: Node, args: VMRefreshDiskArgs) -> VolumeSizeInfo:
    vm = node.vms.find(args.vm_id)
    vm.require_qemu()
    found = await sizes.refresh(node.vms, vm, await node.vms.drives.find(vm, _ids(args.drive)))
    return VolumeSizeInfo(apparentsize=found.apparent, truesize=found.used)


@verb("VM.getDiskAlignment")
async def vm_get_disk_alignment(node: Node, args: VMGetDiskAlignmentArgs) -> dict[str, bool]:
    if canonical_id(args.vm_id, "vmID") != sizes.NOBODY:
        raise Unsupported(args.vm_id, "only disks that no VM uses are examined: the VM's id must be all zeros")
    return await sizes.aligned(node.vms, _ids(args.disk))


@verb("VM.seal")
async def vm_seal(node: Node, args: VMSealArgs) -> None:
    volumes = [VolumeIds.of(i.vol_id, i.img_id, i.sd_id, args.sp_id) for i in args.images]
    job_id = canonical_id(args.job_id, "job_id")
    await sealing.start(node.vms, node.jobs, args.vm_id, job_id, volumes)


def _ids(spec: DriveSpecVolume) -> VolumeIds:
    return VolumeIds.of(spec.volume_id, spec.image_id, spec.domain_id, spec.pool_id)


def _volume_ids(field: str, vm_id: str, spec: DriveSpec) -> VolumeIds:
    if isinstance(spec, DriveSpecVolume):
        return _ids(spec)
    raise Unsupported(vm_id, f"{field}: only disks named by pool, domain, image and volume are supported")


def _snapshot_disk(number: int, drive: SnapshotDriveInfo) -> snapshot.DiskWish:
    if not isinstance(drive, SnapshotVolumeDriveInfo):
        raise BadParameter(f"snapDrives[{number}]", "only disks named by domain, image and volume are supported")
    return snapshot.DiskWish(
        now=VolumeIds.of(drive.base_volume_id, drive.image_id, drive.domain_id),
        then=VolumeIds.of(drive.volume_id, drive.image_id, drive.domain_id),
    )
