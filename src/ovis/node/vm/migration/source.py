"""A VM leaves this host.

`begin` accepts a migration: the record says so before anybody else hears of it. The task behind it waits for a slot,
asks the destination, lets libvirt carry the VM over, watches, and then settles (`settling`), whatever happened. When
the agent ends meanwhile libvirt goes on; the next life of the agent settles what it finds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ovis.client.types import MigrateParams, VmDefinition, VmStatus
from ovis.node.errors import BadParameter, MissingParameter
from ovis.node.guest import notices
from ovis.node.hooks.errors import HookFailed
from ovis.node.hypervisor.errors import HypervisorError, OperationRefused
from ovis.node.hypervisor.migration import Method, Route
from ovis.node.vm import hook_points, statistics
from ovis.node.vm.migration import convergence, description, monitor, peer, settling
from ovis.node.vm.migration.errors import (
    CancelFailed,
    ChangeFailed,
    MigrationNotInProgress,
)
from ovis.node.vm.migration.peer import Peer, PeerError, PeerFull, PeerRefused
from ovis.node.vm.migration.readiness import require_free
from ovis.node.vm.migration.status import Departure, Phase
from ovis.node.vm.states import Cause
from ovis.node.vm.store import Intent
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)
T = TypeVar("T")

MIB = 1 << 20
CANCEL_ENDS = 25.0  # shorter than the verb's own deadline
RETRY_CANCEL = 0.1
STOPPED_COMES = 5.0


class NotMoved(Exception):
    """The migration ended before libvirt began it; the VM has not been touched."""


async def begin(vms: Vms, vm: Vm, wish: MigrateParams) -> None:
    """Returns when the migration is on its way and the record says so.

    Raises MigrationInProgress, MigrationRefused, VmBusy, VmNotRunning, MissingParameter, BadParameter, and OSError or
    HypervisorError when the record cannot be written: nothing has begun then.
    """
    departure = _departure(vms, wish)
    require_free(vm)
    departure.tells_guest = wish.enable_guest_events and vm.status is not VmStatus.PAUSED
    held = AsyncExitStack()
    await held.enter_async_context(vm.claim("migration"))
    before = vm.status
    await _stop_tidying(vm)
    vm.departure = departure
    vms.move(vm, Cause.MIGRATION_STARTED)
    try:
        await vms.save(vm, Intent.RUNNING)
    except BaseException:
        departure.finish(Phase.FAILED)
        vms.move(vm, settling.BACK[before])
        await held.aclose()
        raise
    log.info("VM %s (%s) leaves for %s", vm.id, vm.name, departure.destination)
    departure.task = vms.own(_leave(vms, vm, departure, wish, held), f"migrate VM {vm.id}")


async def _stop_tidying(vm: Vm) -> None:
    """Or what is left to do after an earlier migration would take back what this one announces."""
    if vm.departure is not None and vm.departure.tidying is not None:
        vm.departure.tidying.cancel()
        await asyncio.gather(vm.departure.tidying, return_exceptions=True)


def _departure(vms: Vms, wish: MigrateParams) -> Departure:
    if not wish.dst:
        raise MissingParameter("params.dst", "the address of the destination's agent")
    peer.split(wish.dst)
    if wish.dstqemu:
        peer.split(wish.dstqemu, "params.dstqemu")
    if wish.max_bandwidth_mib_per_second is not None and wish.max_bandwidth_mib_per_second < 0:
        raise BadParameter("params.maxBandwidth", "is below 0")
    if wish.zerocopy and (wish.encrypted or not wish.parallel):
        raise BadParameter("params.zerocopy", "needs parallel connections and no encryption")
    if wish.tunneled and (wish.encrypted or wish.parallel):
        raise BadParameter("params.tunneled", "goes neither with encrypted nor with parallel")
    schedule = convergence.read(wish.convergence_schedule)
    if wish.outgoing_limit:
        vms.migrations.outgoing.limit = wish.outgoing_limit
    return Departure(wish.dst.strip(), schedule, given_schedule=wish.convergence_schedule)


async def _leave(vms: Vms, vm: Vm, departure: Departure, wish: MigrateParams, held: AsyncExitStack) -> None:
    async with held:
        try:
            async with asyncio.timeout(vms.migrations.settings.longest):
                await _or_cancelled(departure, _until_transfer(vms, vm, departure, wish))
        except TimeoutError:
            departure.failure = "its turn did not come in time"
        except (NotMoved, PeerError, BadParameter, HookFailed, HypervisorError) as error:
            departure.failure = str(error)
        except Exception:  # or the VM would be on its way for ever
            log.exception("the migration of VM %s failed in an unforeseen way", vm.id)
            departure.failure = "the agent made a mistake, see its log"
        else:
            await _transfer(vms, vm, departure, wish)
        await settling.settle(vms, vm, departure)


async def _or_cancelled(departure: Departure, work: Coroutine[Any, Any, T]) -> T:
    """What comes before the transfer can be left at any moment: the other side is told to forget it afterwards."""
    working = asyncio.ensure_future(work)
    cancelled = asyncio.ensure_future(departure.cancelled.wait())
    try:
        await asyncio.wait({working, cancelled}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise NotMoved("it was cancelled")
    finally:
        for task in (working, cancelled):
            task.cancel()
        await asyncio.gather(working, cancelled, return_exceptions=True)


async def _until_transfer(vms: Vms, vm: Vm, departure: Departure, wish: MigrateParams) -> None:
    """Takes a slot that is given back when the migration has ended."""
    slot = vms.migrations.outgoing.slot()
    await slot.__aenter__()
    departure.releases.push_async_exit(slot)
    await hook_points.devices(vms, vm, "before_device_migrate_source")
    await hook_points.domain(vms, vm, "before_vm_migrate_source")
    async with vms.migrations.connect(departure.destination) as other:
        departure.entered = await _announce(vms, vm, departure, wish, other)
    if departure.tells_guest:
        await notices.before_migration(vms, vm)


async def _announce(vms: Vms, vm: Vm, departure: Departure, wish: MigrateParams, other: Peer) -> VmDefinition:
    text = await vms.hypervisor.migration.migratable_xml(vm.id, secure=False)
    told = msgspec.structs.replace(
        statistics.definition(vm), xml=text, elapsed_time_offset=float(vms.elapsed(vm)), migration_dest="libvirt",
        enable_guest_events=departure.tells_guest or None,
    )  # fmt: skip
    while True:
        departure.was_announced = True
        try:
            return await other.prepare(vm.id, told, incoming_limit=wish.incoming_limit)
        except PeerFull as error:
            log.info("VM %s waits: %s", vm.id, error)
            departure.was_announced = False
        except PeerRefused:
            departure.was_announced = False
            raise
        await asyncio.sleep(vms.migrations.settings.retry_period)


async def _transfer(vms: Vms, vm: Vm, departure: Departure, wish: MigrateParams) -> None:
    """Until libvirt's call has ended; what that means is found out by `settling`."""
    departure.phase = Phase.TRANSFERRING
    route, method = route_of(vms, departure, wish), method_of(vms, departure, wish)
    watching = asyncio.ensure_future(monitor.watch(vms, vm, departure))
    try:
        secret = await vms.hypervisor.migration.migratable_xml(vm.id, secure=True)
        entered = departure.entered
        xml = description.for_destination(secret, wish, display_address=entered.display_ip if entered else None)
        departure.was_sent = True
        await vms.save(vm, Intent.RUNNING)  # first: from now on a copy may run there
        await vms.hypervisor.migration.migrate(vm.id, route, method, xml=xml)
        departure.is_proven = True
        await vm.until(lambda: departure.has_stopped or vm.is_down, seconds=STOPPED_COMES)
    except (HypervisorError, BadParameter, OSError) as error:
        departure.failure = departure.failure or str(error)
    except Exception:  # as above
        log.exception("the transfer of VM %s failed in an unforeseen way", vm.id)
        departure.failure = "the agent made a mistake, see its log"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def route_of(vms: Vms, departure: Departure, wish: MigrateParams) -> Route:
    settings = vms.migrations.settings
    host = peer.split(departure.destination)[0]
    memory = peer.split(wish.dstqemu)[0] if wish.dstqemu else host
    return Route(
        daemon=settings.daemon_uri.format(host=peer.in_uri(host)),
        memory=settings.memory_uri.format(host=peer.in_uri(memory)) if settings.memory_uri else None,
        certificate_name=host if wish.encrypted else None,
        consoles=f"vnc://{peer.in_uri(wish.console_address)}" if wish.console_address else None,
    )


