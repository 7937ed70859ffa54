"""The verbs about pools. They translate and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ovis.client import types
from ovis.client.verbs import (
    StoragePoolConnectArgs,
    StoragePoolCreateArgs,
    StoragePoolDestroyArgs,
    StoragePoolDisconnectArgs,
    StoragePoolGetBackedUpVmsInfoArgs,
    StoragePoolGetBackedUpVmsListArgs,
    StoragePoolGetDomainsContainingImageArgs,
    StoragePoolGetInfoArgs,
    StoragePoolGetSpmStatusArgs,
    StoragePoolReconstructMasterArgs,
    StoragePoolRefreshArgs,
    StoragePoolRemoveVMArgs,
    StoragePoolSetDescriptionArgs,
    StoragePoolSpmStartArgs,
    StoragePoolSpmStopArgs,
    StoragePoolSwitchMasterArgs,
    StoragePoolUpdateVMsArgs,
    StoragePoolUpgradeArgs,
)
from ovis.node.registry import verb
from ovis.node.storage import arguments
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.pool import asking, creating, telling, vms
from ovis.node.storage.pool.creating import NewPool
from ovis.node.storage.pool.pool import Pool

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("StoragePool.create")
async def create(node: Node, args: StoragePoolCreateArgs) -> None:
    new = NewPool(
        arguments.pool(args.storagepool_id), args.name, arguments.domain(args.master_sd_uuid), args.master_version
    )
    await creating.create(node.storage, new, [arguments.domain(domain) for domain in args.domain_list])


@verb("StoragePool.destroy")
async def destroy(node: Node, args: StoragePoolDestroyArgs) -> None:
    pool = _pool(node, args.storagepool_id)
    pool.check_host_id(args.host_id)
    await creating.destroy(node.storage, pool)


@verb("StoragePool.connect")
async def connect(node: Node, args: StoragePoolConnectArgs) -> None:
    await node.storage.pools.connect(
        arguments.pool(args.storagepool_id),
        host_id=args.host_id,
        master=arguments.domain(args.master_sd_uuid),
        master_version=args.master_version,
        domains=None if args.domain_dict is None else _statuses(args.domain_dict),
    )


@verb("StoragePool.disconnect")
async def disconnect(node: Node, args: StoragePoolDisconnectArgs) -> None:
    await node.storage.pools.disconnect(arguments.pool(args.storagepool_id), host_id=args.host_id)


@verb("StoragePool.refresh")
async def refresh(node: Node, args: StoragePoolRefreshArgs) -> None:
    pool = _pool(node, args.storagepool_id)
    await node.storage.pools.connect(
        pool.id,
        host_id=pool.host_id,
        master=arguments.domain(args.master_sd_uuid),
        master_version=args.master_version,
        domains=None,
    )


@verb("StoragePool.reconstructMaster")
async def reconstruct_master(node: Node, args: StoragePoolReconstructMasterArgs) -> None:
    new = NewPool(
        arguments.pool(args.storagepool_id), args.name, arguments.domain(args.master_sd_uuid), args.master_version
    )
    await creating.reconstruct(node.storage, new, _statuses(args.domain_dict), host_id=args.host_id)


@verb("StoragePool.switchMaster")
async def switch_master(node: Node, args: StoragePoolSwitchMasterArgs) -> str:
    return await asking.switch_master(
        node.storage,
        _pool(node, args.storagepool_id),
        old=arguments.domain(args.old_master_uuid),
        new=arguments.domain(args.new_master_uuid),
        version=args.master_version,
    )


@verb("StoragePool.spmStart")
async def spm_start(node: Node, args: StoragePoolSpmStartArgs) -> str:
    pool = _pool(node, args.storagepool_id)
    return await asking.start_spm(
        node.storage, pool, previous_id=args.prev_id, previous_version=args.prev_lver, domain_version=args.dom_version
    )


@verb("StoragePool.spmStop")
async def spm_stop(node: Node, args: StoragePoolSpmStopArgs) -> None:
    await asking.stop_spm(node.storage, _pool(node, args.storagepool_id))


@verb("StoragePool.getSpmStatus")
async def get_spm_status(node: Node, args: StoragePoolGetSpmStatusArgs) -> types.SpmStatus:
    return await _pool(node, args.storagepool_id).spm.status()


@verb("StoragePool.upgrade")
async def upgrade(node: Node, args: StoragePoolUpgradeArgs) -> types.StoragePoolUpgradeStatus:
    await asking.upgrade(node.storage, _pool(node, args.storagepool_id), args.target_dom_version)
    return types.StoragePoolUpgradeStatus.STARTED


@verb("StoragePool.getInfo")
async def get_info(node: Node, args: StoragePoolGetInfoArgs) -> types.StoragePoolFullInfo:
    return await telling.info(node.storage, _pool(node, args.storagepool_id))


@verb("StoragePool.setDescription")
async def set_description(node: Node, args: StoragePoolSetDescriptionArgs) -> None:
    await asking.rename(node.storage, _pool(node, args.storagepool_id), args.description)


@verb("StoragePool.getDomainsContainingImage")
async def get_domains_containing_image(node: Node, args: StoragePoolGetDomainsContainingImageArgs) -> list[DomainId]:
    pool = _pool(node, args.storagepool_id)
    return await telling.domains_with(node.storage, pool, arguments.image(args.image_id))


@verb("StoragePool.updateVMs")
async def update_vms(node: Node, args: StoragePoolUpdateVMsArgs) -> None:
    descriptions = {vm.vm.lower(): vm.ovf for vm in args.vm_list}
    pool = _pool(node, args.storagepool_id)
    await vms.store(node.storage, pool, descriptions, arguments.domain_or_none(args.storagedomain_id))


@verb("StoragePool.removeVM")
async def remove_vm(node: Node, args: StoragePoolRemoveVMArgs) -> None:
    pool = _pool(node, args.storagepool_id)
    await vms.remove(node.storage, pool, args.vm_uuid.lower(), arguments.domain_or_none(args.storagedomain_id))


@verb("StoragePool.getBackedUpVmsList")
async def get_backed_up_vms_list(node: Node, args: StoragePoolGetBackedUpVmsListArgs) -> list[str]:
    pool = _pool(node, args.storagepool_id)
    return await vms.listed(node.storage, pool, arguments.domain_or_none(args.storagedomain_id))


@verb("StoragePool.getBackedUpVmsInfo")
async def get_backed_up_vms_info(node: Node, args: StoragePoolGetBackedUpVmsInfoArgs) -> dict[str, str]:
    wanted = {vm.lower() for vm in args.vm_list}
    pool = _pool(node, args.storagepool_id)
    return await vms.read(node.storage, pool, wanted, arguments.domain_or_none(args.storagedomain_id))


def _pool(node: Node, text: str) -> Pool:
    return node.storage.pools.find(arguments.pool(text))


def _statuses(given: Mapping[str, types.StorageDomainStatus]) -> dict[DomainId, DomainStatus]:
    return {arguments.domain(domain): DomainStatus(status.value.capitalize()) for domain, status in given.items()}
