"""The verbs of migration. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import (
    MigratedStats,
    MigrateMode,
    MigratingStats,
    MigrationCreateState,
    MigrationStats,
    MigrationStatus,
    VmStatus,
)
from ovis.client.verbs import (
    VMDestroyArgs,
    VMGetMigrationStatusArgs,
    VMHibernateArgs,
    VMMigrateArgs,
    VMMigrateCancelArgs,
    VMMigrateChangeParamsArgs,
    VMMigrationCreateArgs,
)
from ovis.node.registry import also_for_peers, verb
from ovis.node.vm import hibernation, saved_memory
from ovis.node.vm.migration import destination, source
from ovis.node.vm.migration.errors import MigrationNotInProgress
from ovis.node.vm.migration.peer import NEVER_RAN
from ovis.node.vm.migration.status import Phase

if TYPE_CHECKING:
    from ovis.node.node import Node

MIB = 1 << 20


@verb("VM.migrate")
async def vm_migrate(node: Node, args: VMMigrateArgs) -> None:
    vm, wish = node.vms.find(args.vm_id), args.params
    if wish.mode is MigrateMode.FILE:
        await hibernation.begin(node.vms, vm, saved_memory.handle_of_wish(wish), "params.dst")
    else:
        await source.begin(node.vms, vm, wish)


@verb("VM.hibernate")
async def vm_hibernate(node: Node, args: VMHibernateArgs) -> None:
    vm = node.vms.find(args.vm_id)
    await hibernation.begin(node.vms, vm, args.hibernation_vol_handle, "hibernationVolHandle")


@verb("VM.migrateCancel")
async def vm_migrate_cancel(node: Node, args: VMMigrateCancelArgs) -> None:
    vm = node.vms.find(args.vm_id)
    if vm.saving is not None:
        await hibernation.cancel(node.vms, vm)
    else:
        await source.cancel(node.vms, vm)


@verb("VM.migrateChangeParams")
async def vm_migrate_change_params(node: Node, args: VMMigrateChangeParamsArgs) -> None:
    wanted = args.params.max_bandwidth_mib_per_second
    bandwidth = None if wanted is None else wanted * MIB
    await source.change(node.vms, node.vms.find(args.vm_id), bandwidth=bandwidth)


@verb("VM.getMigrationStatus")
def vm_get_migration_status(node: Node, args: VMGetMigrationStatusArgs) -> MigrationStats:
    vm = node.vms.find(args.vm_id)
    departure = vm.departure
    if vm.saving is not None:
        return MigratingStats(progress_percent=vm.saving.progress, status=MigrationStatus.IN_PROGRESS, vm_id=vm.id)
    if departure is None or departure.phase is Phase.FAILED:
        raise MigrationNotInProgress(vm.id)
    if departure.phase is Phase.DONE:
        return MigratedStats(downtime_ms=departure.downtime, status=MigrationStatus.DONE, vm_id=vm.id)
    return MigratingStats(progress_percent=departure.progress, status=MigrationStatus.IN_PROGRESS, vm_id=vm.id)


@verb("VM.migrationCreate")
async def vm_migration_create(node: Node, args: VMMigrationCreateArgs) -> MigrationCreateState:
    entered = await destination.accept(node.vms, args.vm_id, args.params, incoming_limit=args.incoming_limit)
    return MigrationCreateState(migration_port=0, params=entered)


@also_for_peers("VM.destroy")
def may_be_forgotten(node: Node, args: VMDestroyArgs) -> bool:
    """The source takes back a VM that it announced and that has not run here."""
    vm = node.vms.get(args.vm_id.lower())
    if vm is None:
        return True  # and is told so
    if vm.status is VmStatus.MIGRATION_DESTINATION:
        return True
    return vm.exit is not None and vm.is_down and vm.exit.reason in NEVER_RAN
