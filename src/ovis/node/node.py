"""The node: what the handlers of all verbs share, and the tasks that keep it true.

Everything that runs by itself stands in `Node.run`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.client.types import MOMStatus, StorageDomainVitals, VmStatus
from ovis.node import handlers as _handlers  # noqa: F401  # fills the registry
from ovis.node.config import Config
from ovis.node.console.doors import ConsoleDoors
from ovis.node.errors import NodeError, Recovering
from ovis.node.hooks.hooks import Hooks
from ovis.node.hooks.settings import HookSettings
from ovis.node.host import network_watch, release
from ovis.node.host.capabilities import is_hosted_engine_deployed
from ovis.node.host.identity import host_id
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.monitor import HostMonitor
from ovis.node.host.statistics import VmCounts
from ovis.node.hypervisor import acceleration
from ovis.node.hypervisor.acceleration import Acceleration, Kind, Probe
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.imports.settings import ImportSettings
from ovis.node.jobs import Jobs
from ovis.node.network_files import NetworkFiles
from ovis.node.registry import HANDLERS
from ovis.node.vm.external_access import HelpersFiles, OwnFiles
from ovis.node.vm.lease_places import StorageLeases
from ovis.node.vm.migration.settings import MigrationSettings
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.vms import Vms
from ovis.node.vm_storage import VolumesIfAny
from ovis.wire.events import Bus

if TYPE_CHECKING:
    from ovis.node.exports.exports import Exports
    from ovis.node.host.fencing import Fencing
    from ovis.node.host.hosted_engine import HostedEngine
    from ovis.node.imports.imports import Imports
    from ovis.node.network.networks import Networks
    from ovis.node.policy.policies import Policies
    from ovis.node.privileged.client import Privileged
    from ovis.node.storage.settings import StorageSettings
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)

STORAGE_STATE = "storage"
"""Folder within the state folder; it is made when storage is first used for something that must survive."""

NETWORK_SECONDS = 30.0
"""Between two looks whether DHCP clients run; a lease is renewed long before it ends."""

NETWORK_EVENT = "|net|host_conn|no_id"

HOSTED_ENGINE_SECONDS = 60.0
"""Between two looks whether this host was set up for one."""

NOT_CHOSEN_YET = Acceleration(Kind.TCG, "not chosen yet: a guest is being tried under KVM")


class Node:
    """One host, as its agent sees it."""

    def __init__(self, config: Config, hypervisor: Hypervisor) -> None:
        self.config = config
        self.hypervisor = hypervisor
        self.events = Bus()
        self.jobs = Jobs(self.events)
        self.acceleration = NOT_CHOSEN_YET
        self.is_ready = False
        """Whether the VMs of before the start are known again; until then their verbs answer 99."""
        self._vms: Vms | None = None
        self._imports: Imports | None = None
        self._exports: Exports | None = None
        self._storage: Storage | None = None
        self._privileged: Privileged | None = None
        self._fencing: Fencing | None = None
        self._policies: Policies | None = None
        self.hosted_engine: HostedEngine | None = None
        """None on hosts that are not set up for one."""
        self.hooks = Hooks(_hook_settings(config), lambda: self.privileged)
        self.consoles = ConsoleDoors(lambda: self.vms, time.monotonic)
        self._networks: Networks | None = None
        self._network_files = NetworkFiles(config.network.folder)
        self.host = HostMonitor(
            hypervisor,
            acceleration=lambda: self.acceleration,
            vm_counts=self._count_vms,
            imports=lambda: self._imports.statistics() if self._imports else {},
            storage_domains=self.storage_vitals,
            hosted_engine=lambda: self.hosted_engine.status if self.hosted_engine else None,
            grant=self._grant_root_facts if os.geteuid() else None,
            implemented=HANDLERS.keys(),
            identity_file=config.state_folder / "host.id",
            configured_id=config.host.id,
            watched_folders=(config.run_folder, config.state_folder),
            configured=self._network_files,
            hooks=self.hooks,
            policy_status=self._policy_status,
        )

    @property
    def vms(self) -> Vms:
        """The VMs. Raises Recovering before the first of them are known."""
        if self._vms is None:
            raise Recovering
        return self._vms

    @property
    def imports(self) -> Imports:
        """Loaded when first asked for: most agents never import a VM, and it is 0.7 MB of modules."""
        if self._imports is None:
            from ovis.node.imports.imports import Imports

            self._imports = Imports(
                self.jobs,
                self.hypervisor.external,
                _import_settings(self.config),
                emulates=lambda: self.acceleration.kind is Kind.TCG,
            )
        return self._imports

    @property
    def exports(self) -> Exports:
        """Loaded when first asked for, as imports are."""
        if self._exports is None:
            from ovis.node.exports.exports import Exports

            self._exports = Exports(self.jobs, _import_settings(self.config))
        return self._exports

    @property
    def storage(self) -> Storage:
        """Loaded when first asked for: an agent without storage has no room for it."""
        if self._storage is None:
            from ovis.node.storage.parts import Parts
            from ovis.node.storage.storage import Storage

            settings = _storage_settings(self.config)
            parts = Parts(settings, lambda: self.privileged)
            self._storage = Storage(settings, self.jobs, self.events, parts=parts)
            self._storage.domain_is_back = self._retry_paused
        return self._storage

    @property
    def privileged(self) -> Privileged:
        """The root helper, shared by all parts of the agent; the first call starts it or connects to it."""
        if self._privileged is None:
            from ovis.node.privileged.client import found

            given = self.config.storage
            self._privileged = found(
                given.privileged_socket,
                repository=PurePosixPath(given.root),
                user=given.user,
                group=given.group,
                options=_helper_options(self.config),
            )
        return self._privileged

    async def establish_identity(self) -> None:
        """This host has an id afterwards, and keeps it. Raises IdentityNotKept."""
        files, file = KernelFiles(), self.config.state_folder / "host.id"
        if os.geteuid() and not self.config.host.id and not file.exists():
            await self._grant_root_facts(files)
        host_id(self.config.host.id, file, files)

    async def _grant_root_facts(self, files: KernelFiles) -> bool:
        from ovis.node.host.root_facts import grant

        return await grant(files, self.privileged)

    @property
    def fencing(self) -> Fencing:
        """Loaded when first asked for: few hosts ever fence another."""
        if self._fencing is None:
            from ovis.node.host.fencing import Fencing

            self._fencing = Fencing(self.config.host.fence_agents, self._renews_host_id)
        return self._fencing

    @property
    def policies(self) -> Policies:
        """Loaded with the first VM, or when first asked for."""
        if self._policies is None:
            from ovis.node.policy.policies import FOLDER, Policies

            is_simulated = self.config.hypervisor.uri.startswith("simulated:")
            self._policies = Policies(self, self.config.state_folder / FOLDER, has_host=not is_simulated)
        return self._policies

    async def _renews_host_id(self, domain_id: str, host_id: int) -> bool | None:
        if self._storage is None:
            return None
        from ovis.node.storage.formats.identifiers import DomainId

        domain = self._storage.domains.known(DomainId(domain_id))
        return None if domain is None else await domain.locks.renews(domain.lockspace, host_id)

    @property
    def networks(self) -> Networks:
        """Loaded when first asked for: few hosts change their networks while the agent runs."""
        if self._networks is None:
            from ovis.node.network.networks import Networks
            from ovis.node.network.store import Store

            self._networks = Networks(lambda: self.privileged, Store(self.config.network.folder))
        return self._networks

    def client_reached_us(self) -> None:
        if self._networks is not None:
            self._networks.confirm()

    def _has_storage(self) -> bool:
        return self._storage is not None or (self.config.state_folder / STORAGE_STATE).exists()

    @property
    def uses_storage(self) -> bool:
        return self._storage is not None

    async def run(self) -> None:
        """Keep everything true until cancelled; then nothing of it is left behind, and VMs run on."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.host.sample_forever(self.config.vms.sample_seconds), name="host sampling")
                tasks.create_task(self.host.follow_hypervisor(), name="host capabilities")
                tasks.create_task(self._care_for_vms(), name="VMs")
                tasks.create_task(self._care_for_networks(), name="networks")
                tasks.create_task(self._tell_of_networks(), name="network events")
                if self._has_storage():
                    tasks.create_task(self._recover_storage(), name="storage")
                tasks.create_task(self._follow_hosted_engine(), name="hosted engine")
                if self.config.policy.enabled:
                    tasks.create_task(self._follow_policy(), name="policy")
        finally:
            await self.jobs.close()
            await self.hooks.close()
            if self._fencing is not None:
                await self._fencing.close()
            if self._storage is not None:
                await self._storage.close()
            if self._imports is not None:
                self._imports.close()
            if self._exports is not None:
                self._exports.close()
            if self._privileged is not None:
                await self._privileged.close()
            self.host.close()

    async def _care_for_vms(self) -> None:
        self.acceleration = await self._choose_acceleration()
        vms = Vms(
            self.hypervisor,
            self.events,
            self.config.state_folder,
            self._vm_settings(),
            volumes=VolumesIfAny(self, self._has_storage),
            hooks=self.hooks,
        )
        vms.leases = StorageLeases(lambda: self.storage)
        if not self.config.hypervisor.uri.startswith("simulated:"):
            vms.mirroring.tell = self._mirror_networks
        if os.geteuid() != 0:
            vms.state_files = HelpersFiles(lambda: self.privileged, vms.settings, OwnFiles(vms.external_reads))
        vms.long_pauses.is_silent = lambda path: self._storage is not None and self._storage.is_silent(path)
        self._vms = vms
        try:
            if any(folder.exists() for folder in _import_settings(self.config).left_behind):
                await self.imports.recover()
            if _import_settings(self.config).exports.exists():
                await self.exports.recover()
            await vms.recover()
            await self._forget_secrets()
            self.is_ready = True
            await vms.run()
        finally:
            await vms.close()

    async def _mirror_networks(self, mirrors: Mapping[str, list[str]]) -> None:
        from ovis.node.privileged.mirrors import MirrorNetworks

        (await self.privileged.call(MirrorNetworks(mirrors=dict(mirrors)))).check("to mirror networks; not there:")

    async def _forget_secrets(self) -> None:
        """Those of before the start: whoever registered them does so again."""
        try:
            if await self.hypervisor.has_secrets():
                await self.hypervisor.secrets.remove(await self.hypervisor.secrets.ours())
        except HypervisorError as error:
            log.warning("secrets of before the start may be left in libvirt: %s", error)

    async def _follow_hosted_engine(self) -> None:
        """It may be set up while the agent runs."""
        while not is_hosted_engine_deployed(KernelFiles()):  # noqa: ASYNC110  # a file, and nobody tells of it
            await asyncio.sleep(HOSTED_ENGINE_SECONDS)
        from ovis.node.host.hosted_engine import HostedEngine

        self.hosted_engine = HostedEngine()
        await self.hosted_engine.follow()

    def _policy_status(self) -> MOMStatus:
        """Inactive: its rules go wrong."""
        if not self.config.policy.enabled:
            return MOMStatus.DISABLED
        return MOMStatus.INACTIVE if self.policy_fails else MOMStatus.ACTIVE

    @property
    def policy_fails(self) -> bool:
        return self._policies is not None and bool(self._policies.failure)

    async def _follow_policy(self) -> None:
        """A host without VMs has nothing to tune; the round after its last one gives back what was taken."""
        had_guests = False
        while True:
            await asyncio.sleep(self.config.policy.seconds)
            if not self.is_ready:
                continue
            has_guests = any(vm.has_qemu for vm in self.vms)
            if has_guests or had_guests:
                try:
                    await self.policies.round()
                except Exception:  # tuning must not take the agent along
                    log.exception("the host's policy could not be run; it is tried again")
            had_guests = has_guests

    async def _care_for_networks(self) -> None:
        """Out of a change in which agent and helper died; at a boot ovis-restore-networks has come first. Later: DHCP
        clients that died are started again."""
        needed, told = self._network_files.need_restoring, ""
        while True:
            if await asyncio.to_thread(needed):
                try:
                    await self.networks.restore()
                    needed, told = self._network_files.lost_client, ""
                except (NodeError, OSError) as error:
                    if told != str(error):
                        log.error("the networks of this host could not be restored: %s", error)  # noqa: TRY400
                    told = str(error)
            else:
                needed = self._network_files.lost_client
            await asyncio.sleep(NETWORK_SECONDS)

    async def _tell_of_networks(self) -> None:
        def tell() -> None:
            if self.is_ready:
                self.events.publish(NETWORK_EVENT, {})

        def is_changing() -> bool:
            return self._networks is not None and self._networks.is_changing

        try:
            await network_watch.watch(tell, is_changing=is_changing)
        except OSError as error:
            log.warning("changes of the host's network are not announced: %s", error)

    async def _recover_storage(self) -> None:
        await asyncio.to_thread(import_module, "ovis.node.storage.storage")
        await self.storage.recover()

    async def _choose_acceleration(self) -> Acceleration:
        wanted, folder = self.config.hypervisor.acceleration, self.config.hypervisor.guest_image_folder
        if self.config.hypervisor.uri.startswith("simulated:"):
            return Acceleration(Kind.TCG, "the hypervisor is simulated: no guest code runs")
        return await acceleration.choose(
            Probe(kernel=folder / "vmlinuz", initrd=folder / "initrd.gz"),
            state_file=self.config.state_folder / "acceleration.json",
            wanted=None if wanted == "probe" else Kind(wanted),
        )

    def _vm_settings(self) -> VmSettings:
        files = KernelFiles()
        system = release.distribution(files)
        return VmSettings(
            allowed_paths=tuple(self.config.vms.allowed_paths),
            device_links=self.config.storage.device_links,
            virt_type="kvm" if self.acceleration.kind is Kind.KVM else "qemu",
            os_name=system.name.value,
            os_version=system.version,
            host_serial=host_id(self.config.host.id, self.config.state_folder / "host.id", files),
            sample_period=self.config.vms.sample_seconds,
            guest_period=self.config.vms.guest_agent_seconds,
            payload_folder=self.config.run_folder / "payloads",
            backup_folder=self.config.run_folder / "backup",
            scratch_folder=self.config.state_folder / "scratch",
            transient_folder=self.config.state_folder / STORAGE_STATE / "transient",
            migration=_migration_settings(self.config),
            shutdown_timeout=self.config.vms.shutdown_seconds,
            unplug_timeout=self.config.vms.unplug_seconds,
            paused_limit=self.config.vms.paused_seconds,
            external_period=self.config.vms.external_data_seconds,
            freeze_limit=self.config.vms.freeze_seconds,
            display_address=self.config.vms.display_address,
            thin_step=self.config.storage.thin_step_mib << 20,
            thin_room=self.config.storage.thin_room_percent / 100,
        )

    def _retry_paused(self) -> None:
        if self._vms is not None:
            self._vms.long_pauses.retry()

    def storage_vitals(self) -> Mapping[str, StorageDomainVitals]:
        """From memory, and nothing of an agent that has no storage."""
        return {} if self._storage is None else self._storage.vitals()

    def _count_vms(self) -> VmCounts:
        if self._vms is None:
            return VmCounts()
        statuses = [vm.status for vm in self._vms]
        return VmCounts(
            known=len(statuses),
            active=statuses.count(VmStatus.UP),
            arriving=statuses.count(VmStatus.MIGRATION_DESTINATION),
            leaving=statuses.count(VmStatus.MIGRATION_SOURCE),
        )