def method_of(vms: Vms, departure: Departure, wish: MigrateParams) -> Method:
    settings = vms.migrations.settings
    wanted = (wish.max_bandwidth_mib_per_second or 0) * MIB
    return Method(
        bandwidth=(wanted if departure.bandwidth is None else departure.bandwidth) or settings.bandwidth,
        connections=wish.parallel or 0,
        encrypted=wish.encrypted,
        tunnelled=wish.tunneled,
        compressed=bool(wish.compressed),
        auto_converge=bool(wish.auto_converge),
        zero_copy=wish.zerocopy,
        post_copy=departure.schedule.uses_post_copy,
        abort_on_error=wish.abort_on_error,
        unsafe=settings.unsafe,
    )


async def cancel(vms: Vms, vm: Vm) -> None:
    """Returns when the VM is back. Raises MigrationNotInProgress, CancelFailed."""
    departure = vm.departure
    if departure is None or not departure.is_active:
        raise MigrationNotInProgress(vm.id)
    if departure.post_copy:
        raise CancelFailed(vm.id, "it already runs at its destination")
    departure.failure = departure.failure or "it was cancelled"
    departure.cancelled.set()
    until = asyncio.get_running_loop().time() + CANCEL_ENDS
    while departure.is_active and asyncio.get_running_loop().time() < until:
        if departure.phase is Phase.TRANSFERRING:
            await _abort_job(vms, vm)
        try:
            async with asyncio.timeout(RETRY_CANCEL):
                await departure.ended.wait()
        except TimeoutError:
            continue
    if departure.is_active:
        raise CancelFailed(vm.id, "it has not ended yet")
    if departure.phase is Phase.DONE:
        raise CancelFailed(vm.id, "it had come to its end")


async def _abort_job(vms: Vms, vm: Vm) -> None:
    try:
        await vms.hypervisor.migration.cancel(vm.id)
    except OperationRefused:
        pass  # libvirt has not begun yet, or is through: the next look tells
    except HypervisorError as error:
        log.warning("the migration of VM %s does not stop: %s", vm.id, error)


async def change(vms: Vms, vm: Vm, *, bandwidth: int | None) -> None:
    """`bandwidth` in bytes per second, 0: no limit. Raises MigrationNotInProgress, ChangeFailed."""
    departure = vm.departure
    if departure is None or not departure.is_active:
        raise MigrationNotInProgress(vm.id)
    if bandwidth is None:
        return
    if bandwidth < 0:
        raise BadParameter("params.maxBandwidth", "is below 0")
    before, departure.bandwidth = departure.bandwidth, bandwidth
    if departure.phase is Phase.WAITING:
        return  # it begins with the new limit
    try:
        await vms.hypervisor.migration.set_bandwidth(vm.id, bandwidth or vms.migrations.settings.bandwidth)
    except HypervisorError as error:
        departure.bandwidth = before
        raise ChangeFailed(vm.id, str(error)) from error
