"""The agent is killed at every step, and everything that libvirt forgets or remembers meanwhile."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from vm_host import ID, XML, new_id, parameters, vm_host

from ovis.client.types import VmStatus
from ovis.node.hypervisor.interface import Resync
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import ending, recovery, running
from ovis.node.vm.states import ExitReason
from ovis.node.vm.store import Intent, Store

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone: nothing of it runs any further."""


class Steps:
    """Counts the steps at which a process may die, and dies at one of them."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.taken = 0
        self.dead = asyncio.Event()

    def step(self) -> None:
        if self.dead.is_set():
            raise Killed
        if self.taken == self.last:
            self.dead.set()
            raise Killed
        self.taken += 1


class DyingStore(Store):
    """A step before and one after each piece of work on the disk."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        super().__init__(folder)
        self._steps = steps

    async def run(self, work: Callable[[], T]) -> T:
        self._steps.step()
        result = await super().run(work)
        self._steps.step()
        return result

    async def close(self) -> None:
        self._thread.close()


class DyingHypervisor:
    """A step before and one after each call that changes something."""

    def __init__(self, real: SimulatedHypervisor, steps: Steps) -> None:
        self._real = real
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in ("create", "destroy"):
            return found

        async def call(*arguments: Any, **named: Any) -> Any:
            self._steps.step()
            result = await found(*arguments, **named)
            self._steps.step()
            return result

        return call


async def one_life(
    folder: Path, hypervisor: SimulatedHypervisor, last: int | None, *, destroys: bool
) -> tuple[int, bool]:
    """Create a VM (and destroy it) until dead: the steps taken, and whether the last request was answered."""
    steps = Steps(last)
    dying: Any = DyingHypervisor(hypervisor, steps)
    answered = False
    try:
        async with vm_host(folder, dying, store=DyingStore(folder, steps), recover=False) as host:

            async def work() -> None:
                nonlocal answered
                await host.vms.create(ID, parameters())
                vm = host.vms.find(ID)
                await host.until(lambda: steps.dead.is_set() or vm.launch is None or vm.launch.done())
                if destroys and not steps.dead.is_set():
                    await ending.destroy(host.vms, vm, graceful_attempts=1)
                answered = not steps.dead.is_set()

            working = asyncio.ensure_future(work())
            dead = asyncio.ensure_future(steps.dead.wait())
            await asyncio.wait({working, dead}, return_when=asyncio.FIRST_COMPLETED)
            for task in (working, dead):
                task.cancel()
            await asyncio.gather(working, dead, return_exceptions=True)
            for vm in host.vms:  # tasks of a dead process do nothing more
                for started in (vm.launch, vm.ending):
                    if started is not None:
                        started.cancel()
    except Killed:
        pass
    return steps.taken, answered


def records(folder: Path) -> list[Path]:
    return list(folder.glob("vms/*"))


def steps_of(*, destroys: bool, tmp_path_factory: Any) -> int:
    async def main() -> int:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        taken, answered = await one_life(tmp_path_factory.mktemp("whole"), hypervisor, None, destroys=destroys)
        assert answered
        return taken

    return asyncio.run(main())


@pytest.mark.parametrize("destroys", [False, True])
def test_killed_at_every_step_of_create_and_destroy(tmp_path_factory: Any, destroys: bool) -> None:
    total = steps_of(destroys=destroys, tmp_path_factory=tmp_path_factory)
    assert total >= (12 if destroys else 6)

    async def die_at(last: int) -> None:
        folder = tmp_path_factory.mktemp("dying")
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        _, answered = await one_life(folder, hypervisor, last, destroys=destroys)
        async with vm_host(folder, hypervisor) as host:
            await host.written()
            domains = [info.id for info in await hypervisor.domains()]
            known = {vm.id: vm for vm in host.vms}
            where = f"killed at step {last} of {total}"
            assert set(domains) <= set(known), f"{where}: a running VM is lost"
            for vm in known.values():
                assert vm.has_qemu is (vm.id in domains), f"{where}: {vm.status}"
                assert vm.is_down is (vm.id not in domains), where
                assert not vm.is_down or vm.exit, where
                await ending.destroy(host.vms, vm, graceful_attempts=1)
            if answered and destroys:
                assert not known, f"{where}: an answered destroy came back"
            assert not await hypervisor.domains(), where
            assert not records(folder), f"{where}: a record is left"
            await host.started()  # the id is free
        await hypervisor.close()

    async def main() -> None:
        for last in range(total):
            await die_at(last)

    asyncio.run(main())


