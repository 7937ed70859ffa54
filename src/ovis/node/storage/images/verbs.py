"""The verbs of class Image, and those of StoragePool that are about one image. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import (
    ImageMoveOperationId,
    ImageSharingMethodArgsHttp,
    PreparedImageInfo,
    SubchainInfo,
    syncType,
)
from ovis.client.verbs import (
    ImageCloneStructureArgs,
    ImageDeleteArgs,
    ImageDeleteVolumesArgs,
    ImageDownloadArgs,
    ImageGetVolumesArgs,
    ImageMoveArgs,
    ImagePrepareArgs,
    ImageReconcileVolumeChainArgs,
    ImageSyncDataArgs,
    ImageTeardownArgs,
    ImageUploadArgs,
    StoragePoolFinalizeMergeArgs,
    StoragePoolPrepareMergeArgs,
    StoragePoolReduceVolumeArgs,
)
from ovis.node.errors import BadParameter
from ovis.node.registry import verb
from ovis.node.storage import arguments
from ovis.node.storage.errors import NoSuchImage
from ovis.node.storage.images import deleting, merging, moving, reconciling, transferring
from ovis.node.storage.images.curl import Direction
from ovis.node.storage.images.merging import Subchain
from ovis.node.storage.volumes import asked, reading
from ovis.node.storage.volumes import deleting as volume_deleting

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.formats.identifiers import VolumeId


@verb("Image.getVolumes")
async def get_volumes(node: Node, args: ImageGetVolumesArgs) -> list[VolumeId]:
    domain = await asked.any_domain(node, args.storagedomain_id)
    try:
        image = await reading.image(domain, arguments.image(args.image_id))
    except NoSuchImage:
        return []
    return sorted({*image.layers, *image.unreadable})


@verb("Image.prepare")
async def prepare(node: Node, args: ImagePrepareArgs) -> PreparedImageInfo:
    domain = await asked.any_domain(node, args.storagedomain_id)
    image = arguments.image(args.image_id)
    async with asked.using(node, domain.id, image, f"prepare image {image}"):
        path = await node.storage.prepared.prepare(
            domain, image, arguments.volume_or_none(args.volume_id), allow_illegal=args.allow_illegal
        )
    return PreparedImageInfo(path=str(path))


@verb("Image.teardown")
async def teardown(node: Node, args: ImageTeardownArgs) -> None:
    domain = await asked.any_domain(node, args.storagedomain_id)
    await node.storage.prepared.tear_down(domain, arguments.image(args.image_id))


@verb("Image.delete")
async def delete(node: Node, args: ImageDeleteArgs) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image = arguments.image(args.image_id)
    asked.require_unused(node, domain.id, image, list(await domain.store.volumes(image)))
    plan = await deleting.plan(domain, image, wipe=args.post_zero, discard=args.discard, force=args.force)
    return await asked.start(node, "deleteImage", plan, domain)


@verb("Image.deleteVolumes")
async def delete_volumes(node: Node, args: ImageDeleteVolumesArgs) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image = arguments.image(args.image_id)
    volumes = [arguments.volume(volume) for volume in args.volume_list]
    asked.require_unused(node, domain.id, image, volumes)
    plan = await volume_deleting.plan(
        domain, image, volumes, wipe=args.post_zero, discard=args.discard, force=args.force
    )
    return await asked.start(node, "deleteVolume", plan, domain)


@verb("Image.move")
async def move(node: Node, args: ImageMoveArgs) -> str:
    source = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    target = await asked.spm_domain(node, args.storagepool_id, args.dst_sd_uuid)
    if args.operation is ImageMoveOperationId.UNKNOWN:
        raise BadParameter("operation", "must be 1 (copy) or 2 (move)")
    image = arguments.image(args.image_id)
    asked.require_unused(node, source.id, image, list(await source.store.volumes(image)))
    plan = await moving.plan_move(
        source,
        target,
        image,
        keep_source=args.operation is ImageMoveOperationId.COPY,
        force=args.force,
        wipe=args.post_zero,
        discard=args.discard,
    )
    return await asked.start(node, "moveImage", plan, source, target)


@verb("Image.cloneStructure")
async def clone_structure(node: Node, args: ImageCloneStructureArgs) -> str:
    source = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    target = await asked.spm_domain(node, args.storagepool_id, args.dst_sd_uuid)
    plan = await moving.plan_clone(source, target, arguments.image(args.image_id))
    return await asked.start(node, "cloneImageStructure", plan, source, target)


@verb("Image.syncData")
async def sync_data(node: Node, args: ImageSyncDataArgs) -> str:
    source = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    target = await asked.spm_domain(node, args.storagepool_id, args.dst_sd_uuid)
    plan = await moving.plan_sync(
        source,
        target,
        arguments.image(args.image_id),
        inner=args.sync_type is not syncType.LEAF,
        leaf=args.sync_type is not syncType.INTERNAL,
    )
    return await asked.start(node, "syncImageData", plan, source, target)


@verb("Image.upload")
async def upload(node: Node, args: ImageUploadArgs) -> str:
    return await _transfer(node, args, Direction.UPLOAD)


@verb("Image.download")
async def download(node: Node, args: ImageDownloadArgs) -> str:
    return await _transfer(node, args, Direction.DOWNLOAD)


async def _transfer(node: Node, args: ImageUploadArgs | ImageDownloadArgs, direction: Direction) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image = arguments.image(args.image_id)
    asked.require_unused(node, domain.id, image, list(await domain.store.volumes(image)))
    if not isinstance(args.method_args, ImageSharingMethodArgsHttp):
        raise BadParameter("methodArgs", "HTTP is the only way there is")
    volume, address = arguments.volume_or_none(args.volume_id), args.method_args
    plan = await transferring.plan(domain, image, volume, direction, address.url, address.headers or {})
    return await asked.start(node, f"{direction.value}Image", plan, domain)


@verb("Image.reconcileVolumeChain")
async def reconcile_volume_chain(node: Node, args: ImageReconcileVolumeChainArgs) -> list[VolumeId]:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image, leaf = arguments.image(args.image_id), arguments.volume(args.leaf_vol_id)
    asked.require_unused(node, domain.id, image, list(await domain.store.volumes(image)))
    async with asked.changing(node, args.storagepool_id, domain, image, f"reconcile image {image}"):
        return [*await reconciling.reconcile(node.storage, domain, image, leaf)]


@verb("StoragePool.prepareMerge")
async def prepare_merge(node: Node, args: StoragePoolPrepareMergeArgs) -> str:
    subchain = subchain_of(args.subchain_info)
    domain = await asked.spm_domain(node, args.storagepool_id, subchain.domain)
    asked.require_unused(node, domain.id, subchain.image, [subchain.base, subchain.top])
    return await asked.start(node, "prepareMerge", await merging.plan_prepare(domain, subchain), domain)


@verb("StoragePool.finalizeMerge")
async def finalize_merge(node: Node, args: StoragePoolFinalizeMergeArgs) -> str:
    subchain = subchain_of(args.subchain_info)
    domain = await asked.spm_domain(node, args.storagepool_id, subchain.domain)
    asked.require_unused(node, domain.id, subchain.image, [subchain.base, subchain.top])
    return await asked.start(node, "finalizeMerge", await merging.plan_finalize(domain, subchain), domain)


@verb("StoragePool.reduceVolume")
async def reduce_volume(node: Node, args: StoragePoolReduceVolumeArgs) -> str:
    domain = await asked.spm_domain(node, args.storagepool_id, args.storagedomain_id)
    image, volume = arguments.image(args.image_id), arguments.volume(args.volume_id)
    plan = await merging.plan_reduce(domain, image, volume, allow_active=args.allow_active)
    return await asked.start(node, "reduceVolume", plan, domain)


def subchain_of(info: SubchainInfo) -> Subchain:
    return Subchain(
        arguments.domain(info.sd_id),
        arguments.image(info.img_id),
        arguments.volume(info.base_id),
        arguments.volume(info.top_id),
        info.base_generation,
    )
