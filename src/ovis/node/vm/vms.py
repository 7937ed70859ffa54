"""All VMs of the host: who they are, how their status changes, who is told, what is kept.

Operations stand in their own files (create, ending, recovery …) and act through this class; what they start here ends
here. Order of what happens to a VM: its record is written, libvirt is asked, its status moves, an event is published.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from ovis.client import codec
from ovis.client.types import VmDefinition, VmParameters, VmStatus, VmStatusChange
from ovis.node.console.sessions import ConsoleSessions
from ovis.node.errors import VmExists, VmNotFound
from ovis.node.guest import notices
from ovis.node.guest.facts import GuestFacts
from ovis.node.guest.freezing import is_frozen
from ovis.node.guest.merging import merged
from ovis.node.guest.ovirt_agent.agents import OvirtAgents
from ovis.node.guest.polling import GuestPolling
from ovis.node.hooks.hooks import Hooks
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import DomainSample, Hypervisor, Sample
from ovis.node.hypervisor.pools import Pool
from ovis.node.vm import (
    create,
    definition,
    external_watch,
    libvirt_events,
    network_filters,
    recovery,
    safe_xml,
    sampling,
    statistics,
)
from ovis.node.vm.disks import recovery as disk_recovery
from ovis.node.vm.disks.keeping import NoVolumes, VolumeKeeper
from ovis.node.vm.disks.volumes import DriveResolver, PathDrives
from ovis.node.vm.external_access import OwnFiles, StateFiles
from ovis.node.vm.host_limits import HostLimitsReader
from ovis.node.vm.lease_places import Leases
from ovis.node.vm.long_pauses import LongPauses
from ovis.node.vm.migration.migrations import Migrations
from ovis.node.vm.mirroring import Mirroring
from ovis.node.vm.payloads import media
from ovis.node.vm.prepare import Preparer
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.states import Cause, Exit, after
from ovis.node.vm.store import Intent, Record, Store, StoredExit
from ovis.node.vm.thin_disks import ThinDisks
from ovis.node.vm.vm import Vm
from ovis.wire.events import Bus

log = logging.getLogger(__name__)

MISSED_SAMPLES = 2
ENCODED_AT_ONCE = 25  # a millisecond


class Vms:
    """`clock` gives Unix time, `monotonic` what rates and waiting use; both in seconds."""

    def __init__(
        self,
        hypervisor: Hypervisor,
        events: Bus,
        state_folder: Path,
        settings: VmSettings,
        *,
        store: Store | None = None,
        volumes: VolumeKeeper | None = None,
        hooks: Hooks | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hypervisor = hypervisor
        self.settings = settings
        self.store = store or Store(state_folder)
        self.clock = clock
        self.monotonic = monotonic
        self.limits = HostLimitsReader(hypervisor)
        self.volumes: VolumeKeeper = volumes or NoVolumes()
        self.hooks = hooks or Hooks()
        self.preparer = Preparer(settings, self.volumes, self.hooks)
        self.long_pauses = LongPauses(self)
        self.thin_disks = ThinDisks(self)
        self.mirroring = Mirroring(self)
        self.migrations = Migrations(settings.migration)
        self.drives: DriveResolver = PathDrives(hypervisor, settings, self.volumes)
        self.polling = GuestPolling(
            hypervisor,
            period=settings.guest_period,
            clock=monotonic,
            on_facts=self._on_guest_facts,
            on_silence=self._on_guest_silence,
        )
        self.desktops = OvirtAgents(
            hypervisor, clock=monotonic, on_facts=self._on_desktop_facts, on_silence=self._on_desktop_silence
        )
        self.consoles = ConsoleSessions()
        self.external_reads = Pool("external data", threads=2)
        self.state_files: StateFiles = OwnFiles(self.external_reads)
        self.events = events
        self._vms: dict[str, Vm] = {}
        self._accepting: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscription = hypervisor.events()  # from now on nothing is missed
        self._sampling_fails = False

    @property
    def leases(self) -> Leases:
        return self.preparer.leases

    @leases.setter
    def leases(self, leases: Leases) -> None:
        self.preparer.leases = leases

    # Who is there

    def find(self, vm_id: str) -> Vm:
        """Raises VmNotFound."""
        vm = self._vms.get(vm_id) or self._vms.get(vm_id.lower())
        if vm is None:
            raise VmNotFound(vm_id)
        return vm

    def get(self, vm_id: str) -> Vm | None:
        return self._vms.get(vm_id)

    def is_used(self, vm_id: str) -> bool:
        """Whether there is, or is about to be, a VM of that id that may run."""
        vm = self._vms.get(vm_id)
        return vm_id in self._accepting or (vm is not None and not vm.is_down)

    def __iter__(self) -> Iterator[Vm]:
        return iter(self._vms.values())

    def __len__(self) -> int:
        return len(self._vms)

    def add(self, vm: Vm) -> None:
        """A new VM. Raises VmExists."""
        if vm.id in self._vms:
            raise VmExists(vm.id)
        if any(other.name == vm.name and not other.is_down for other in self):
            raise VmExists(vm.name, by="name")
        self._vms[vm.id] = vm

    def add_found(self, vm: Vm) -> None:
        """One that exists whatever we think of it: several that are Down may share a name."""
        self._vms[vm.id] = vm

    def drop(self, vm: Vm) -> None:
        """Forget the VM here and now; safe to repeat."""
        vm.is_forgotten = True
        notices.stop_telling(vm)
        self._remove_media(vm.id)
        self.polling.remove(vm.id)
        self.desktops.remove(vm.id)
        if self._vms.get(vm.id) is vm:
            del self._vms[vm.id]
        vm.touch()

    @asynccontextmanager
    async def accepting(self, vm_id: str) -> AsyncIterator[None]:
        """What was made and taken for a VM that is refused after all goes again. Raises VmExists while another call
        is about to bring the same one, whose things these would be."""
        if vm_id in self._vms or vm_id in self._accepting:
            raise VmExists(vm_id)
        self._accepting.add(vm_id)
        try:
            yield
        except BaseException:
            self._remove_media(vm_id)
            await asyncio.shield(self.own(self.volumes.give_back(vm_id), f"give back the volumes of VM {vm_id}"))
            raise
        finally:
            self._accepting.discard(vm_id)

    def _remove_media(self, vm_id: str) -> None:
        """A few small files of a file system in memory: no thread is worth it."""
        try:
            media.remove(self.settings, vm_id)
        except OSError as error:
            log.warning("the media made for VM %s could not be removed: %s", vm_id, error)

    # What runs

    async def create(self, vm_id: str, given: VmParameters) -> VmDefinition:
        """See `create.create`."""
        return await create.create(self, vm_id, given)

    async def recover(self) -> None:
        """See `recovery.recover`."""
        await recovery.recover(self)

    async def run(self) -> None:
        """Follow libvirt, sample, ask the guests; after `recover`, until cancelled."""
        self.learn_limits()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.follow_events(), name="libvirt events")
            tasks.create_task(self._sample_for_ever(), name="VM sampling")
            tasks.create_task(self.polling.run(), name="guest agents")
            tasks.create_task(external_watch.watch(self), name="external data")

    def learn_limits(self) -> None:
        """Ask libvirt what the host can run before the first creation waits for it: QEMU is probed for seconds."""

        async def learn() -> None:
            self.limits.forget()
            await self.limits.get()

        self.own(learn(), "learn what the host can run")
        self.own(network_filters.define(self.hypervisor), "define network filters")

    async def follow_events(self) -> None:
        """Until cancelled or the hypervisor is closed. One event that goes wrong does not end it."""
        async for event in self._subscription:
            try:
                await libvirt_events.handle(self, event)
            except Exception:
                log.exception("an event of libvirt was not handled: %s", event)

    async def close(self) -> None:
        """Stop everything started here. The VMs run on; what was begun is found again at the next start."""
        self._subscription.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.polling.close()
        await self.desktops.close()
        self.preparer.close()
        self.external_reads.close()
        self.drives.close()
        await self.store.close()

    def own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a piece of work that outlives the call that began it, and ends with this object at the latest."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("%s: %s", task.get_name(), error)

    # How a status changes

    def move(self, vm: Vm, cause: Cause) -> bool:
        """Change the status as the table says; an event is published when it did change."""
        status = after(vm.status, cause)
        if status is vm.status:
            return False
        log.info("VM %s (%s): %s -> %s: %s", vm.id, vm.name, vm.status.value, status.value, cause.value)
        vm.status = status
        if status is VmStatus.POWERING_UP:
            vm.booted = False
            vm.boot_began = self.monotonic()
        if status is VmStatus.UP:
            vm.booted = True
        self.watch_guest(vm)
        if status is not VmStatus.PAUSED:
            vm.paused_by_disk = False
            vm.disk_error = None
        self.publish(vm)
        return True

    def end(self, vm: Vm, why: Exit) -> None:
        """The VM is Down. Safe to repeat: the first reason stands. It is kept until the client destroys it."""
        if vm.is_down:
            return
        vm.exit = why
        vm.measured = None
        vm.guest = vm.told_by_qemu_agent = vm.told_by_ovirt_agent = None
        vm.freeze = None
        vm.responding = True
        disk_recovery.ended(self, vm)
        notices.stop_telling(vm)
        if vm.escalation is not None and vm.escalation is not asyncio.current_task():
            vm.escalation.cancel()
        self.move(vm, Cause.ENDED)
        if vm.ending is None:  # else what ends it does both
            self.own(self._keep_end(vm), f"keep the end of VM {vm.id}")

    async def _keep_end(self, vm: Vm) -> None:
        await self.save(vm, Intent.DOWN)
        if not vm.is_forgotten:  # another VM of this id may have come
            await self.volumes.give_back(vm.id)

    def watch_guest(self, vm: Vm) -> None:
        """Ask the guest's agents as long as they can answer. What a guest told before a pause stays."""
        can_answer = vm.has_qemu and vm.status is not VmStatus.PAUSED and not is_frozen(vm)
        if vm.definition.has_agent_channel and can_answer:
            self.polling.add(vm.id)
        else:
            self.polling.remove(vm.id)
        if vm.definition.desktop_channel is not None and vm.has_qemu:
            self.desktops.add(vm.id, vm.definition.desktop_channel)
        else:
            self.desktops.remove(vm.id)

    def publish(self, vm: Vm) -> None:
        """Tell subscribers the status and what belongs to it."""
        vm.touch()
        change = VmStatusChange(
            status=vm.status,
            elapsed_time=None if vm.is_down else self.elapsed(vm),
            client_ip=vm.client_ip or None,
            monitor_response=None if vm.is_down else (0 if vm.responding else -1),
            pause_code=vm.pause_code,
            exit_code=vm.exit.code if vm.exit else None,
            exit_reason=vm.exit.reason if vm.exit else None,
            exit_message=vm.exit.message if vm.exit else None,
            time_offset=vm.time_offset if vm.is_down else None,
            ioerror=_io_error(vm),
        )
        self.events.publish(f"|virt|VM_status|{vm.id}", {vm.id: msgspec.Raw(codec.encode_value(change))})

    def elapsed(self, vm: Vm) -> int:
        """Seconds since the VM was started; a host clock that was set back does not make it negative."""
        return max(int(self.clock() - vm.start_time), 0)

    # What is kept

    async def save(self, vm: Vm, intent: Intent) -> None:
        """Write the VM's record. Raises OSError, HypervisorError (the store hangs)."""
        record = Record(
            id=vm.id,
            name=vm.name,
            intent=intent,
            xml=vm.xml,
            start_time=vm.start_time,
            launch_paused=vm.launch_paused,
            time_offset=vm.time_offset,
            asked=vm.asked,
            exit=StoredExit(vm.exit.code, vm.exit.reason, vm.exit.message) if vm.exit else None,
            freeze=vm.freeze,
            notice=vm.notice,
            departure=vm.departure.stored() if vm.departure else None,
            saving=vm.saving.stored() if vm.saving else None,
            disk_work=vm.disk_work,
            changes=vm.changes,
        )
        await self.store.run(lambda: self.store.write(record))

    async def keep(self, vm: Vm) -> None:
        """Write the record of a VM that runs, for something that changed. Raises OSError, HypervisorError."""
        if vm.has_qemu and vm.ending is None:
            await self.save(vm, Intent.ARRIVING if vm.status is VmStatus.MIGRATION_DESTINATION else Intent.RUNNING)

    async def refresh(self, vm: Vm) -> None:
        """Read the live description: real ports, host-side names, devices that came and went."""
        try:
            await self.reread(vm)
        except HypervisorError as error:
            log.warning("the live description of VM %s could not be read: %s", vm.id, error)

    async def reread(self, vm: Vm) -> None:
        """The same for those who must know. Raises HypervisorError."""
        text = await self.hypervisor.xml(vm.id)
        vm.definition = definition.read(safe_xml.parse_own(text, recovery.LIVE), recovery.LIVE)
        vm.xml = text
        vm.touch()
        self.mirroring.look()

    # What is measured

    async def sample(self) -> None:
        """One look at all VMs."""
        try:
            taken = await self.hypervisor.sample()
        except HypervisorError as error:
            if not self._sampling_fails:
                log.warning("sampling of the VMs fails: %s", error)
            self._sampling_fails = True
            return
        if self._sampling_fails:
            log.info("sampling of the VMs works again")
        self._sampling_fails = False
        self.take(taken)
        self.long_pauses.look()
        self.thin_disks.look()
        self.mirroring.look()
        await self._encode_ahead()

    def take(self, taken: Sample) -> None:
        """Bring every VM up to date with a sample."""
        self.desktops.look()
        for vm in self:
            found = taken.domains.get(vm.id)
            self._look_for(vm, is_there=found is not None)
            if found is not None and vm.has_qemu:
                before = vm.measured
                vm.measured = sampling.following(before, taken.at, found) if before else sampling.first(taken.at, found)
                vm.stats_json = None
                self._check_response(vm, found)
            if vm.status is VmStatus.POWERING_UP and self.monotonic() - vm.boot_began >= self.settings.boot_grace:
                self.move(vm, Cause.BOOT_GRACE_OVER)

    def _look_for(self, vm: Vm, *, is_there: bool) -> None:
        """A VM that is missing in two samples is looked for; one alone may have been taken as it came."""
        vm.is_stray = vm.is_stray and not is_there
        vm.missed = 0 if is_there or not vm.has_qemu or vm.arrival is not None else vm.missed + 1
        if vm.missed >= MISSED_SAMPLES and vm.ending is None:
            vm.missed = 0
            self.own(recovery.look_for(self, vm), f"look for VM {vm.id}")

    def _check_response(self, vm: Vm, found: DomainSample) -> None:
        if vm.responding is found.responding:
            return
        vm.responding = found.responding
        log.log(
            logging.INFO if found.responding else logging.WARNING,
            "QEMU of VM %s %s", vm.id, "answers again" if found.responding else "does not answer",
        )  # fmt: skip
        self.publish(vm)

    async def _sample_for_ever(self) -> None:
        """At fixed points of time: a slow sample does not shift the next one."""
        due = self.monotonic()
        while True:
            try:
                await self.sample()
            except Exception:
                log.exception("sampling of the VMs went wrong")
            due += self.settings.sample_period
            due = max(due, self.monotonic())
            await asyncio.sleep(due - self.monotonic())

    def stats_json(self, vm: Vm) -> bytes:
        """Statistics of a VM as they travel, encoded once per change."""
        if vm.stats_json is None:
            vm.stats_json = codec.encode_value(statistics.build(vm, elapsed=self.elapsed(vm), now=self.monotonic()))
        return vm.stats_json

    async def _encode_ahead(self) -> None:
        """In slices: the statistics of 500 VMs at once would hold up every other call for 20 ms."""
        for number, vm in enumerate(list(self), start=1):
            if not vm.is_forgotten:
                self.stats_json(vm)
            if number % ENCODED_AT_ONCE == 0:
                await asyncio.sleep(0)

    # What the guests tell

    def _on_guest_facts(self, vm_id: str, found: GuestFacts) -> None:
        if (vm := self._alive(vm_id)) is not None:
            vm.told_by_qemu_agent = found
            self._guest_spoke(vm)

    def _on_guest_silence(self, vm_id: str) -> None:
        if (vm := self._alive(vm_id)) is not None:
            vm.told_by_qemu_agent = None
            self._know_guest(vm)

    def _on_desktop_facts(self, vm_id: str, found: GuestFacts) -> None:
        if (vm := self._alive(vm_id)) is not None:
            vm.told_by_ovirt_agent = found
            self._guest_spoke(vm)

    def _on_desktop_silence(self, vm_id: str) -> None:
        if (vm := self._alive(vm_id)) is not None:
            vm.told_by_ovirt_agent = None
            self._know_guest(vm)

    def _alive(self, vm_id: str) -> Vm | None:
        vm = self._vms.get(vm_id)
        return None if vm is None or vm.is_down else vm

    def _guest_spoke(self, vm: Vm) -> None:
        self._know_guest(vm)
        self.move(vm, Cause.GUEST_READY)

    def _know_guest(self, vm: Vm) -> None:
        known = merged(vm.told_by_qemu_agent, vm.told_by_ovirt_agent)
        if known != vm.guest:  # most answers bring nothing new, and the encoded statistics stay good
            vm.guest = known
            vm.touch()


def _io_error(vm: Vm) -> dict[str, str] | None:
    if vm.status is not VmStatus.PAUSED or vm.disk_error is None:
        return None
    return {"alias": vm.disk_error.alias, "name": vm.disk_error.name, "path": vm.disk_error.path}
