"""The life of a VM on a simulated host."""

import asyncio
from pathlib import Path

import pytest
from vm_host import ID, VmHost, new_id, parameters, vm_host

from ovis.client.types import RunningVmStats, VmStatus, WatchdogEventAction
from ovis.node.errors import BadParameter, VmBusy, VmExists, VmNotFound, VmNotRunning
from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorLost, NotResponding, OperationFailed, StartFailed
from ovis.node.hypervisor.interface import RtcChange, Watchdog
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import ending, running, shutting_down, statistics
from ovis.node.vm.errors import CreateFailed, DestroyFailed, ResetFailed
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.shutting_down import Wish
from ovis.node.vm.states import ExitReason


def test_a_created_vm_waits_then_powers_up_then_is_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, guest=Guest()) as host:
            answer = await host.vms.create(ID, parameters())
            assert (answer.status, answer.vm_name, answer.mem_size) == (VmStatus.WAIT_FOR_LAUNCH, "one", 128 << 20)
            await host.until(lambda: host.vms.find(ID).has_qemu)
            await host.until(lambda: ask(host))
            assert host.statuses() == ["Powering up", "Up"]

    def ask(host: VmHost) -> bool:
        host.vms.polling.start_due()
        return host.vms.find(ID).status is VmStatus.UP

    asyncio.run(main())


def test_a_guest_without_an_agent_is_up_after_the_boot_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, settings=VmSettings(boot_grace=0.0)) as host:
            vm = await host.started()
            assert vm.status is VmStatus.POWERING_UP
            await host.vms.sample()
            assert host.statuses() == ["Powering up", "Up"]

    asyncio.run(main())


