"""A running VM: pauses, errors of its disks, clocks, one operation at a time, QEMU that does not answer."""

import asyncio
from pathlib import Path

import pytest
from vm_host import ID, new_id, vm_host

from ovis.client.types import RunningVmStats, VmStatus, WatchdogEventAction
from ovis.node.errors import VmBusy
from ovis.node.hypervisor.interface import RtcChange, Watchdog
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import running, statistics


def test_a_paused_guest_is_not_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, guest=Guest()) as host:
            vm = await host.started()
            await running.pause(host.vms, vm)
            host.hypervisor.faults.fail("agent", times=99)
            for _ in range(3):
                host.vms.polling.start_due()
                await host.vms.polling.settle()
            host.hypervisor.faults.clear()
            await running.resume(host.vms, vm)
            host.vms.polling.connected(ID)
            host.vms.polling.start_due()
            await host.vms.polling.settle()
            assert vm.guest is not None

    asyncio.run(main())


def test_the_clock_and_the_watchdog_of_a_guest_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            vm = await host.started()
            hypervisor.publish(RtcChange(ID, -3600))
            hypervisor.publish(Watchdog(ID, "reset"))
            await host.until(lambda: vm.watchdog is not None)
            await host.written()
            stats = statistics.build(vm, elapsed=0, now=0)
            assert isinstance(stats, RunningVmStats)
            assert stats.watchdog_event is not None
            assert stats.watchdog_event.action is WatchdogEventAction.RESET
        async with vm_host(tmp_path, hypervisor) as host:
            assert host.vms.find(ID).time_offset == -3600
        await hypervisor.close()

    asyncio.run(main())


def test_pause_and_cont_are_safe_to_repeat_and_announced_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            for _ in range(3):
                await running.pause(host.vms, vm)
                await running.pause(host.vms, vm)
                await running.resume(host.vms, vm)
                await running.resume(host.vms, vm)
            assert host.statuses() == ["Powering up", *["Paused", "Powering up"] * 3]

    asyncio.run(main())


def test_only_one_operation_owns_a_vm(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.faults.hang("suspend")
            first = asyncio.ensure_future(running.pause(host.vms, vm))
            await host.until(lambda: vm.operation)
            with pytest.raises(VmBusy, match="pause"):
                await running.reset(host.vms, vm)
            host.hypervisor.faults.release()
            await first

    asyncio.run(main())


def test_a_disk_error_pauses_with_its_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.io_error(ID, alias="virtio-disk0", path="/x", reason="enospc")
            await host.until(lambda: vm.status is VmStatus.PAUSED)
            change = host.last_change()
            assert change["pauseCode"] == "ENOSPC"
            assert change["ioerror"] == {"alias": "virtio-disk0", "name": "", "path": "/x"}
            await running.resume(host.vms, vm)
            assert vm.pause_code is None

    asyncio.run(main())


def test_a_stuck_vm_is_reported_and_recovers(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            stuck, other = await host.started(), await host.started(new_id(), name="two")
            host.hypervisor.stick(ID)
            await host.vms.sample()
            assert (stuck.responding, other.responding) == (False, True)
            assert host.last_change()["monitorResponse"] == "-1"
            host.hypervisor.unstick(ID)
            await host.vms.sample()
            assert stuck.responding
            assert host.last_change()["monitorResponse"] == "0"

    asyncio.run(main())


def test_console_client_is_told(tmp_path: Path) -> None:
    from ovis.node.hypervisor.interface import GraphicsConnected, GraphicsDisconnected

    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.publish(GraphicsConnected(ID, "192.0.2.7", "5900"))
            await host.until(lambda: vm.client_ip)
            assert host.last_change()["clientIp"] == "192.0.2.7"
            host.hypervisor.publish(GraphicsDisconnected(ID, "192.0.2.7", "5900"))
            await host.until(lambda: not vm.client_ip)

    asyncio.run(main())
