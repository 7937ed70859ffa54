"""The verbs about storage domains. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client import types
from ovis.client.verbs import (
    HostGetStorageDomainsArgs,
    StorageDomainActivateArgs,
    StorageDomainAttachArgs,
    StorageDomainCreateArgs,
    StorageDomainDeactivateArgs,
    StorageDomainDetachArgs,
    StorageDomainDumpArgs,
    StorageDomainExtendArgs,
    StorageDomainFormatArgs,
    StorageDomainGetFileStatsArgs,
    StorageDomainGetImagesArgs,
    StorageDomainGetInfoArgs,
    StorageDomainGetStatsArgs,
    StorageDomainGetVolumesArgs,
    StorageDomainResizePVArgs,
    StorageDomainSetDescriptionArgs,
    StorageDomainValidateArgs,
)
from ovis.node.registry import verb
from ovis.node.storage import arguments, claims
from ovis.node.storage.domains import creating, finding, membership, telling
from ovis.node.storage.domains.changing import active_block_domain, set_description
from ovis.node.storage.domains.creating import NewDomain
from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats.domain_metadata import DomainClass, StorageType
from ovis.node.storage.formats.identifiers import DomainId

if TYPE_CHECKING:
    from ovis.node.node import Node

KINDS = {
    types.StorageDomainTypeId.NFS: StorageType.NFS,
    types.StorageDomainTypeId.FCP: StorageType.FIBRE_CHANNEL,
    types.StorageDomainTypeId.ISCSI: StorageType.ISCSI,
    types.StorageDomainTypeId.LOCALFS: StorageType.LOCAL,
    types.StorageDomainTypeId.POSIXFS: StorageType.POSIX,
    types.StorageDomainTypeId.GLUSTERFS: StorageType.GLUSTER,
}
CLASSES = {
    types.StorageDomainClassId.DATA: DomainClass.DATA,
    types.StorageDomainClassId.ISO: DomainClass.ISO,
    types.StorageDomainClassId.BACKUP: DomainClass.BACKUP,
}
OLDEST = 0
"""What is meant when no version is named; it is not served."""


class UnknownKind(StorageError):
    wire_name = "StorageDomainTypeError"

    def __init__(self, kind: int) -> None:
        super().__init__(f"domainType: no domain can be made on storage of kind {kind}")


class UnknownClass(StorageError):
    wire_name = "StorageDomainClassError"

    def __init__(self, domain_class: int) -> None:
        super().__init__(f"domainClass: no domain can be of class {domain_class}")


@verb("StorageDomain.create")
async def create(node: Node, args: StorageDomainCreateArgs) -> None:
    if args.domain_type not in KINDS:
        raise UnknownKind(args.domain_type)
    if args.domain_class not in CLASSES:
        raise UnknownClass(args.domain_class)
    new = NewDomain(
        id=arguments.domain(args.storagedomain_id),
        type=KINDS[args.domain_type],
        place=args.type_args,
        name=args.name,
        domain_class=CLASSES[args.domain_class],
        version=OLDEST if args.version is None else args.version,
        block_size=args.block_size or None,
        max_hosts=args.max_hosts,
    )
    await creating.create(node.storage, new)


@verb("StorageDomain.format")
async def format_domain(node: Node, args: StorageDomainFormatArgs) -> None:
    await creating.format_domain(node.storage, arguments.domain(args.storagedomain_id), detach=args.auto_detach)


@verb("StorageDomain.attach")
async def attach(node: Node, args: StorageDomainAttachArgs) -> None:
    pool = node.storage.pools.find(arguments.pool(args.storagepool_id))
    await membership.attach(node.storage, pool, arguments.domain(args.storagedomain_id))


@verb("StorageDomain.detach")
async def detach(node: Node, args: StorageDomainDetachArgs) -> None:
    pool_id, domain_id = arguments.pool(args.storagepool_id), arguments.domain(args.storagedomain_id)
    if args.force:
        await membership.forced_detach(node.storage, pool_id, domain_id)
        return
    pool = node.storage.pools.find(pool_id)
    await membership.detach(
        node.storage,
        pool,
        domain_id,
        new_master=arguments.domain_or_none(args.master_sd_uuid),
        master_version=args.master_version,
    )


@verb("StorageDomain.activate")
async def activate(node: Node, args: StorageDomainActivateArgs) -> None:
    pool = node.storage.pools.find(arguments.pool(args.storagepool_id))
    await membership.activate(node.storage, pool, arguments.domain(args.storagedomain_id))


@verb("StorageDomain.deactivate")
async def deactivate(node: Node, args: StorageDomainDeactivateArgs) -> None:
    pool = node.storage.pools.find(arguments.pool(args.storagepool_id))
    await membership.deactivate(
        node.storage,
        pool,
        arguments.domain(args.storagedomain_id),
        new_master=arguments.domain_or_none(args.master_sd_uuid),
        master_version=args.master_version,
    )


@verb("StorageDomain.validate")
async def validate(node: Node, args: StorageDomainValidateArgs) -> None:
    domain = await node.storage.domain(arguments.domain(args.storagedomain_id))
    await domain.read_record()


@verb("StorageDomain.getInfo")
async def get_info(node: Node, args: StorageDomainGetInfoArgs) -> types.StorageDomainInfo:
    return await telling.info(node.storage, await node.storage.domain(arguments.domain(args.storagedomain_id)))


@verb("StorageDomain.getStats")
async def get_stats(node: Node, args: StorageDomainGetStatsArgs) -> types.StorageDomainStats:
    domain = await node.storage.domain(arguments.domain(args.storagedomain_id))
    return telling.stats(await domain.space())


@verb("StorageDomain.getImages")
async def get_images(node: Node, args: StorageDomainGetImagesArgs) -> list[str]:
    return [*await telling.images(await node.storage.domain(arguments.domain(args.storagedomain_id)))]


@verb("StorageDomain.getVolumes")
async def get_volumes(node: Node, args: StorageDomainGetVolumesArgs) -> list[str]:
    domain = await node.storage.domain(arguments.domain(args.storagedomain_id))
    return [*await telling.volumes(domain, arguments.image_or_none(args.image_id))]


@verb("StorageDomain.getFileStats")
async def get_file_stats(node: Node, args: StorageDomainGetFileStatsArgs) -> dict[str, types.StorageDomainFileStats]:
    domain = await node.storage.domain(arguments.domain(args.storagedomain_id))
    return await telling.files(domain, args.pattern, case_sensitive=args.case_sensitive)


@verb("StorageDomain.dump")
async def dump(node: Node, args: StorageDomainDumpArgs) -> types.StorageDomainDump:
    domain = await node.storage.domain(arguments.domain(args.sd_id))
    return await telling.dump(node.storage, domain, full=args.full)


@verb("StorageDomain.setDescription")
async def change_description(node: Node, args: StorageDomainSetDescriptionArgs) -> None:
    await set_description(node.storage, arguments.domain(args.storagedomain_id), args.description)


@verb("StorageDomain.extend")
async def extend(node: Node, args: StorageDomainExtendArgs) -> None:
    from ovis.node.storage.domains import block_devices

    pool = node.storage.pools.find(arguments.pool(args.storagepool_id))
    domain_id = arguments.domain(args.storagedomain_id)
    async with node.storage.claims.hold([claims.domain(domain_id)], by=f"extend domain {domain_id}"):
        domain = await active_block_domain(node.storage, pool, domain_id)
        devices = await node.storage.parts.devices.paths(args.devlist)
        await block_devices.extend(domain, devices, force=args.force)


@verb("StorageDomain.resizePV")
async def resize_pv(node: Node, args: StorageDomainResizePVArgs) -> int:
    from ovis.node.storage.domains import block_devices

    pool = node.storage.pools.find(arguments.pool(args.storagepool_id))
    domain_id = arguments.domain(args.storagedomain_id)
    async with node.storage.claims.hold([claims.domain(domain_id)], by=f"resize a disk of domain {domain_id}"):
        domain = await active_block_domain(node.storage, pool, domain_id)
        [device] = await node.storage.parts.devices.paths([args.guid])
        return await block_devices.resize(domain, device)


@verb("Host.getStorageDomains")
async def get_storage_domains(node: Node, args: HostGetStorageDomainsArgs) -> list[DomainId]:
    pool_id = arguments.pool_or_none(args.storagepool_id)
    wanted = finding.Wanted(
        pool=None if pool_id is None else node.storage.pools.find(pool_id),
        domain_class=None if args.domain_class is None else args.domain_class.value,
        type=args.storage_type,
        remote_path=args.remote_path,
    )
    return await finding.domains(node.storage, wanted)