def test_a_vm_launched_paused_waits_for_cont(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started(launch_paused=True)
            assert (vm.status, vm.pause_code) == (VmStatus.PAUSED, "NOERR")
            await running.resume(host.vms, vm)
            assert host.statuses() == ["Paused", "Powering up"]

    asyncio.run(main())


def test_launch_paused_in_the_metadata_counts(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started(metadata='<ovirt-vm:launchPaused type="bool">true</ovirt-vm:launchPaused>')
            assert vm.status is VmStatus.PAUSED

    asyncio.run(main())


def test_a_failed_start_leaves_the_vm_down_with_libvirts_words(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            host.hypervisor.faults.fail("create", error=StartFailed("no bridge ovirtmgmt"))
            await host.vms.create(ID, parameters())
            await host.until(lambda: host.vms.find(ID).is_down)
            change = host.last_change()
            assert (change["exitCode"], change["exitReason"]) == (1, ExitReason.LIBVIRT_START_FAILED)
            assert "no bridge ovirtmgmt" in change["exitMessage"]
            assert host.statuses() == ["Down"]

    asyncio.run(main())


def test_a_start_that_passes_its_deadline_is_looked_at(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            late = DeadlineExceeded("create", 1, started=True)
            host.hypervisor.faults.fail("create", error=late, after=True)
            vm = await host.started()
            assert vm.status is VmStatus.POWERING_UP

    asyncio.run(main())


def test_the_same_id_or_name_twice_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await host.started()
            with pytest.raises(VmExists, match="id"):
                await host.vms.create(ID, parameters(name="other"))
            other = new_id()
            with pytest.raises(VmExists, match="name one"):
                await host.vms.create(other, parameters(other))

    asyncio.run(main())


def test_two_creations_of_one_id_at_once_make_one_vm(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            answers = await asyncio.gather(
                *(host.vms.create(ID, parameters()) for _ in range(5)), return_exceptions=True
            )
            assert sum(isinstance(a, VmExists) for a in answers) == 4
            assert len(host.vms) == 1

    asyncio.run(main())


def test_a_disk_is_not_opened_for_writing_by_two_vms(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "disk").touch()
        disk = f"<disk type='file'><source file='{tmp_path}/disk'/><target dev='vda'/>{{}}</disk>"
        other = new_id()
        async with vm_host(tmp_path) as host:
            vm = await host.started(devices=disk.format(""))
            with pytest.raises(BadParameter, match=f"disk vda: .* is open for writing in VM {ID}"):
                await host.vms.create(other, parameters(other, name="two", devices=disk.format("")))
            assert len(host.vms) == 1
            host.hypervisor.stop(ID)
            await host.until(lambda: vm.is_down)
            await host.started(other, name="two", devices=disk.format(""))

    asyncio.run(main())


def test_the_name_of_a_vm_that_is_down_can_be_taken(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.stop(ID)
            await host.until(lambda: vm.is_down)
            other = new_id()
            await host.started(other)
            assert len(host.vms) == 2

    asyncio.run(main())


def test_a_record_that_cannot_be_written_refuses_the_vm_and_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            (tmp_path / "vms").write_text("in the way")
            with pytest.raises(CreateFailed, match="record"):
                await host.vms.create(ID, parameters())
            assert len(host.vms) == 0
            assert not await host.hypervisor.domains()

    asyncio.run(main())


@pytest.mark.parametrize("call", ["capabilities", "node_info", "domains"])
def test_a_creation_that_cannot_ask_libvirt_leaves_nothing(tmp_path: Path, call: str) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            host.hypervisor.faults.fail(call, error=HypervisorLost("gone"))
            with pytest.raises(HypervisorLost):
                await host.vms.create(ID, parameters())
            assert (len(host.vms), list_of(tmp_path)) == (0, [])
            await host.started()

    asyncio.run(main())


def test_a_creation_whose_caller_gives_up_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            caller = asyncio.ensure_future(host.vms.create(ID, parameters()))
            await host.until(lambda: len(host.vms))
            caller.cancel()
            await asyncio.gather(caller, return_exceptions=True)
            assert len(host.vms) == 0
            await host.until(lambda: not list_of(tmp_path))
            await host.started()

    asyncio.run(main())


def list_of(folder: Path) -> list[Path]:
    return list(folder.glob("vms/*"))


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


def test_destroy_ends_and_forgets_the_vm(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            await ending.destroy(host.vms, vm, graceful_attempts=1)
            assert not await host.hypervisor.domains()
            assert not list((tmp_path / "vms").iterdir())
            assert host.statuses()[-1] == "Down"
            assert host.last_change()["exitReason"] == ExitReason.ADMIN_SHUTDOWN
            with pytest.raises(VmNotFound):
                host.vms.find(ID)

    asyncio.run(main())


def test_destroy_removes_a_vm_that_is_down(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.stop(ID)
            await host.until(lambda: vm.is_down)
            assert host.last_change()["exitReason"] == ExitReason.USER_SHUTDOWN
            await ending.destroy(host.vms, vm, graceful_attempts=1)
            assert len(host.vms) == 0
            assert host.statuses().count("Down") == 1

    asyncio.run(main())


def test_destroy_of_a_stuck_qemu_ends_it_by_force(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.stick(ID)
            await ending.destroy(host.vms, vm, graceful_attempts=2)
            assert not await host.hypervisor.domains()

    asyncio.run(main())


def test_destroy_when_a_polite_attempt_hangs_in_libvirt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "FORCE_EVERY", 0.0)

    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            faults = host.hypervisor.faults
            faults.fail("destroy", error=DeadlineExceeded("destroy", 40, started=True, domain_id=ID))
            faults.fail("destroy", times=3, error=NotResponding(ID, 1))
            await ending.destroy(host.vms, vm, graceful_attempts=3)
            assert not await host.hypervisor.domains()

    asyncio.run(main())


def test_destroy_while_another_operation_hangs(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.faults.hang("suspend")
            hanging = asyncio.ensure_future(running.pause(host.vms, vm))
            await host.until(lambda: vm.operation)
            await ending.destroy(host.vms, vm, graceful_attempts=1)
            host.hypervisor.faults.release()
            await asyncio.gather(hanging, return_exceptions=True)
            assert len(host.vms) == 0

    asyncio.run(main())


def test_destroy_during_the_launch(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            host.hypervisor.faults.hang("create")
            await host.vms.create(ID, parameters())
            vm = host.vms.find(ID)
            destroying = asyncio.ensure_future(ending.destroy(host.vms, vm, graceful_attempts=1))
            await host.until(lambda: vm.operation == "destroy")
            await asyncio.sleep(0)
            host.hypervisor.faults.release()
            await destroying
            assert not await host.hypervisor.domains()
            assert len(host.vms) == 0

    asyncio.run(main())


def test_a_failed_destroy_leaves_the_vm_known_and_running(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.faults.fail("destroy", times=2, error=OperationFailed("it will not die"))
            with pytest.raises(DestroyFailed, match="it will not die"):
                await ending.destroy(host.vms, vm, graceful_attempts=1)
            assert host.vms.find(ID).status is VmStatus.POWERING_UP
            host.hypervisor.faults.clear()
            await ending.destroy(host.vms, vm, graceful_attempts=1)

    asyncio.run(main())


def test_a_destroy_goes_on_when_its_caller_gives_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.faults.hang("destroy")
            caller = asyncio.ensure_future(ending.destroy(host.vms, vm, graceful_attempts=1))
            await host.until(lambda: vm.operation)
            caller.cancel()
            await asyncio.gather(caller, return_exceptions=True)
            host.hypervisor.faults.release()
            await host.until(lambda: len(host.vms) == 0)

    asyncio.run(main())


def test_an_id_can_be_used_again_after_destroy(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            for _ in range(3):
                vm = await host.started()
                await ending.destroy(host.vms, vm, graceful_attempts=1)
            assert await host.started()

    asyncio.run(main())


def test_reset_begins_a_new_boot(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, settings=VmSettings(boot_grace=0.0)) as host:
            vm = await host.started()
            await host.vms.sample()
            await running.reset(host.vms, vm)
            await host.until(lambda: vm.status is VmStatus.POWERING_UP)
            host.hypervisor.faults.fail("reset")
            with pytest.raises(ResetFailed):
                await running.reset(host.vms, vm)

    asyncio.run(main())


def test_a_vm_set_to_end_on_reboot_ends(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            flag = '<ovirt-vm:destroy_on_reboot type="bool">True</ovirt-vm:destroy_on_reboot>'
            vm = await host.started(metadata=flag)
            await running.reset(host.vms, vm)
            await host.until(lambda: vm.is_down)
            assert host.last_change()["exitReason"] == ExitReason.DESTROYED_ON_REBOOT

    asyncio.run(main())


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


def test_a_crashed_qemu_is_an_error(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.stop(ID, "failed")
            await host.until(lambda: vm.is_down)
            assert host.last_change()["exitReason"] == ExitReason.LOST_QEMU_CONNECTION
            assert host.last_change()["exitCode"] == 1

    asyncio.run(main())


def test_a_second_end_does_not_replace_the_first_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.stop(ID)
            await host.until(lambda: vm.is_down)
            await host.vms.close()
            assert vm.exit is not None
            assert vm.exit.reason is ExitReason.USER_SHUTDOWN

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


def test_nothing_is_left_behind_after_close(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await host.started()
        own = asyncio.current_task()
        await hypervisor.close()
        assert [t.get_name() for t in asyncio.all_tasks() if t is not own] == []

    asyncio.run(main())
