"""VM.destroy, resets, and the end of a VM whatever happens meanwhile."""

import asyncio
from pathlib import Path

import pytest
from vm_host import ID, parameters, vm_host

from ovis.client.types import VmStatus
from ovis.node.errors import VmNotFound
from ovis.node.hypervisor.errors import DeadlineExceeded, NotResponding, OperationFailed
from ovis.node.vm import ending, running
from ovis.node.vm.errors import DestroyFailed, ResetFailed
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.states import ExitReason


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
