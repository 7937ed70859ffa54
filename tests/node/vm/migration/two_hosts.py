"""Two simulated hosts and an agent on each: agents die and live again, their hypervisors go on meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vm_host import ID, PATIENCE, VmHost, vm_host

from ovis.client.types import MigrateParams, VmDefinition, VmStatus
from ovis.client.verbs import VMDestroyArgs
from ovis.node.errors import NodeError
from ovis.node.hooks.hooks import Hooks
from ovis.node.hypervisor.interface import DomainState
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import ending
from ovis.node.vm.migration import destination, source
from ovis.node.vm.migration import verbs as migration_verbs
from ovis.node.vm.migration.errors import TooManyArrive
from ovis.node.vm.migration.peer import NEVER_RAN, ON_ITS_WAY, PeerError, PeerFull, PeerRefused
from ovis.node.vm.migration.settings import MigrationSettings
from ovis.node.vm.migration.verdict import There
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.store import Store
from ovis.node.vm.vm import Vm

QUICK = MigrationSettings(
    daemon_uri="sim://{host}",
    memory_uri="",
    retry_period=0.01,
    sample_period=0.01,
    appear_within=0.3,
    pace=0.0,
    settle_period=0.01,
    settle_longest_period=0.05,
)


class OtherAgent:
    """The way to an agent in the same process: what the wire does in between is left out, its errors are not."""

    def __init__(self, hosts: "TwoHosts", name: str) -> None:
        self._hosts = hosts
        self._name = name

    @property
    def _host(self) -> VmHost:
        host = self._hosts.agents.get(self._name)
        if host is None or self._name in self._hosts.unreachable:
            raise PeerError(f"no connection to {self._name}")
        return host

    async def prepare(self, vm_id: str, vm: VmDefinition, *, incoming_limit: int | None) -> VmDefinition:
        try:
            return await destination.accept(self._host.vms, vm_id, vm, incoming_limit=incoming_limit)
        except TooManyArrive as error:
            raise PeerFull(str(error)) from error
        except NodeError as error:
            raise PeerRefused(str(error)) from error

    async def look(self, vm_id: str) -> There:
        try:
            vm = self._host.vms.get(vm_id)
        except PeerError:
            return There.UNKNOWN
        if vm is None:
            return There.ABSENT
        if vm.exit is not None and vm.is_down:
            return There.FAILED if vm.exit.reason in NEVER_RAN else There.ENDED
        return ON_ITS_WAY.get(vm.status, There.RUNS)

    async def forget(self, vm_id: str) -> bool:
        try:
            host = self._host
        except PeerError:
            return False
        node: Any = host
        if (vm := host.vms.get(vm_id)) is None:
            return True
        if not migration_verbs.may_be_forgotten(node, VMDestroyArgs(vm_id=vm_id)):
            return False
        try:
            await ending.destroy(host.vms, vm, graceful_attempts=0)
        except NodeError:
            return False
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class TwoHosts:
    """Named "a" and "b"."""

    def __init__(self, folder: Path, settings: MigrationSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._stacks: dict[str, AsyncExitStack] = {}
        self.hypervisors = {name: SimulatedHypervisor(guest=Guest(agent_after=None)) for name in "ab"}
        self.agents: dict[str, VmHost] = {}
        self.hooks: dict[str, Hooks] = {}
        self.unreachable: set[str] = set()
        for name, other in ("ab", "ba"):
            self.hypervisors[name].migration.peers[f"sim://{other}"] = self.hypervisors[other]

    @property
    def a(self) -> VmHost:
        return self.agents["a"]

    @property
    def b(self) -> VmHost:
        return self.agents["b"]

    async def start(self, name: str, *, store: Store | None = None) -> VmHost:
        settings = VmSettings(allowed_paths=(self._folder,), migration=self._settings)
        stack = AsyncExitStack()
        host = await stack.enter_async_context(
            vm_host(
                self._folder / name,
                self.hypervisors[name],
                settings=settings,
                store=store,
                hooks=self.hooks.get(name),
                recover=False,
                follow=False,
            )
        )
        host.vms.migrations.connect = lambda address: OtherAgent(self, address)
        await host.vms.recover()
        following = asyncio.ensure_future(host.vms.follow_events())
        stack.callback(following.cancel)
        self._stacks[name] = stack
        self.agents[name] = host
        return host

    async def kill(self, name: str) -> None:
        """Its tasks end where they stand; nothing is undone or written any more."""
        del self.agents[name]
        await self._stacks.pop(name).aclose()

    async def close(self) -> None:
        for name in list(self.agents):
            await self.kill(name)
        for hypervisor in self.hypervisors.values():
            await hypervisor.close()

    async def leave(self, **wish: Any) -> Vm:
        """Begin to move the VM from a to b."""
        vm = self.a.vms.find(ID)
        await source.begin(self.a.vms, vm, MigrateParams(dst="b", **wish))
        return vm

    def status(self, name: str) -> VmStatus | None:
        vm = self.agents[name].vms.get(ID)
        return None if vm is None else vm.status

    def running(self) -> str:
        """The hosts on which a copy runs."""
        return "".join(
            name
            for name, hypervisor in self.hypervisors.items()
            if ID in hypervisor._domains and hypervisor.domain(ID).state is DomainState.RUNNING
        )

    def standing(self) -> str:
        """The hosts on which there is any copy."""
        return "".join(name for name, hypervisor in self.hypervisors.items() if ID in hypervisor._domains)

    async def until(self, what: str, is_so: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_so():
                    assert len(self.running()) < 2, "two copies run"
                    await asyncio.sleep(0.001)
        except TimeoutError:
            states = {name: self.status(name) for name in self.agents}
            raise AssertionError(f"never: {what}; {states}, copies on {self.standing()!r}") from None

    async def arrived(self) -> None:
        """Both sides agree that the VM is on b, and nothing but that one copy is anywhere."""
        await self.until("it is down on a", lambda: self.status("a") is VmStatus.DOWN)
        # A restart soon after the VM was started counts it as booting.
        await self.until("it is up on b", lambda: self.status("b") in (VmStatus.UP, VmStatus.POWERING_UP))
        exit_info = self.a.vms.find(ID).exit
        assert exit_info is not None
        assert exit_info.reason == 4
        assert (self.running(), self.standing()) == ("b", "b")

    async def stayed(self) -> None:
        """Both sides agree that the VM is on a."""
        await self.until("it is back on a", lambda: self.status("a") in (VmStatus.UP, VmStatus.POWERING_UP))
        await self.until("it is forgotten on b", lambda: self.status("b") is None)
        assert (self.running(), self.standing()) == ("a", "a")


@asynccontextmanager
async def two_hosts(
    folder: Path,
    settings: MigrationSettings = QUICK,
    *,
    devices: str = "",
    metadata: str = "",
    hooks: Mapping[str, Hooks] | None = None,
) -> AsyncIterator[TwoHosts]:
    """With agents on both, and a VM that runs on a."""
    hosts = TwoHosts(folder, settings)
    hosts.hooks = dict(hooks or {})
    try:
        for name in "ab":
            await hosts.start(name)
        await hosts.a.started(devices=devices, metadata=metadata)
        yield hosts
    finally:
        await hosts.close()
