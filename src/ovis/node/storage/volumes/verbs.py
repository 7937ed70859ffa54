"""The verbs of class Volume. They translate and decide nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.client.types import (
    QemuImageInfo,
    VolumeAllocationId,
    VolumeFormatId,
    VolumeInfoResponse,
    VolumeMeasureResult,
    VolumeRoleId,
    VolumeSizeInfo,
)
from ovis.client.verbs import (
    VolumeCopyArgs,
    VolumeCreateArgs,
    VolumeDeleteArgs,
    VolumeExtendSizeArgs,
    VolumeGetInfoArgs,
    VolumeGetQemuImageInfoArgs,
    VolumeGetSizeArgs,
    VolumeMeasureArgs,
    VolumeRefreshArgs,
    VolumeSetDescriptionArgs,
    VolumeSetLegalityArgs,
    VolumeTeardownArgs,
    VolumeVerifyUntrustedArgs,
)
from ovis.node.registry import verb
from ovis.node.storage import arguments
from ovis.node.storage.formats.volume_metadata import (
    DESCRIPTION_LIMIT,
    Allocation,
    DiskType,
    Legality,
    VolumeFormat,
    VolumeRole,
)
from ovis.node.storage.images import moving
from ovis.node.storage.volumes import asked, creating, deleting, describing, extending, measuring, reading, untrusted
from ovis.node.storage.volumes.creating import Wish
from ovis.node.storage.volumes.errors import WrongAllocation, WrongFormat
from ovis.node.storage.volumes.qemu_img import Disk, on

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.formats.identifiers import ImageId, VolumeId

FORMATS = {VolumeFormatId.COW: VolumeFormat.COW, VolumeFormatId.RAW: VolumeFormat.RAW}
ALLOCATIONS = {
    VolumeAllocationId.PREALLOCATED: Allocation.PREALLOCATED,
    VolumeAllocationId.SPARSE: Allocation.SPARSE,
}
ROLES = {
    VolumeRoleId.SHARED: VolumeRole.SHARED,
    VolumeRoleId.INTERNAL: VolumeRole.INTERNAL,
    VolumeRoleId.LEAF: VolumeRole.LEAF,
}


@verb("Volume.create")
async def create(node: Node, args: VolumeCreateArgs) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    subject = f"volume {args.volume_id}"
    if args.vol_format not in FORMATS:
        raise WrongFormat(subject, "needs a format: 4 (qcow2) or 5 (raw)")
    if args.preallocate not in ALLOCATIONS:
        raise WrongAllocation(subject, "needs an allocation: 1 (preallocated) or 2 (sparse)")
    image = arguments.image(args.image_id)
    parent = arguments.volume_or_none(args.src_vol_uuid)
    wish = Wish(
        domain=domain.id,
        image=image,
        volume=arguments.volume(args.volume_id),
        capacity=args.size,
        format=FORMATS[args.vol_format],
        allocation=ALLOCATIONS[args.preallocate],
        disk_type=DiskType(args.disk_type.value),
        description=args.desc,
        parent=None if parent is None else (arguments.image_or_none(args.src_img_uuid) or image, parent),
        initial_size=args.initial_size,
        with_parents_bitmaps=args.add_bitmaps,
        bitmap=args.bitmap,
        is_legal=args.legal,
        sequence=args.sequence,
    )
    plan = await creating.plan(domain, wish, now=int(node.storage.now()))
    return await asked.start(node, "createVolume", plan, domain)


@verb("Volume.copy")
async def copy(node: Node, args: VolumeCopyArgs) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    to = arguments.domain_or_none(args.dst_sd_uuid)
    target = domain if to in (None, domain.id) else await asked.spm_domain(node, args.storagepool_id, str(to))
    plan = await moving.plan_copy(
        domain,
        arguments.image(args.image_id),
        arguments.volume(args.volume_id),
        target,
        (arguments.image(args.dst_img_uuid), arguments.volume(args.dst_vol_uuid)),
        role=ROLES[args.vol_type],
        format=FORMATS.get(args.vol_format),
        allocation=ALLOCATIONS.get(args.preallocate),
        description=args.desc,
        force=args.force,
        now=int(node.storage.now()),
    )
    return await asked.start(node, "copyImage", plan, domain, target)


@verb("Volume.delete")
async def delete(node: Node, args: VolumeDeleteArgs) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image, volume = arguments.image(args.image_id), arguments.volume(args.volume_id)
    asked.require_unused(node, domain.id, image, [volume])
    plan = await deleting.plan(domain, image, [volume], wipe=args.post_zero, discard=args.discard, force=args.force)
    return await asked.start(node, "deleteVolume", plan, domain)


@verb("Volume.extendSize")
async def extend_size(node: Node, args: VolumeExtendSizeArgs) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image, volume = arguments.image(args.image_id), arguments.volume(args.volume_id)
    asked.require_unused(node, domain.id, image, [volume])
    plan = await extending.plan(domain, image, volume, args.new_size)
    return await asked.start(node, "extendVolumeSize", plan, domain)


@verb("Volume.getInfo")
async def get_info(node: Node, args: VolumeGetInfoArgs) -> VolumeInfoResponse:
    domain = await asked.any_domain(node, args.storagedomain_id)
    return await describing.describe(domain, *_ids(args))


@verb("Volume.getSize")
async def get_size(node: Node, args: VolumeGetSizeArgs) -> VolumeSizeInfo:
    domain = await asked.any_domain(node, args.storagedomain_id)
    return await describing.measure(domain, *_ids(args))


@verb("Volume.getQemuImageInfo")
async def get_qemu_image_info(node: Node, args: VolumeGetQemuImageInfoArgs) -> QemuImageInfo:
    domain = await asked.any_domain(node, args.storagedomain_id)
    layer = await reading.layer(domain, *_ids(args))
    async with node.storage.prepared.active(domain, [layer]) as paths:
        return describing.qemu_info(await on(domain).info(Disk(paths[layer.id], layer.qemu_format)))


@verb("Volume.measure")
async def measure(node: Node, args: VolumeMeasureArgs) -> VolumeMeasureResult:
    domain = await asked.any_domain(node, args.storagedomain_id)
    image, volume = _ids(args)
    if args.dst_vol_format not in FORMATS:
        raise WrongFormat(f"volume {volume}", "needs a format to be measured for: 4 (qcow2) or 5 (raw)")
    async with asked.using(node, domain.id, image, f"measure volume {volume}"):
        required = await measuring.required(
            node.storage.prepared,
            domain,
            image,
            volume,
            FORMATS[args.dst_vol_format],
            with_chain=args.backing_chain,
            base=arguments.volume_or_none(args.base_id),
        )
    return VolumeMeasureResult(required=required)


@verb("Volume.refresh")
async def refresh(node: Node, args: VolumeRefreshArgs) -> None:
    domain = await asked.any_domain(node, args.storagedomain_id)
    image, volume = _ids(args)
    layer = await reading.layer(domain, image, volume)
    if node.storage.prepared.is_prepared(domain.id, volume):
        # a volume that is active takes its present size when it is activated again
        await domain.store.activate(layer.image, volume)


@verb("Volume.setDescription")
async def set_description(node: Node, args: VolumeSetDescriptionArgs) -> None:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image, volume = _ids(args)
    async with asked.changing(node, args.storagepool_id, domain, image, f"describe volume {volume}"):
        found = await domain.store.read(image, volume)
        await domain.store.write(image, volume, replace(found, description=args.description[:DESCRIPTION_LIMIT]))


@verb("Volume.setLegality")
async def set_legality(node: Node, args: VolumeSetLegalityArgs) -> None:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image, volume = _ids(args)
    async with asked.changing(node, args.storagepool_id, domain, image, f"mark volume {volume}"):
        found = await domain.store.read(image, volume)
        await domain.store.write(image, volume, replace(found, legality=Legality(args.legality.value)))


@verb("Volume.teardown")
async def teardown(node: Node, args: VolumeTeardownArgs) -> None:
    domain = await asked.any_domain(node, args.storagedomain_id)
    await node.storage.prepared.tear_down_volume(domain, *_ids(args))


@verb("Volume.verify_untrusted")
async def verify_untrusted(node: Node, args: VolumeVerifyUntrustedArgs) -> None:
    domain = await asked.any_domain(node, args.storagedomain_id)
    layer = await reading.layer(domain, *_ids(args))
    async with node.storage.prepared.active(domain, [layer]) as paths:
        await untrusted.verify(domain, layer, paths[layer.id])


def _ids(
    args: VolumeGetInfoArgs
    | VolumeGetQemuImageInfoArgs
    | VolumeGetSizeArgs
    | VolumeMeasureArgs
    | VolumeRefreshArgs
    | VolumeSetDescriptionArgs
    | VolumeSetLegalityArgs
    | VolumeTeardownArgs
    | VolumeVerifyUntrustedArgs,
) -> tuple[ImageId, VolumeId]:
    return arguments.image(args.image_id), arguments.volume(args.volume_id)