def test_a_running_vm_is_found_with_state_start_time_and_metadata(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            vm = await host.started(metadata="<ovirt-vm:clusterVersion>4.7</ovirt-vm:clusterVersion>")
            await running.pause(host.vms, vm)
            start = vm.start_time
        async with vm_host(tmp_path, hypervisor) as host:
            vm = host.vms.find(ID)
            assert (vm.status, vm.start_time) == (VmStatus.PAUSED, start)
            assert vm.definition.metadata["clusterVersion"] == "4.7"
            assert vm.definition.metadata["startTime"] == start
            assert host.statuses() == []
            await running.resume(host.vms, vm)
            assert vm.status is VmStatus.POWERING_UP
        await hypervisor.close()

    asyncio.run(main())


def test_a_vm_that_ended_while_the_agent_was_away_is_down_until_destroyed(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await host.started()
        hypervisor.stop(ID)
        for _ in range(2):  # the second start reads what the first one wrote
            async with vm_host(tmp_path, hypervisor) as host:
                exit_info = host.vms.find(ID).exit
                assert exit_info is not None
                assert exit_info.reason is ExitReason.LIBVIRT_DOMAIN_MISSING
        async with vm_host(tmp_path, hypervisor) as host:
            await ending.destroy(host.vms, host.vms.find(ID), graceful_attempts=1)
        async with vm_host(tmp_path, hypervisor) as host:
            assert len(host.vms) == 0
        await hypervisor.close()

    asyncio.run(main())


def test_vms_that_share_a_name_are_all_found(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        ids = ["00000000-0000-4000-8000-000000000001", ID, "ffffffff-0000-4000-8000-000000000001"]
        async with vm_host(tmp_path, hypervisor) as host:
            for vm_id in ids:
                vm = await host.started(vm_id)
                hypervisor.stop(vm_id)
                await host.until(lambda vm=vm: vm.is_down)  # type: ignore[misc]
            await hypervisor.create(XML.format(id=ID, name="one", metadata="", devices=""))
        async with vm_host(tmp_path, hypervisor) as host:
            assert sorted(vm.id for vm in host.vms) == ids
            assert [vm.id for vm in host.vms if vm.has_qemu] == [ID]
        await hypervisor.close()

    asyncio.run(main())


def test_the_reason_of_an_end_survives(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            vm = await host.started()
            hypervisor.stop(ID, "crashed")
            await host.until(lambda: vm.is_down)
            await host.written()
        async with vm_host(tmp_path, hypervisor) as host:
            exit_info = host.vms.find(ID).exit
            assert exit_info is not None
            assert exit_info.reason is ExitReason.LOST_QEMU_CONNECTION
        await hypervisor.close()

    asyncio.run(main())


@pytest.mark.parametrize("runs", [True, False])
def test_a_destroy_that_was_begun_is_finished(tmp_path: Path, runs: bool) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await host.vms.save(await host.started(), Intent.DESTROYING)
        if not runs:
            hypervisor.stop(ID)
        async with vm_host(tmp_path, hypervisor) as host:
            assert len(host.vms) == 0
            assert not await hypervisor.domains()
            assert not records(tmp_path)
        await hypervisor.close()

    asyncio.run(main())


def test_a_destroy_that_cannot_be_finished_leaves_the_vm_known(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await host.vms.save(await host.started(), Intent.DESTROYING)
        hypervisor.faults.fail("destroy")
        async with vm_host(tmp_path, hypervisor) as host:
            assert host.vms.find(ID).has_qemu
        await hypervisor.close()

    asyncio.run(main())


def test_our_domain_without_a_record_is_adopted_and_a_foreign_one_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        ours, foreign = new_id(), new_id()
        start = '<ovirt-vm:startTime type="float">1700000000.5</ovirt-vm:startTime>'
        await hypervisor.create(XML.format(id=ours, name="ours", metadata=start, devices=""))
        plain = XML.format(id=foreign, name="foreign", metadata="", devices="")
        await hypervisor.create(plain.replace("http://ovirt.org/vm/1.0", "http://example.com/other"))
        async with vm_host(tmp_path, hypervisor) as host:
            assert [vm.id for vm in host.vms] == [ours]
            assert host.vms.find(ours).start_time == 1700000000.5
            assert host.vms.find(ours).status is VmStatus.UP  # it started long ago
        assert len(await hypervisor.domains()) == 2
        await hypervisor.close()

    asyncio.run(main())


def test_a_damaged_record_is_put_aside_and_its_vm_adopted(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await host.started()
        (tmp_path / "vms" / f"{ID}.json").write_text('{"version": 1, "id"')
        async with vm_host(tmp_path, hypervisor) as host:
            assert host.vms.find(ID).has_qemu
            assert (tmp_path / "vms" / f"{ID}.json.unreadable").exists()
        await hypervisor.close()

    asyncio.run(main())


def test_no_vm_is_lost_when_libvirt_goes_and_returns(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            paused, gone = new_id(), new_id()
            vms = [await host.started(), await host.started(paused, name="two"), await host.started(gone, name="three")]
            host.hypervisor.disconnect()
            host.hypervisor.pause(paused, "ioerror")
            host.hypervisor.stop(gone)
            host.hypervisor.reconnect()
            await host.until(lambda: vms[2].is_down and vms[1].status is VmStatus.PAUSED)
            assert vms[0].status is VmStatus.POWERING_UP
            assert vms[1].pause_code == "EOTHER"
            assert host.last_change(gone)["exitReason"] == ExitReason.LIBVIRT_DOMAIN_MISSING
            assert host.statuses() == ["Powering up"]

    asyncio.run(main())


def test_a_vm_that_libvirt_has_lost_is_not_down_while_its_qemu_runs(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            vm = await host.started()
            hypervisor.stray(ID)
            await recovery.resync(host.vms, "a test")
            await recovery.look_for(host.vms, vm)
            assert (vm.is_down, vm.responding) == (False, False)
        async with vm_host(tmp_path, hypervisor) as host:
            vm = host.vms.find(ID)
            assert (vm.is_down, vm.responding) == (False, False)
            await ending.destroy(host.vms, vm, graceful_attempts=1)
            assert hypervisor.strays == set()
            assert len(host.vms) == 0
        await hypervisor.close()

    asyncio.run(main())


def test_a_vm_that_libvirt_has_lost_is_down_when_its_qemu_ends(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.stray(ID)
            await recovery.look_for(host.vms, vm)
            assert not vm.is_down
            host.hypervisor.strays.clear()
            await recovery.look_for(host.vms, vm)
            assert vm.is_down

    asyncio.run(main())


def test_lost_events_are_made_good(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started()
            host.hypervisor.domain(ID).enter(*paused_state(), host.monotonic)
            host.hypervisor.publish(Resync(7))
            await host.until(lambda: vm.status is VmStatus.PAUSED)

    asyncio.run(main())


def paused_state() -> tuple[Any, str]:
    from ovis.node.hypervisor.interface import DomainState

    return DomainState.PAUSED, "user"


@pytest.mark.parametrize("started", [True, False])
def test_a_start_during_which_libvirt_goes_away(tmp_path: Path, started: bool) -> None:
    """The simulated libvirt refuses what began before it went; `started` makes the domain as if it had got through."""

    async def main() -> None:
        async with vm_host(tmp_path) as host:
            host.hypervisor.faults.hang("create")
            await host.vms.create(ID, parameters())
            vm = host.vms.find(ID)
            await asyncio.sleep(0)
            host.hypervisor.disconnect()
            await host.until(lambda: vm.launch is not None and vm.launch.done())
            host.hypervisor.faults.clear()
            assert vm.status is VmStatus.WAIT_FOR_LAUNCH
            if started:
                host.hypervisor._lost = None
                await host.hypervisor.create(vm.xml)
                host.hypervisor._lost = "away"
            host.hypervisor.reconnect()
            await host.until(lambda: vm.status is not VmStatus.WAIT_FOR_LAUNCH)
            assert vm.status is (VmStatus.POWERING_UP if started else VmStatus.DOWN)

    asyncio.run(main())


def test_recovery_waits_for_libvirt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ovis.node.vm import recovery

    monkeypatch.setattr(recovery, "TRY_EVERY", 0.01)

    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path, hypervisor) as host:
            await host.started()
        hypervisor.disconnect()
        async with vm_host(tmp_path, hypervisor, recover=False, follow=False) as host:
            recovering = asyncio.ensure_future(host.vms.recover())
            await asyncio.sleep(0.03)
            assert not recovering.done()
            hypervisor.reconnect()
            await recovering
            assert host.vms.find(ID).has_qemu
        await hypervisor.close()

    asyncio.run(main())


def test_many_vms_are_found_again(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        ids = [new_id() for _ in range(30)]
        async with vm_host(tmp_path, hypervisor) as host:
            for number, vm_id in zip(itertools.count(), ids, strict=False):
                await host.started(vm_id, name=f"vm{number}")
        async with vm_host(tmp_path, hypervisor) as host:
            assert sorted(vm.id for vm in host.vms) == sorted(ids)
        await hypervisor.close()

    asyncio.run(main())
