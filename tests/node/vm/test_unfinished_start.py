"""What becomes of VMs whose start was cut short by the death of libvirt's daemon."""

import asyncio
from pathlib import Path

import pytest
from vm_host import ID, VmHost, parameters, vm_host

from ovis.client.types import VmStatus
from ovis.node.hypervisor.errors import HypervisorLost
from ovis.node.hypervisor.interface import DomainState
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import ending, recovery, unfinished_start
from ovis.node.vm.errors import CreateFailed
from ovis.node.vm.states import ExitReason
from ovis.node.vm.store import Intent


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished_start, "LOOK_EVERY", 0.001)
    monkeypatch.setattr(unfinished_start, "SETTLES", 0.05)
    monkeypatch.setattr(ending, "FORCE_EVERY", 0.001)


async def cut_short(host: VmHost) -> None:
    """The daemon has died in the start, and the next one has the domain as it was."""
    host.hypervisor.faults.fail("create", error=HypervisorLost("End of file while reading data"), after=True)
    await host.vms.create(ID, parameters())
    await host.until(lambda: (launch := host.vms.find(ID).launch) is not None and launch.done())
    domain = host.hypervisor.domain(ID)
    domain.state, domain.reason = DomainState.PAUSED, "starting_up"


def test_a_domain_that_libvirt_forgets_is_down(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await cut_short(host)
            await recovery.resync(host.vms, "libvirt is back")
            vm = host.vms.find(ID)
            assert vm.status is VmStatus.WAIT_FOR_LAUNCH
            del host.hypervisor._domains[ID]  # without any event
            await host.until(lambda: vm.is_down)
            assert vm.exit is not None
            assert vm.exit.reason is ExitReason.LIBVIRT_START_FAILED

    asyncio.run(main())


def test_a_start_that_comes_through_is_taken(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await cut_short(host)
            await recovery.resync(host.vms, "libvirt is back")
            host.hypervisor.domain(ID).state = DomainState.RUNNING
            await host.until(lambda: host.vms.find(ID).status is VmStatus.POWERING_UP)

    asyncio.run(main())


def test_a_remnant_without_a_process_is_down_and_can_be_destroyed(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await cut_short(host)
            host.hypervisor.remnants.add(ID)
            await recovery.resync(host.vms, "libvirt is back")
            vm = host.vms.find(ID)
            await host.until(lambda: vm.is_down)
            assert vm.exit is not None
            assert "remnant" in vm.exit.message
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            await recovery.resync(host.vms, "libvirt is back")
            assert host.vms.get(ID) is None  # not taken for a VM again
            with pytest.raises(CreateFailed, match="remnant"):
                await host.vms.create(ID, parameters())

    asyncio.run(main())


def test_a_process_that_libvirt_has_lost_control_of_is_ended(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await cut_short(host)
            await recovery.resync(host.vms, "libvirt is back")
            await host.until(lambda: host.vms.find(ID).is_down)
            assert ID not in host.hypervisor._domains

    asyncio.run(main())


@pytest.mark.parametrize("intent", [Intent.CREATING, Intent.DOWN])
def test_the_next_life_of_the_agent_does_the_same(tmp_path: Path, intent: Intent) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await cut_short(host)
            hypervisor.remnants.add(ID)
            await host.vms.save(host.vms.find(ID), intent)
        async with vm_host(tmp_path, hypervisor) as host:
            await host.until(lambda: host.vms.find(ID).is_down)
        await hypervisor.close()

    asyncio.run(main())


def test_a_running_vm_of_which_nothing_is_told_any_more_is_looked_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            await host.vms.sample()
            del host.hypervisor._domains[ID]
            await host.vms.sample()
            assert not vm.is_down
            await host.vms.sample()
            await host.until(lambda: vm.is_down)
            assert vm.exit is not None
            assert vm.exit.reason is ExitReason.LIBVIRT_DOMAIN_MISSING

    asyncio.run(main())
