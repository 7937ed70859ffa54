"""The agent's view of its own machine: sampled statistics, and capabilities on demand.

Everything that touches the kernel's files runs in threads of bounded pools, one for each kind: a directory on a dead
file server costs the answer its free space and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from ovis.client import codec
from ovis.client.types import (
    HardwareInformation,
    HookScriptInfo,
    HostedEngineStatus,
    HostStats,
    MOMStatus,
    StorageDomainVitals,
    V2VJobInfo,
    VdsmCapabilities,
    VdsmNetworkCapabilities,
)
from ovis.node.errors import NodeError
from ovis.node.hooks.hooks import Hooks
from ovis.node.host import hardware, libvirt_facts, network
from ovis.node.host.capabilities import (
    Configured,
    Machine,
    capabilities,
    network_capabilities,
    read_machine,
)
from ovis.node.host.identity import host_id
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.libvirt_facts import LibvirtFacts
from ovis.node.host.network import NetworkSource
from ovis.node.host.packages import PackageReader
from ovis.node.host.sampling import Clocks, HostSampler, Reading
from ovis.node.host.statistics import VmCounts, host_stats
from ovis.node.hypervisor.acceleration import Acceleration, Kind
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import ConnectionRestored, Hypervisor, Resync
from ovis.node.hypervisor.pools import Pool

log = logging.getLogger(__name__)

_SAMPLE_SECONDS = 5.0  # takes 0.1 ms; more than this means that the kernel itself is stuck
_FREE_SPACE_SECONDS = 2.0
_INVENTORY_SECONDS = 30.0  # rpm may rebuild a cache


class NotMeasuredYet(NodeError):
    wire_name = "ResourceUnavailable"

    def __init__(self) -> None:
        super().__init__("the host has not been measured yet; ask again in a moment")


class HostMonitor:
    """Made and used in the event loop. `close` it when `sample_forever` and `follow_hypervisor` have been cancelled.

    `acceleration`, `vm_counts`, `imports`, `storage_domains`, `hosted_engine` and `policy_status` are asked each time:
    they may change.
    `grant` adds to the files what this process may not read; None: it may read all.
    `identity_file` keeps the host's id unless one is configured. `watched_folders`: whose free space is reported.
    `implemented`: verbs that are built.
    """

    def __init__(
        self,
        hypervisor: Hypervisor,
        *,
        acceleration: Callable[[], Acceleration],
        vm_counts: Callable[[], VmCounts],
        imports: Callable[[], Mapping[str, V2VJobInfo]] = dict,
        storage_domains: Callable[[], Mapping[str, StorageDomainVitals]] = dict,
        hosted_engine: Callable[[], HostedEngineStatus | None] = lambda: None,
        grant: Callable[[KernelFiles], Awaitable[bool]] | None = None,
        implemented: Collection[str],
        identity_file: Path,
        configured_id: str = "",
        watched_folders: Sequence[Path] = (),
        files: KernelFiles | None = None,
        clocks: Clocks | None = None,
        network: NetworkSource | None = None,
        configured: Configured | None = None,
        hooks: Hooks | None = None,
        policy_status: Callable[[], MOMStatus] = lambda: MOMStatus.DISABLED,
    ) -> None:
        self._hypervisor = hypervisor
        self._acceleration = acceleration
        self._vm_counts = vm_counts
        self._imports = imports
        self._storage_domains = storage_domains
        self._hosted_engine = hosted_engine
        self._grant = grant
        self._implemented = implemented
        self._identity_file = identity_file
        self._configured_id = configured_id
        self._watched = tuple(watched_folders)
        self._files = files or KernelFiles()
        self._network = network or NetworkSource()
        self._configured = configured
        self._packages = PackageReader(self._files)
        self._hooks = hooks or Hooks()
        self._policy_status = policy_status
        self._sampler = HostSampler(self._files, clocks or Clocks())
        self._sampling = Pool("host sampling", threads=1)
        self._free_space = Pool("host free space", threads=1)
        self._inventory = Pool("host inventory", threads=1)
        self._libvirt: tuple[Kind, LibvirtFacts] | None = None
        self._reading: Reading | None = None
        self._latest: HostStats | None = None
        self._encoded: msgspec.Raw | None = None

    @property
    def latest(self) -> HostStats:
        """Of the last sample. Raises NotMeasuredYet before the first."""
        if self._latest is None:
            raise NotMeasuredYet
        return self._latest

    @property
    def reading(self) -> Reading | None:
        """The last one; None before the first."""
        return self._reading

    @property
    def latest_encoded(self) -> msgspec.Raw:
        """`latest` as it travels, encoded once for each sample."""
        if self._encoded is None:
            raise NotMeasuredYet
        return self._encoded

    def told_stats(self) -> msgspec.Raw:
        """`latest` as clients get it, with what hooks made of it. Raises NotMeasuredYet."""
        statistics = self._hooks.statistics
        encoded = self.latest_encoded
        return encoded if statistics is None else msgspec.Raw(statistics.told("get_stats", bytes(encoded)))

    async def sample(self) -> None:
        """Measure now. Raises DeadlineExceeded, ThreadsExhausted or ValueError; `latest` stays as it was then."""
        (reading, dirty), free = await asyncio.gather(
            self._sampling.run("reading the host's counters", self._take, deadline=_SAMPLE_SECONDS),
            self._read_free_space(),
        )
        stats = host_stats(self._reading, reading, self._vm_counts(), free)
        hosted_engine = self._hosted_engine() or stats.ha_stats
        self._latest = msgspec.structs.replace(
            stats,
            v2v_jobs=dict(self._imports()),
            storage_domains=dict(self._storage_domains()),
            ha_stats=hosted_engine,
            ha_score=hosted_engine.score,
            mom_status=self._policy_status(),
            net_config_dirty=dirty,
        )
        self._encoded = msgspec.Raw(codec.encode_result("Host.getStats", self._latest))
        self._reading = reading

    async def sample_forever(self, every: float) -> None:
        """Sample now and each `every` seconds from now: a late sample does not shift the next ones."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        failing = False
        while True:
            try:
                await self.sample()
                if failing:
                    log.info("the host is measured again")
                failing = False
            except Exception as error:  # monitoring must outlive a bad sample
                if not failing:
                    log.warning("the host could not be measured: %s", error, exc_info=True)
                failing = True
            missed = max(loop.time() - due, 0.0) // every
            due += every * (missed + 1)
            await asyncio.sleep(due - loop.time())

    async def follow_hypervisor(self) -> None:
        """Forget what libvirt offers whenever it came back: it may be another version. Runs until cancelled."""
        async with self._hypervisor.events() as events:
            async for event in events:
                if isinstance(event, (ConnectionRestored, Resync)):
                    self._libvirt = None

    async def capabilities(self) -> VdsmCapabilities:
        """Raises HypervisorError while libvirt is away and has not been asked before; IdentityNotKept."""
        acceleration = self._acceleration()
        libvirt = await self._libvirt_facts(acceleration.kind)
        await self._read_for_root()
        found, hooks = await self._inventory.run(
            "reading the host's inventory",
            lambda: (
                capabilities(
                    self._files, self._read_machine(), libvirt, acceleration, self._implemented, self._configured
                ),
                self._hooks.scripts.checksums(),
            ),
            deadline=_INVENTORY_SECONDS,
        )
        told = {
            point: {n: HookScriptInfo(checksum=sum_) for n, sum_ in names.items()} for point, names in hooks.items()
        }
        return msgspec.structs.replace(found, hooks=told)

    async def told_capabilities(self) -> VdsmCapabilities | msgspec.Raw:
        """As clients get them, with what hooks made of them. Raises as `capabilities`."""
        found = await self.capabilities()
        statistics = self._hooks.statistics
        if statistics is None:
            return found
        return msgspec.Raw(await statistics.told_soon("get_caps", codec.encode_result("Host.getCapabilities", found)))

    async def network_capabilities(self) -> VdsmNetworkCapabilities:
        return await self._inventory.run(
            "reading the host's networks",
            lambda: network_capabilities(self._files, network.read(self._files, self._network), self._configured),
            deadline=_INVENTORY_SECONDS,
        )

    async def hardware(self) -> HardwareInformation:
        await self._read_for_root()
        return await self._inventory.run(
            "reading the firmware tables", lambda: hardware.read(self._files), deadline=_INVENTORY_SECONDS
        )

    async def _read_for_root(self) -> None:
        """Once, when it succeeds; they do not change."""
        if self._grant is not None and await self._grant(self._files):
            self._grant = None

    def close(self) -> None:
        """Threads end with what they do now."""
        for pool in (self._sampling, self._free_space, self._inventory):
            pool.close()

    def _take(self) -> tuple[Reading, bool]:
        """With whether the networks of this host are unsaved."""
        return self._sampler.take(), self._configured.is_dirty() if self._configured else False

    def _read_machine(self) -> Machine:
        identity = host_id(self._configured_id, self._identity_file, self._files)
        return read_machine(self._files, identity, self._packages, self._network)

    async def _libvirt_facts(self, kind: Kind) -> LibvirtFacts:
        if self._libvirt is None or self._libvirt[0] is not kind:
            self._libvirt = kind, await libvirt_facts.read(self._hypervisor, kind)
        return self._libvirt[1]

    async def _read_free_space(self) -> dict[str, int] | None:
        """None while a folder hangs."""
        if not self._watched:
            return {}
        try:
            return await self._free_space.run("reading free space", self._measure_folders, deadline=_FREE_SPACE_SECONDS)
        except HypervisorError:  # the pool's errors; it has logged what is stuck
            return None

    def _measure_folders(self) -> dict[str, int]:
        """Bytes that the agent's user could still write."""
        found = {}
        for folder in self._watched:
            try:
                status = os.statvfs(folder)
            except OSError:
                continue  # not made yet, or not ours to see: no figure
            found[str(folder)] = status.f_bavail * status.f_frsize
        return found
