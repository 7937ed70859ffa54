"""A host with a simulated hypervisor for the tests of VMs: no root, no files but below a temporary folder."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from ovis.client.types import VmParameters, VmStatus
from ovis.node.hooks.hooks import Hooks
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm.disks.keeping import VolumeKeeper
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.store import Store
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms
from ovis.wire.events import Bus, Event

ID = "11111111-2222-4333-8444-555555555555"
PATIENCE = 10.0

XML = """<domain type='kvm'>
  <name>{name}</name>
  <uuid>{id}</uuid>
  <metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>{metadata}</ovirt-vm:vm></metadata>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:01'/><source bridge='ovirtmgmt'/><model type='virtio'/>
    </interface>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    {devices}
  </devices>
</domain>
"""


def xml(vm_id: str = ID, *, name: str = "one", metadata: str = "", devices: str = "") -> str:
    return XML.format(id=vm_id, name=name, metadata=metadata, devices=devices)


def parameters(vm_id: str = ID, **changes: Any) -> VmParameters:
    launch_paused = changes.pop("launch_paused", None)
    return VmParameters(xml=xml(vm_id, **changes), launch_paused=launch_paused)


class VmHost:
    """One life of the agent's VM code. `published` collects the status events."""

    def __init__(
        self,
        folder: Path,
        hypervisor: SimulatedHypervisor,
        settings: VmSettings,
        store: Store | None,
        volumes: VolumeKeeper | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.hypervisor = hypervisor
        self.bus = Bus()
        self._subscription = self.bus.subscribe("|virt|VM_status|*")
        self.vms = Vms(hypervisor, self.bus, folder, settings, store=store, volumes=volumes, hooks=hooks)
        self.events: list[tuple[str, dict[str, Any]]] = []

    @property
    def monotonic(self) -> float:
        return self.vms.monotonic()

    def statuses(self, vm_id: str = ID) -> list[str]:
        """Those that were announced for a VM, in order."""
        self._drain()
        return [change["status"] for found, change in self.events if found == vm_id]

    def last_change(self, vm_id: str = ID) -> dict[str, Any]:
        self._drain()
        return [change for found, change in self.events if found == vm_id][-1]

    def _drain(self) -> None:
        while isinstance(item := self._subscription.take(), Event):
            params = msgspec.json.decode(item.params)
            vm_id = item.name.rpartition("|")[2]
            self.events.append((vm_id, params[vm_id]))

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so():  # noqa: ASYNC110 - what is waited for is whatever the test says
                await asyncio.sleep(0)

    async def started(self, vm_id: str = ID, **changes: Any) -> Vm:
        """Create a VM and wait until it runs."""
        await self.vms.create(vm_id, parameters(vm_id, **changes))
        vm = self.vms.find(vm_id)
        await self.until(lambda: vm.status is not VmStatus.WAIT_FOR_LAUNCH)
        await self.written()
        return vm

    async def written(self) -> None:
        """Until the records of all that happened so far are on the disk."""
        await self.until(lambda: all(vm.launch is None or vm.launch.done() for vm in self.vms))
        await self.vms.store.run(lambda: None)


@asynccontextmanager
async def vm_host(
    folder: Path,
    hypervisor: SimulatedHypervisor | None = None,
    *,
    settings: VmSettings | None = None,
    store: Store | None = None,
    volumes: VolumeKeeper | None = None,
    hooks: Hooks | None = None,
    guest: Guest | None = None,
    recover: bool = True,
    follow: bool = True,
) -> AsyncIterator[VmHost]:
    """With `hypervisor` given it outlives this host, as QEMU outlives an agent."""
    simulated = hypervisor or SimulatedHypervisor(guest=guest or Guest(agent_after=None))
    usual = VmSettings(allowed_paths=(folder,), payload_folder=folder / "payloads")
    host = VmHost(folder, simulated, settings or usual, store, volumes, hooks)
    following: list[asyncio.Task[None]] = []
    try:
        if recover:
            await host.vms.recover()
        if follow:
            following.append(asyncio.ensure_future(host.vms.follow_events()))
        yield host
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await host.vms.close()
        if hypervisor is None:
            await simulated.close()


def new_id() -> str:
    return str(uuid.uuid4())
