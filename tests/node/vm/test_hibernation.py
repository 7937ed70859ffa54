"""Saving a VM to disk and starting it from there, with everything that goes wrong in between."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from vm_host import ID, VmHost, new_id, vm_host, xml

from ovis.client.types import MigrateParams, VmParameters, VmStatus
from ovis.node.errors import BadParameter, MissingParameter, NodeError, VmBusy
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.hypervisor.interface import DomainState
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.hypervisor.simulated.migration import Phase
from ovis.node.vm import ending, hibernation, running
from ovis.node.vm.disks.errors import DriveNotFound
from ovis.node.vm.migration import source
from ovis.node.vm.migration.errors import CancelFailed
from ovis.node.vm.saved_memory import Place, handle_of_wish, place_of, read_parameters, write_parameters
from ovis.node.vm.states import ExitReason
from ovis.node.vm.vm import Vm


def files(folder: Path) -> str:
    """The handle of two prepared, empty files."""
    found = [folder / "memory", folder / "parameters"]
    for path in found:
        path.touch()
    return ",".join(map(str, found))


async def begin(host: VmHost, vm: Vm, handle: str) -> None:
    await hibernation.begin(host.vms, vm, handle, "hibernationVolHandle")


@asynccontextmanager
async def one_host(folder: Path, hypervisor: SimulatedHypervisor) -> AsyncIterator[VmHost]:
    async with vm_host(folder, hypervisor) as host:
        yield host


def simulated() -> SimulatedHypervisor:
    return SimulatedHypervisor(guest=Guest(agent_after=None))


async def saved(host: VmHost, folder: Path) -> Vm:
    vm = host.vms.get(ID) or await host.started()
    await begin(host, vm, files(folder))
    await host.until(lambda: vm.is_down)
    return vm


def restored(folder: Path, **changes: object) -> VmParameters:
    return VmParameters(hiber_vol_handle=f"{folder}/memory,{folder}/parameters", **changes)  # type: ignore[arg-type]


def test_a_vm_is_saved_and_starts_from_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await saved(host, tmp_path)
            assert host.statuses()[-2:] == ["Saving State", "Down"]
            assert vm.exit is not None
            assert (vm.exit.code, vm.exit.reason) == (0, ExitReason.SAVE_STATE_SUCCEEDED)
            known = read_parameters(tmp_path / "parameters")
            assert (known.id, known.name, known.paused) == (ID, "one", False)
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            await host.vms.create(ID, restored(tmp_path))
            vm = host.vms.find(ID)
            await host.until(lambda: vm.status is VmStatus.UP)
            assert host.statuses()[-2:] == ["Restoring state", "Up"]
            assert host.hypervisor.domain(ID).reason == "restored"

    asyncio.run(main())


def test_the_guests_clock_is_set_after_its_time_on_disk(tmp_path: Path) -> None:
    times: list[object] = []

    def set_time(arguments: Mapping[str, object]) -> object:
        times.append(arguments["time"])
        return {}

    async def main() -> None:
        guest = Guest(agent_after=0.01, answers={"guest-set-time": set_time})
        async with vm_host(tmp_path, SimulatedHypervisor(guest=guest)) as host:
            vm = await saved(host, tmp_path)
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            assert times == []
            await host.vms.create(ID, restored(tmp_path))
            await host.until(lambda: times)

    asyncio.run(main())


def test_it_starts_paused_when_that_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await saved(host, tmp_path)
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            await host.vms.create(ID, restored(tmp_path, launch_paused=True))
            vm = host.vms.find(ID)
            await host.until(lambda: vm.status is VmStatus.PAUSED)

    asyncio.run(main())


@pytest.mark.parametrize("paused", [False, True])
def test_a_save_that_fails_leaves_it_as_it_was(tmp_path: Path, paused: bool) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            if paused:
                await running.pause(host.vms, vm)
            host.hypervisor.faults.fail("write", error=OperationFailed("No space left on device"))
            await begin(host, vm, files(tmp_path))
            await host.until(lambda: vm.status in (VmStatus.UP, VmStatus.PAUSED))
            assert vm.status is (VmStatus.PAUSED if paused else VmStatus.UP)
            assert host.hypervisor.domain(ID).state is (DomainState.PAUSED if paused else DomainState.RUNNING)
            assert vm.operation is None or not await host.until(lambda: vm.operation is None)

    asyncio.run(main())


def test_it_can_be_cancelled_and_nothing_else_comes_between(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            reached = host.hypervisor.migration.stop_at(Phase.PERFORM)
            await begin(host, vm, files(tmp_path))
            await reached.wait()
            with pytest.raises(VmBusy):
                await source.begin(host.vms, vm, MigrateParams(dst="b"))
            await hibernation.cancel(host.vms, vm)
            assert vm.status is VmStatus.UP

    asyncio.run(main())


def test_a_cancel_that_comes_too_late(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            await begin(host, vm, files(tmp_path))
            await host.until(lambda: ID in host.hypervisor.migration.jobs)
            host.hypervisor.faults.delay("cancel", 0.05)
            with pytest.raises(CancelFailed):
                await hibernation.cancel(host.vms, vm)
            assert vm.is_down

    asyncio.run(main())


@pytest.mark.parametrize("outcome", ["saved", "failed", "crashed"])
def test_the_agent_is_killed_while_libvirt_saves(tmp_path: Path, outcome: str) -> None:
    async def main() -> None:
        hypervisor = simulated()
        async with one_host(tmp_path, hypervisor) as host:
            vm = await host.started()
            reached = hypervisor.migration.stop_at(Phase.PERFORM)
            await begin(host, vm, files(tmp_path))
            await reached.wait()
        if outcome == "failed":
            hypervisor.faults.fail("write")
        if outcome == "crashed":
            hypervisor.stop(ID, "crashed")
        job = hypervisor.migration.jobs[ID]
        hypervisor.migration.go(Phase.PERFORM)
        if outcome != "crashed":
            await job.ended.wait()
        async with one_host(tmp_path, hypervisor) as host:
            vm = host.vms.find(ID)
            await host.until(lambda: vm.status is not VmStatus.SAVING_STATE)
            if outcome == "failed":
                assert vm.status is VmStatus.UP
                return
            assert vm.exit is not None
            assert vm.exit.reason is (
                ExitReason.SAVE_STATE_SUCCEEDED if outcome == "saved" else ExitReason.LIBVIRT_DOMAIN_MISSING
            )
        await hypervisor.close()

    asyncio.run(main())


def test_the_agent_finds_a_save_under_way_and_waits_for_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = simulated()
        async with one_host(tmp_path, hypervisor) as host:
            vm = await host.started()
            reached = hypervisor.migration.stop_at(Phase.PERFORM)
            await begin(host, vm, files(tmp_path))
            await reached.wait()
        async with one_host(tmp_path, hypervisor) as host:
            vm = host.vms.find(ID)
            assert vm.status is VmStatus.SAVING_STATE
            hypervisor.migration.go(Phase.PERFORM)
            await host.until(lambda: vm.is_down)
            assert vm.exit is not None
            assert vm.exit.reason is ExitReason.SAVE_STATE_SUCCEEDED
        await hypervisor.close()

    asyncio.run(main())


def test_the_daemon_is_killed_while_it_saves(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            reached = host.hypervisor.migration.stop_at(Phase.PERFORM)
            await begin(host, vm, files(tmp_path))
            await reached.wait()
            host.hypervisor.disconnect()
            host.hypervisor.migration.break_connections()
            await asyncio.sleep(0.05)
            assert vm.status is VmStatus.SAVING_STATE
            host.hypervisor.reconnect()
            await host.until(lambda: vm.status is VmStatus.UP)
            assert host.hypervisor.domain(ID).state is DomainState.RUNNING

    asyncio.run(main())


def test_what_an_earlier_save_left_is_not_taken_for_this_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await saved(host, tmp_path)
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            vm = await host.started()
            reached = host.hypervisor.migration.stop_at(Phase.PERFORM)
            await begin(host, vm, files(tmp_path))
            await reached.wait()
            host.hypervisor._domains.pop(ID)  # without an event
            host.hypervisor.migration.go(Phase.PERFORM)
            await host.until(lambda: vm.is_down)
            assert vm.exit is not None
            assert vm.exit.reason is ExitReason.LIBVIRT_DOMAIN_MISSING

    asyncio.run(main())


def test_what_is_not_whole_is_not_started(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            files(tmp_path)
            with pytest.raises(BadParameter, match="holds no saved VM"):
                await host.vms.create(ID, restored(tmp_path))
            assert len(host.vms) == 0

    asyncio.run(main())


def test_a_saved_machine_is_checked_like_any_other(tmp_path: Path) -> None:
    """A memory file holds a description, and whoever wrote the file wrote that, too."""

    async def main() -> None:
        async with vm_host(tmp_path) as host:
            files(tmp_path)
            disk = "<disk type='file'><source file='/etc/shadow'/><target dev='vda'/></disk>"
            (tmp_path / "memory").write_text("simulated memory\n" + xml(ID, devices=disk))
            with pytest.raises(BadParameter, match="shadow"):
                await host.vms.create(ID, restored(tmp_path))

    asyncio.run(main())


@pytest.mark.parametrize("which", ["memory", "parameters"])
def test_a_place_that_is_missing_or_not_allowed_is_refused(tmp_path: Path, which: str) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            handle = files(tmp_path)
            (tmp_path / which).unlink()
            with pytest.raises(BadParameter, match="no such file"):
                await begin(host, vm, handle)
            (tmp_path / which).symlink_to("/etc/hostname")
            with pytest.raises(BadParameter, match="outside"):
                await begin(host, vm, handle)
            assert (vm.status, vm.operation) == (VmStatus.POWERING_UP, None)

    asyncio.run(main())


def test_ids_of_volumes_that_are_nowhere(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            with pytest.raises(DriveNotFound):
                await begin(host, vm, ",".join([new_id() for _ in range(6)]))
            ids = {name: new_id() for name in ("volumeID", "imageID", "domainID", "poolID")}
            with pytest.raises(DriveNotFound):
                await host.vms.create(new_id(), VmParameters(memory_dump_volume=ids))
            with pytest.raises(BadParameter, match="poolID"):
                await host.vms.create(new_id(), VmParameters(memory_dump_volume={**ids, "poolID": "x"}))

    asyncio.run(main())


def test_memory_by_its_path(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await saved(host, tmp_path)
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            await host.vms.create(ID, VmParameters(memory_dump_volume={"path": f"{tmp_path}/memory"}))
            await host.until(lambda: host.vms.find(ID).status is VmStatus.UP)

    asyncio.run(main())


def test_handles() -> None:
    assert place_of("/a/m,/a/p", "x") == Place("/a/m", "/a/p")
    assert handle_of_wish(MigrateParams(dst="/a/m", dstparams="/a/p")) == "/a/m,/a/p"


@pytest.mark.parametrize("handle", ["", "/only/one", "relative,/b", "a,b,c,d,e,f", "/a,/b,/c"])
def test_what_is_no_handle_is_refused(handle: str) -> None:
    with pytest.raises(BadParameter):
        place_of(handle, "hibernationVolHandle")


def test_mode_file_needs_both_paths() -> None:
    for wish in (MigrateParams(dst="/a"), MigrateParams(dstparams="/b")):
        with pytest.raises(NodeError) as error:
            handle_of_wish(wish)
        assert isinstance(error.value, MissingParameter)


def test_parameters_are_readable_by_their_owner_only_and_replaced_in_one_step(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await saved(host, tmp_path)
            known = read_parameters(tmp_path / "parameters")
            assert (tmp_path / "parameters").stat().st_mode & 0o777 == 0o600
            write_parameters(tmp_path / "parameters", known)
            assert read_parameters(tmp_path / "parameters") == known
            assert sorted(os.listdir(tmp_path)) == ["memory", "parameters", "vms"]

    asyncio.run(main())
