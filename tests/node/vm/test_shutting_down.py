"""Asking a guest to power off or to reboot."""

import asyncio
from pathlib import Path

import pytest
from vm_host import ID, vm_host

from ovis.client.types import VmStatus
from ovis.node.errors import VmNotRunning
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.hypervisor.simulated import Guest
from ovis.node.vm import running, shutting_down
from ovis.node.vm.shutting_down import Wish
from ovis.node.vm.states import ExitReason

SHUTDOWNS = [
    # agent, ACPI obeyed after; force -> how it ends
    (Guest(agent_shutdown_after=0.0), False, True),
    (Guest(agent_shutdown_after=None, acpi_shutdown_after=0.0), False, True),
    (Guest(agent_after=None, acpi_shutdown_after=0.0), False, True),
    (Guest(agent_shutdown_after=None, acpi_shutdown_after=None), True, True),
    (Guest(agent_shutdown_after=None, acpi_shutdown_after=None), False, False),
]


@pytest.mark.parametrize(("guest", "force", "ends"), SHUTDOWNS)
def test_shutdown_climbs_the_ladder(tmp_path: Path, guest: Guest, force: bool, ends: bool) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, guest=guest) as host:
            vm = await host.started()
            await host.until(lambda: guest.agent_after is None or host.hypervisor.domain(ID).agent_connected)
            wish = Wish(reboot=False, force=force, delay=0, timeout=0.05)
            await shutting_down.shut_down(host.vms, vm, wish)
            assert vm.is_down or vm.status is VmStatus.POWERING_DOWN
            assert vm.escalation is not None
            await asyncio.gather(vm.escalation, return_exceptions=True)
            assert vm.is_down is ends
            if ends:
                assert host.last_change()["exitReason"] == ExitReason.ADMIN_SHUTDOWN
            else:
                assert vm.status is VmStatus.UP

    asyncio.run(main())


def test_reboot_is_done_when_the_machine_was_reset(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            await shutting_down.shut_down(host.vms, vm, Wish(reboot=True, force=False, delay=0, timeout=5))
            assert vm.escalation is not None
            await vm.escalation
            assert vm.status is VmStatus.POWERING_UP
            assert vm.resets == 1

    asyncio.run(main())


def test_a_delay_is_waited_for_before_the_guest_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            await shutting_down.shut_down(host.vms, vm, Wish(reboot=False, force=False, delay=0.05, timeout=5))
            assert vm.status is VmStatus.POWERING_DOWN
            assert await host.hypervisor.domains()
            await host.until(lambda: vm.is_down)
            assert host.last_change()["exitReason"] == ExitReason.ADMIN_SHUTDOWN

    asyncio.run(main())


def test_a_later_wish_replaces_an_earlier_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, guest=Guest(agent_after=None, acpi_shutdown_after=None)) as host:
            vm = await host.started()
            await shutting_down.shut_down(host.vms, vm, Wish(reboot=False, force=False, delay=0, timeout=60))
            first = vm.escalation
            await shutting_down.shut_down(host.vms, vm, Wish(reboot=False, force=True, delay=0, timeout=0.01))
            await host.until(lambda: vm.is_down)
            assert first is not None
            assert first.cancelled()

    asyncio.run(main())


def test_a_paused_vm_is_shut_down_by_force_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started(launch_paused=True)
            with pytest.raises(VmNotRunning, match="Paused"):
                await shutting_down.shut_down(host.vms, vm, Wish(reboot=False, force=False, delay=0, timeout=1))
            await shutting_down.shut_down(host.vms, vm, Wish(reboot=False, force=True, delay=0, timeout=1))
            await host.until(lambda: vm.is_down)
            assert "administrator" in host.last_change()["exitMessage"]
            assert "past the agent" not in host.last_change()["exitMessage"]

    asyncio.run(main())


def test_a_guest_that_nobody_can_ask_stays_as_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.faults.fail("shutdown", times=9, error=OperationFailed("no"))
            with pytest.raises(OperationFailed):
                await shutting_down.shut_down(host.vms, vm, Wish(reboot=False, force=False, delay=0, timeout=1))
            assert (vm.status, vm.asked, vm.operation) == (VmStatus.POWERING_UP, None, None)

    asyncio.run(main())


def test_shutdown_of_a_vm_that_is_down_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.stop(ID)
            await host.until(lambda: vm.is_down)
            with pytest.raises(VmNotRunning):
                await shutting_down.shut_down(host.vms, vm, Wish(reboot=False, force=True, delay=0, timeout=1))
            with pytest.raises(VmNotRunning):
                await running.pause(host.vms, vm)

    asyncio.run(main())