def _hook_settings(config: Config) -> HookSettings:
    given = config.hooks
    return HookSettings(
        folder=given.folder,
        seconds=given.seconds,
        statistics_period=given.statistics_seconds,
        run_folder=config.run_folder / "hooks",
        launch_folder=given.launch_folder,
    )


def _import_settings(config: Config) -> ImportSettings:
    given = config.imports
    return ImportSettings(
        state=config.state_folder,
        secrets=config.run_folder / "imports",
        storage_root=given.storage_root,
        allowed_paths=tuple(config.vms.allowed_paths),
        ova_paths=tuple(given.ova_paths),
        device_links=config.storage.device_links,
        convert_guests=given.convert_guests,
        at_once=given.at_once,
    )


def _helper_options(config: Config) -> tuple[str, ...]:
    storage, network = config.storage, config.network
    level = "INFO" if config.log.level == "DEBUG" else config.log.level
    return (
        *("--log-level", level),
        *("--loop-folder", str(storage.managed_files), "--adapters", str(storage.adapter_folder)),
        *("--network-state", str(network.folder), "--resolver", str(network.resolver)),
        *(("--sanlock-folder", str(storage.sanlock_folder)) if storage.sanlock_folder else ()),
    )


def _storage_settings(config: Config) -> StorageSettings:
    from ovis.node.storage.formats.repository import Repository
    from ovis.node.storage.settings import StorageSettings

    given = config.storage
    return StorageSettings(
        state=config.state_folder / STORAGE_STATE,
        run=config.run_folder / "storage",
        repository=Repository(root=PurePosixPath(given.root), run=PurePosixPath(given.run_folder)),
        host_name=config.host.name or socket.gethostname(),
        owner=(given.user, given.group),
        privileged_socket=given.privileged_socket,
        managed_links=given.managed_links,
        helper_options=_helper_options(config),
        io_deadline=given.io_seconds,
        check_period=given.check_seconds,
        retry_period=given.retry_seconds,
        locks=given.locks,
        sanlock_folder=given.sanlock_folder,
        sanlock_io_timeout=given.sanlock_io_seconds,
        nfs_options=tuple(given.nfs_options),
        lvm_filter=tuple(given.lvm_filter),
        tasks_at_once=given.tasks_at_once,
    )


def _migration_settings(config: Config) -> MigrationSettings:
    given, tls = config.migration, config.tls
    return MigrationSettings(
        daemon_uri=given.daemon_uri,
        memory_uri=given.memory_uri,
        port=given.agent_port,
        tls=tls.files,
        check_host_name=given.check_host_name,
        unsafe=given.unsafe,
        outgoing_limit=given.outgoing_limit,
        incoming_limit=given.incoming_limit,
        bandwidth=given.bandwidth_mib << 20,
        retry_period=given.retry_seconds,
        sample_period=given.sample_seconds,
        appear_within=given.appear_seconds,
        patience=given.patience_seconds,
        longest=given.longest_seconds,
    )
