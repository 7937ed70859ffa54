"""Finding the VMs again: when the agent starts, and when libvirt was away or events were lost.

What the record says, and whether libvirt has the domain:

| record     | domain | then                                                                        |
|------------|--------|-----------------------------------------------------------------------------|
| creating   | yes    | it runs: the agent ended before it could note that                          |
| creating   | no     | Down, libvirt start failed                                                  |
| running    | yes    | it runs                                                                     |
| running    | no     | Down, libvirt domain missing (or as was asked through the API); where its   |
|            |        | QEMU is there all the same it runs, and does not respond                    |
| destroying | yes    | the power is cut now; where that fails it runs on and is known              |
| destroying | no     | forgotten                                                                   |
| down       | yes    | it runs: a start that had been given up came through                        |
| down       | no     | Down, as recorded                                                           |
| none       | yes    | adopted when its metadata says that it is of an engine or ours, else foreign |

A VM that was leaving or arriving is handed to `migration.recovery`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ovis.client.types import VmStatus
from ovis.node.guest import freezing, notices
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.hypervisor.interface import DomainInfo, DomainState
from ovis.node.vm import definition, external_data, hibernation, metadata, safe_xml, unfinished_start
from ovis.node.vm.create import keep_running
from ovis.node.vm.disks import recovery as disk_recovery
from ovis.node.vm.disks.truth import work_told_by
from ovis.node.vm.errors import BadXml
from ovis.node.vm.migration import recovery as migration
from ovis.node.vm.payloads import media
from ovis.node.vm.states import Exit, ExitCode, ExitReason, after, exit_of, found
from ovis.node.vm.store import Intent, Record
from ovis.node.vm.unfinished_start import is_unfinished
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LIVE = "libvirt's domain XML"
KEPT = "the kept domain XML"
TRY_EVERY = 1.0
UNFINISHED = "The agent ended while the VM was being started; nothing of it runs"


async def recover(vms: Vms) -> None:
    """Know every VM again. Waits for libvirt as long as it is away: without it nothing can be said of any VM."""
    records = {record.id: record for record in await vms.store.run(vms.store.load)}
    infos = {info.id: info for info in await _domains(vms)}
    for record in records.values():
        await _recover_record(vms, record, infos.get(record.id))
    for info in infos.values():
        if info.id not in records:
            await _adopt(vms, info)
    await disk_recovery.resume_all(vms)
    for vm in vms:
        freezing.resume(vms, vm)
    _remove_media_of_others(vms)
    # in the background: storage may be away
    vms.own(vms.volumes.give_back_of_others(vms.is_used), "give back the volumes of VMs that have gone")
    log.info("%d VMs are known again, %d of them run", len(vms), sum(1 for vm in vms if vm.has_qemu))


def _remove_media_of_others(vms: Vms) -> None:
    try:
        media.remove_others(vms.settings, {vm.id for vm in vms})
    except OSError as error:
        log.warning("media of VMs that have gone could not be removed: %s", error)


async def resync(vms: Vms, why: str) -> None:
    """Compare what is believed with what libvirt says. If libvirt goes away meanwhile, its return leads here again."""
    believed = [vm for vm in vms if _is_settled(vm)]  # before asking: a VM that starts meanwhile is not missing
    try:
        infos = {info.id: info for info in await vms.hypervisor.domains()}
    except HypervisorError as error:
        log.warning("the states of the VMs could not be read again (%s): %s", why, error)
        return
    log.info("%s: the states of %d VMs are read again", why, len(believed))
    for vm in believed:
        if vm.is_forgotten or vm.ending is not None or migration.look_again(vm):
            continue
        info = infos.get(vm.id)
        if info is not None and is_unfinished(info):
            unfinished_start.begin(vms, vm)
        elif info is not None and info.state is not DomainState.SHUT_OFF:
            await bring_up_to_date(vms, vm, info)
        elif not vm.is_down:
            await _conclude_missing(vms, vm)
    for info in infos.values():
        if vms.get(info.id) is None:
            await _adopt(vms, info)


def _is_settled(vm: Vm) -> bool:
    """Neither Down nor in the hands of a start that will tell its own end."""
    return not vm.is_down and (vm.has_qemu or vm.launch is None or vm.launch.done())


def _exit_of_missing(vm: Vm) -> Exit:
    if not vm.has_qemu:
        return exit_of(ExitReason.LIBVIRT_START_FAILED, "libvirt went away during the start; the VM does not run")
    return exit_of(vm.asked or ExitReason.LIBVIRT_DOMAIN_MISSING)


async def _conclude_missing(vms: Vms, vm: Vm) -> None:
    """Down only when its QEMU is not there: who is told that it is may start it elsewhere, on the same disks."""
    if not (vm.has_qemu and await vms.hypervisor.still_runs(vm.id)):
        log.warning("VM %s (%s) is gone, and nothing was told of its end", vm.id, vm.name)
        vms.end(vm, _exit_of_missing(vm))
    elif not vm.is_stray:
        _stray(vm)


def _stray(vm: Vm) -> None:
    log.error(
        "libvirt has lost VM %s (%s), whose QEMU runs on and cannot be managed; shut it down from within or end it with"
        " VM.destroy before it is started anywhere",
        vm.id,
        vm.name,
    )
    vm.is_stray, vm.responding = True, False
    vm.touch()


async def look_for(vms: Vms, vm: Vm) -> None:
    """A VM of which libvirt tells nothing any more: events can be lost, and a daemon that dies tells none."""
    try:
        await vms.hypervisor.info(vm.id)
    except DomainNotFound:
        if vm.has_qemu and vm.ending is None and not migration.look_again(vm):
            await _conclude_missing(vms, vm)
    except HypervisorError as error:
        log.debug("VM %s cannot be looked for: %s", vm.id, error)


async def bring_up_to_date(vms: Vms, vm: Vm, info: DomainInfo) -> None:
    vm.paused_by_disk = vm.paused_by_disk or info.reason == "ioerror"
    booted = vm.booted or vms.elapsed(vm) >= vms.settings.boot_grace
    if vm.status is VmStatus.WAIT_FOR_LAUNCH:
        await keep_running(vms, vm)
    vms.move(vm, found(info, booted=booted))
    await vms.refresh(vm)


async def _domains(vms: Vms) -> list[DomainInfo]:
    told = False
    while True:
        try:
            return await vms.hypervisor.domains()
        except HypervisorError as error:
            if not told:
                log.warning("waiting for libvirt before the VMs can be known again: %s", error)
                told = True
            await asyncio.sleep(TRY_EVERY)


async def _recover_record(vms: Vms, record: Record, info: DomainInfo | None) -> None:
    if record.intent is Intent.DESTROYING and await _finish_destroy(vms, record.id):
        log.info("the destruction of VM %s is finished", record.id)
        if "<tpm" in record.xml or "<nvram" in record.xml:
            await external_data.forget(vms, record.id, record.xml)
        await _remove(vms, record.id)
        return
    if info is not None and is_unfinished(info) and record.intent is Intent.DOWN:
        info = None  # what was Down is not started by us: this is what is left of it
    vm = await _revive(vms, record, info)
    if vm is None:
        return
    vms.add_found(vm)
    if record.departure is not None:
        migration.resume_departure(vms, vm, record.departure)
    elif record.saving is not None:
        hibernation.resume_saving(vms, vm, record.saving)
    elif record.intent is Intent.ARRIVING:
        migration.resume_arrival(vms, vm, info)
    elif info is not None and is_unfinished(info):
        vm.exit, vm.status = None, VmStatus.WAIT_FOR_LAUNCH
        unfinished_start.begin(vms, vm)
    elif info is not None:
        _resume_watching(vms, vm, info)
        notices.tell_owed(vms, vm)
        if record.intent is not Intent.RUNNING:
            await _keep(vms, vm, Intent.RUNNING)
    elif vm.exit is None and record.intent is Intent.RUNNING and await vms.hypervisor.still_runs(vm.id):
        vm.status = VmStatus.UP
        _stray(vm)
    elif vm.exit is None:
        vm.exit = _exit_of(record)
        log.warning("VM %s (%s) is Down: %s", vm.id, vm.name, vm.exit.message)
        await _keep(vms, vm, Intent.DOWN)


async def _revive(vms: Vms, record: Record, info: DomainInfo | None) -> Vm | None:
    """From the live description where there is one, which knows ports and devices of now."""
    text = None if info is None else await _live(vms, info)
    try:
        known = definition.read(safe_xml.parse_own(text or record.xml, KEPT), KEPT)
    except BadXml as error:
        log.error("VM %s is given up, its record is damaged: %s", record.id, error)  # noqa: TRY400
        return None
    vm = Vm(
        known,
        text or record.xml,
        start_time=record.start_time,
        launch_paused=record.launch_paused,
        status=VmStatus.DOWN,
    )
    vm.disk_work = record.disk_work
    vm.freeze = record.freeze
    vm.notice = record.notice
    vm.changes = record.changes
    vm.asked = None if record.asked is None else ExitReason(record.asked)
    if record.time_offset is not None:
        vm.time_offset = record.time_offset
    if record.exit is not None:
        vm.exit = Exit(ExitCode(record.exit.code), ExitReason(record.exit.reason), record.exit.message)
    return vm


def _exit_of(record: Record) -> Exit:
    if record.intent is Intent.CREATING:
        return exit_of(ExitReason.LIBVIRT_START_FAILED, UNFINISHED)
    return exit_of(ExitReason.LIBVIRT_DOMAIN_MISSING if record.asked is None else ExitReason(record.asked))


def _resume_watching(vms: Vms, vm: Vm, info: DomainInfo) -> None:
    vm.exit = None
    vm.booted = vms.elapsed(vm) >= vms.settings.boot_grace
    vm.boot_began = vms.monotonic() - vms.elapsed(vm)
    vm.paused_by_disk = info.reason == "ioerror"
    vm.status = after(VmStatus.WAIT_FOR_LAUNCH, found(info, booted=vm.booted))
    vms.watch_guest(vm)


async def _finish_destroy(vms: Vms, vm_id: str) -> bool:
    try:
        try:
            await vms.hypervisor.destroy(vm_id)
        except DomainNotFound:
            if await vms.hypervisor.still_runs(vm_id):
                await vms.hypervisor.kill_process(vm_id)
    except HypervisorError as error:
        log.warning("the destruction of VM %s was begun and cannot be finished: %s", vm_id, error)
        return False
    return True


async def _adopt(vms: Vms, info: DomainInfo) -> None:
    """A domain without a record: ours when an engine or this agent has left its metadata in it.

    One whose start is not finished is somebody else's, or what libvirt has kept of one: ours have a record by then.
    """
    if is_unfinished(info):
        log.info("domain %s (%s) is being started, not by us", info.id, info.name)
        return
    try:
        text = await vms.hypervisor.xml(info.id)
        root = safe_xml.parse_own(text, LIVE)
        if metadata.element(root) is None:
            log.info("domain %s (%s) is foreign and left alone", info.id, info.name)
            return
        known = definition.read(root, LIVE)
    except (HypervisorError, BadXml) as error:
        log.warning("domain %s (%s) cannot be read and is left alone: %s", info.id, info.name, error)
        return
    start = known.metadata.get("startTime")
    vm = Vm(known, text, start_time=float(start) if isinstance(start, (int, float)) else vms.clock())
    vm.disk_work = work_told_by(known.metadata)
    _resume_watching(vms, vm, info)
    if vm.is_down:
        return
    vms.add_found(vm)
    await _keep(vms, vm, Intent.RUNNING)
    log.info("VM %s (%s) is adopted: %s", vm.id, vm.name, vm.status.value)


async def _live(vms: Vms, info: DomainInfo) -> str | None:
    try:
        return await vms.hypervisor.xml(info.id)
    except HypervisorError as error:
        log.warning("the live description of VM %s could not be read: %s", info.id, error)
        return None


async def _keep(vms: Vms, vm: Vm, intent: Intent) -> None:
    try:
        await vms.save(vm, intent)
    except (OSError, HypervisorError) as error:
        log.warning("the record of VM %s could not be written: %s", vm.id, error)


async def _remove(vms: Vms, vm_id: str) -> None:
    try:
        await vms.store.run(lambda: vms.store.remove(vm_id))
    except (OSError, HypervisorError) as error:
        log.warning("the record of VM %s could not be removed: %s", vm_id, error)
