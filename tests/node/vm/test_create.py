"""VM.create on a simulated host, and what leaves nothing behind."""

import asyncio
from pathlib import Path

import pytest
from vm_host import ID, VmHost, new_id, parameters, vm_host

from ovis.client.types import VmStatus
from ovis.node.errors import BadParameter, VmExists
from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorLost, StartFailed
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import running
from ovis.node.vm.errors import CreateFailed
from ovis.node.vm.settings import VmSettings
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


def test_nothing_is_left_behind_after_close(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await host.started()
        own = asyncio.current_task()
        await hypervisor.close()
        assert [t.get_name() for t in asyncio.all_tasks() if t is not own] == []

    asyncio.run(main())
