"""Migrations between two agents on simulated hosts: what goes well, what is refused, and every fault in every phase."""

import asyncio
import contextlib
import dataclasses
from pathlib import Path

import pytest
from two_hosts import QUICK, OtherAgent, TwoHosts, two_hosts
from vm_host import ID, new_id, parameters

from ovis.client.types import ConvergenceAction, ConvergenceItem, ConvergenceSchedule, MigrateParams, VmStatus
from ovis.node.errors import BadParameter, MissingParameter, NodeError, VmBusy
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.hypervisor.simulated.migration import Phase
from ovis.node.vm import ending, running
from ovis.node.vm.migration import source
from ovis.node.vm.migration.errors import CancelFailed, MigrationInProgress, MigrationNotInProgress, MigrationRefused
from ovis.node.vm.states import ExitReason

PHASES = [Phase.BEGIN, Phase.PREPARE, Phase.PERFORM, Phase.PERFORMED, Phase.FINISH]
ON_A, ON_B = PHASES[:4], PHASES[4:]


def stopped_at(hosts: TwoHosts, phase: Phase) -> asyncio.Event:
    return hosts.hypervisors["a"].migration.stop_at(phase)


def test_a_vm_moves_and_both_sides_say_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            start = hosts.a.vms.find(ID).start_time
            vm = await hosts.leave()
            assert vm.status is VmStatus.MIGRATION_SOURCE
            await hosts.arrived()
            assert hosts.a.statuses() == ["Powering up", "Migration Source", "Down"]
            assert hosts.b.statuses() == ["Migration Destination", "Up"]
            assert abs(hosts.b.vms.find(ID).start_time - start) < 2
            assert vm.departure is not None
            assert vm.departure.downtime == 40

    asyncio.run(main())


def test_a_paused_vm_arrives_paused(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            await running.pause(hosts.a.vms, hosts.a.vms.find(ID))
            await hosts.leave()
            await hosts.until("it arrives", lambda: hosts.status("b") is VmStatus.PAUSED)
            await hosts.until("it is down", lambda: hosts.status("a") is VmStatus.DOWN)

    asyncio.run(main())


def test_what_was_asked_for_is_asked_of_libvirt(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            await hosts.leave(max_bandwidth_mib_per_second=7, encrypted=True, auto_converge=True, compressed=True)
            await hosts.arrived()
            (method,) = hosts.hypervisors["a"].migration.methods
            assert (method.bandwidth, method.encrypted, method.auto_converge, method.compressed, method.post_copy) == (
                7 << 20, True, True, True, False,
            )  # fmt: skip

    asyncio.run(main())


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        ({}, MissingParameter),
        ({"dst": "b:port"}, BadParameter),
        ({"dst": "b", "dstqemu": "/etc"}, BadParameter),
        ({"dst": "b", "max_bandwidth_mib_per_second": -1}, BadParameter),
        ({"dst": "b", "zerocopy": True}, BadParameter),
        ({"dst": "b", "tunneled": True, "encrypted": True}, BadParameter),
    ],
)
def test_a_wrong_wish_begins_nothing(tmp_path: Path, wish: dict[str, object], kind: type[NodeError]) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            vm = hosts.a.vms.find(ID)
            with pytest.raises(kind):
                await source.begin(hosts.a.vms, vm, MigrateParams(**wish))  # type: ignore[arg-type]
            assert (vm.status, vm.operation) == (VmStatus.POWERING_UP, None)

    asyncio.run(main())


def test_a_busy_or_leaving_vm_does_not_begin_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            vm = hosts.a.vms.find(ID)
            async with vm.claim("something else"):
                with pytest.raises(VmBusy):
                    await hosts.leave()
            reached = stopped_at(hosts, Phase.PERFORM)
            await hosts.leave()
            await reached.wait()
            with pytest.raises(MigrationInProgress):
                await hosts.leave()
            with pytest.raises(NodeError):
                await running.pause(hosts.a.vms, vm)
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.arrived()
            with pytest.raises(MigrationNotInProgress):
                await source.cancel(hosts.a.vms, vm)

    asyncio.run(main())


def test_a_vm_that_shuts_down_does_not_leave(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            hosts.a.vms.find(ID).status = VmStatus.POWERING_DOWN
            with pytest.raises(MigrationRefused):
                await hosts.leave()

    asyncio.run(main())


@pytest.mark.parametrize("phase", [Phase.BEGIN, Phase.PREPARE, Phase.PERFORM])
def test_cancelled_in_each_phase(tmp_path: Path, phase: Phase) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, phase)
            vm = await hosts.leave()
            await reached.wait()
            await source.cancel(hosts.a.vms, vm)
            await hosts.stayed()
            await hosts.leave()  # and may try again
            await hosts.arrived()

    asyncio.run(main())


@pytest.mark.parametrize("phase", [Phase.PERFORMED, Phase.FINISH])
def test_cancelled_too_late(tmp_path: Path, phase: Phase) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, phase)
            vm = await hosts.leave()
            await reached.wait()
            with pytest.raises(CancelFailed):
                await source.cancel(hosts.a.vms, vm)
            await hosts.arrived()

    asyncio.run(main())


def test_cancelled_while_it_waits_for_its_turn(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path, dataclasses.replace(QUICK, outgoing_limit=1)) as hosts:
            other = await hosts.a.started(new_id(), name="two")
            reached = stopped_at(hosts, Phase.PERFORM)
            await source.begin(hosts.a.vms, other, MigrateParams(dst="b"))
            await reached.wait()
            vm = await hosts.leave()
            await asyncio.sleep(0.02)
            assert hosts.status("b") is None  # nobody there was asked
            await source.cancel(hosts.a.vms, vm)
            await hosts.stayed()
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.until("the other one moves", lambda: other.is_down)
            await hosts.leave()  # the slot is free again
            await hosts.arrived()

    asyncio.run(main())


def test_the_limit_of_the_destination_is_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            other = await hosts.a.started(new_id(), name="two")
            reached = stopped_at(hosts, Phase.PERFORM)
            await source.begin(hosts.a.vms, other, MigrateParams(dst="b", incoming_limit=1))
            await reached.wait()
            vm = await hosts.leave(incoming_limit=1)
            await asyncio.sleep(0.05)
            assert (vm.status, hosts.status("b")) == (VmStatus.MIGRATION_SOURCE, None)
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.arrived()
            assert other.is_down

    asyncio.run(main())


def test_a_destination_that_refuses_keeps_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            await hosts.b.started(new_id(), name="one")  # the name is taken
            await hosts.leave()
            await hosts.stayed()

    asyncio.run(main())


def test_a_destination_out_of_memory(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            hosts.hypervisors["b"].faults.fail("incoming", error=OperationFailed("cannot allocate memory"))
            vm = await hosts.leave()
            await hosts.stayed()
            assert vm.departure is not None
            assert "cannot allocate memory" in vm.departure.failure

    asyncio.run(main())


def test_an_announced_vm_that_never_comes_is_given_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, Phase.BEGIN)
            await hosts.leave()
            await reached.wait()
            await hosts.kill("a")
            await hosts.until("b gives it up", lambda: hosts.status("b") is VmStatus.DOWN)
            end = hosts.b.vms.find(ID).exit
            assert end is not None
            assert end.reason is ExitReason.MIGRATION_FAILED

    asyncio.run(main())


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("victims", ["a", "b", "ab", "ba"])
def test_agents_are_killed_in_each_phase_and_libvirt_goes_on(tmp_path: Path, phase: Phase, victims: str) -> None:
    """They live again only when libvirt is through."""

    async def main() -> None:
        settings = dataclasses.replace(QUICK, appear_within=30.0)
        async with two_hosts(tmp_path, settings) as hosts:
            reached = stopped_at(hosts, phase)
            await hosts.leave()
            await reached.wait()
            for name in victims:
                await hosts.kill(name)
            hosts.hypervisors["a"].migration.go(phase)
            await hosts.until("libvirt is through", lambda: hosts.standing() == "b")
            for name in victims:
                await hosts.start(name)
            await hosts.arrived()

    asyncio.run(main())


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("victims", ["a", "b", "ab"])
def test_agents_are_killed_in_each_phase_and_live_again_at_once(tmp_path: Path, phase: Phase, victims: str) -> None:
    async def main() -> None:
        settings = dataclasses.replace(QUICK, appear_within=30.0)
        async with two_hosts(tmp_path, settings) as hosts:
            reached = stopped_at(hosts, phase)
            await hosts.leave()
            await reached.wait()
            for name in victims:
                await hosts.kill(name)
            for name in victims:
                await hosts.start(name)
            await asyncio.sleep(0.03)
            assert hosts.status("a") is VmStatus.MIGRATION_SOURCE
            hosts.hypervisors["a"].migration.go(phase)
            await hosts.arrived()

    asyncio.run(main())


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("killed", ["", "a", "b", "ab"])
def test_the_network_is_cut_in_each_phase(tmp_path: Path, phase: Phase, killed: str) -> None:
    """The daemons lose each other and the agents, too, for a while; with agents dying at the same time."""

    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, phase)
            await hosts.leave()
            await reached.wait()
            hosts.unreachable.add("b")
            hosts.hypervisors["a"].migration.break_connections()
            for name in killed:
                await hosts.kill(name)
            await asyncio.sleep(0.05)
            assert len(hosts.running()) <= 1
            for name in killed:
                await hosts.start(name)
            await asyncio.sleep(0.05)
            if phase in (Phase.PERFORMED, Phase.FINISH):  # nobody can tell yet
                assert hosts.status("a") is VmStatus.MIGRATION_SOURCE
            hosts.unreachable.clear()
            await (hosts.stayed() if phase in ON_A else hosts.arrived())

    asyncio.run(main())


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("daemon", ["a", "b"])
def test_a_daemon_is_killed_in_each_phase(tmp_path: Path, phase: Phase, daemon: str) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, phase)
            await hosts.leave()
            await reached.wait()
            hosts.hypervisors[daemon].disconnect()
            hosts.hypervisors["a"].migration.break_connections("the daemon has ended")
            await asyncio.sleep(0.03)
            hosts.hypervisors[daemon].reconnect()
            await (hosts.stayed() if phase in ON_A else hosts.arrived())

    asyncio.run(main())


def test_qemu_dies_on_the_source_while_it_leaves(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, Phase.PERFORM)
            await hosts.leave()
            await reached.wait()
            hosts.hypervisors["a"].stop(ID, "crashed")
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.until("it is down", lambda: hosts.status("a") is VmStatus.DOWN)
            end = hosts.a.vms.find(ID).exit
            assert end is not None
            assert (end.code, end.reason) == (1, ExitReason.LOST_QEMU_CONNECTION)
            await hosts.until("it is forgotten", lambda: hosts.status("b") is None)
            assert hosts.standing() == ""

    asyncio.run(main())


def test_the_guest_powers_off_while_it_leaves(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, Phase.PERFORM)
            await hosts.leave()
            await reached.wait()
            hosts.hypervisors["a"].stop(ID)
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.until("it is down", lambda: hosts.status("a") is VmStatus.DOWN)
            end = hosts.a.vms.find(ID).exit
            assert end is not None
            assert end.reason is ExitReason.USER_SHUTDOWN

    asyncio.run(main())


@pytest.mark.parametrize("phase", PHASES[:3])
def test_destroyed_on_the_source_while_it_leaves(tmp_path: Path, phase: Phase) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, phase)
            vm = await hosts.leave()
            await reached.wait()
            await ending.destroy(hosts.a.vms, vm, graceful_attempts=0)
            with contextlib.suppress(KeyError):
                hosts.hypervisors["a"].migration.go(phase)
            await hosts.until("nothing is left", lambda: hosts.status("b") is None and not hosts.standing())
            await hosts.a.vms.create(ID, parameters())

    asyncio.run(main())


SETDOWN = ConvergenceAction(name="setDowntime", params=["500"])


@pytest.mark.parametrize("stalling", [None, [], [ConvergenceItem(limit=1, action=SETDOWN)]])
def test_a_guest_that_never_converges_stays(tmp_path: Path, stalling: list[ConvergenceItem] | None) -> None:
    """With the usual schedule, with one that knows no way out, and with one that holds nothing."""

    async def main() -> None:
        async with two_hosts(tmp_path, dataclasses.replace(QUICK, patience=0.3)) as hosts:
            hosts.hypervisors["a"].migration.dirty = 1.0
            schedule = None if stalling is None else ConvergenceSchedule(init=[], stalling=stalling)
            await hosts.leave(convergence_schedule=schedule)
            await hosts.stayed()

    asyncio.run(main())


def test_a_longer_standstill_makes_it_converge(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            migration = hosts.hypervisors["a"].migration
            migration.dirty, migration.converges_at_downtime = 1.0, 0.4
            await hosts.leave()
            await hosts.arrived()
            assert migration.downtime[ID] == 0.4

    asyncio.run(main())


POST_COPY = ConvergenceSchedule(
    init=[], stalling=[ConvergenceItem(limit=0, action=ConvergenceAction(name="postcopy", params=[]))]
)


def test_post_copy_moves_it_at_once_and_cannot_be_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            hosts.hypervisors["a"].migration.dirty = 1.0
            reached = stopped_at(hosts, Phase.PERFORMED)
            vm = await hosts.leave(convergence_schedule=POST_COPY)
            await reached.wait()
            with pytest.raises(CancelFailed):
                await source.cancel(hosts.a.vms, vm)
            hosts.hypervisors["a"].migration.go(Phase.PERFORMED)
            await hosts.arrived()
            assert hosts.hypervisors["a"].migration.methods[0].post_copy

    asyncio.run(main())


@pytest.mark.parametrize("killed", ["", "a"])
def test_a_post_copy_that_breaks_never_runs_the_old_copy_again(tmp_path: Path, killed: str) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            hosts.hypervisors["a"].migration.dirty = 1.0
            reached = stopped_at(hosts, Phase.PERFORMED)
            await hosts.leave(convergence_schedule=POST_COPY)
            await reached.wait()
            for name in killed:
                await hosts.kill(name)
            hosts.hypervisors["a"].migration.break_connections()
            for name in killed:
                await hosts.start(name)
            await hosts.until("it is down", lambda: hosts.status("a") is VmStatus.DOWN)
            end = hosts.a.vms.find(ID).exit
            assert end is not None
            assert end.reason is ExitReason.POSTCOPY_MIGRATION_FAILED
            assert hosts.standing() == ""

    asyncio.run(main())


def test_a_full_disk_begins_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            vm = hosts.a.vms.find(ID)

            def full(_: object) -> None:
                raise OSError(28, "No space left on device")

            hosts.a.vms.store.write = full  # type: ignore[method-assign]
            with pytest.raises(OSError, match="No space"):
                await hosts.leave()
            assert (vm.status, vm.operation) == (VmStatus.POWERING_UP, None)

    asyncio.run(main())


def test_what_broke_off_earlier_is_in_nobodys_way(tmp_path: Path) -> None:
    """The source died before it could take back its announcement."""

    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, Phase.PREPARE)
            await hosts.leave()
            await reached.wait()
            hosts.hypervisors["a"].migration.break_connections()
            await hosts.kill("a")
            await hosts.until("b gives it up", lambda: hosts.status("b") is VmStatus.DOWN)
            hosts.unreachable.add("b")
            await hosts.start("a")
            await hosts.until("it is back", lambda: hosts.status("a") is not VmStatus.MIGRATION_SOURCE)
            assert hosts.status("b") is VmStatus.DOWN
            hosts.unreachable.clear()
            await hosts.leave()
            await hosts.arrived()

    asyncio.run(main())


def test_a_mistake_of_the_agent_does_not_keep_a_vm_on_its_way(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:

            def wrong(address: str) -> OtherAgent:
                hosts.a.vms.migrations.connect = lambda address: OtherAgent(hosts, address)
                raise ZeroDivisionError

            hosts.a.vms.migrations.connect = wrong
            await hosts.leave()
            await hosts.stayed()
            await hosts.leave()
            await hosts.arrived()

    asyncio.run(main())


def test_the_schedule_outlives_the_agent(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            hosts.hypervisors["a"].migration.dirty = 1.0
            reached = stopped_at(hosts, Phase.PERFORM)
            await hosts.leave(convergence_schedule=POST_COPY)
            await reached.wait()
            await hosts.kill("a")
            await hosts.start("a")
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.arrived()
            departure = hosts.a.vms.find(ID).departure
            assert departure is not None
            assert departure.post_copy

    asyncio.run(main())


def test_libvirts_own_word_is_enough(tmp_path: Path) -> None:
    """Also for an agent that was started meanwhile, and with a destination that nobody reaches."""

    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, Phase.FINISH)
            await hosts.leave()
            await reached.wait()
            await hosts.kill("a")
            await hosts.start("a")
            hosts.unreachable.add("b")
            hosts.hypervisors["a"].migration.go(Phase.FINISH)
            await hosts.arrived()

    asyncio.run(main())


@pytest.mark.parametrize("phase", [Phase.BEGIN, Phase.PREPARE, Phase.PERFORM])
def test_a_limit_changed_on_the_way_holds(tmp_path: Path, phase: Phase) -> None:
    """libvirt overwrites one that it is told before the memory flows."""

    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            reached = stopped_at(hosts, phase)
            vm = await hosts.leave(max_bandwidth_mib_per_second=1)
            await reached.wait()
            await source.change(hosts.a.vms, vm, bandwidth=8 << 20)
            hosts.hypervisors["a"].migration.go(phase)
            await hosts.arrived()
            assert hosts.hypervisors["a"].migration.bandwidth[ID] == 8 << 20

    asyncio.run(main())


def test_a_limit_changed_while_it_waits_for_its_turn_holds(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path, dataclasses.replace(QUICK, incoming_limit=1)) as hosts:
            other = await hosts.a.started(new_id(), name="two")
            reached = stopped_at(hosts, Phase.PERFORM)
            await source.begin(hosts.a.vms, other, MigrateParams(dst="b"))
            await reached.wait()
            vm = await hosts.leave(max_bandwidth_mib_per_second=1)
            await source.change(hosts.a.vms, vm, bandwidth=8 << 20)
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.arrived()
            assert hosts.hypervisors["a"].migration.methods[-1].bandwidth == 8 << 20
            with pytest.raises(MigrationNotInProgress):
                await source.change(hosts.a.vms, vm, bandwidth=0)

    asyncio.run(main())


@pytest.mark.parametrize("kill", [False, True])
def test_a_vm_that_is_sent_to_its_own_host_lives_on(tmp_path: Path, kill: bool) -> None:
    """What runs "there" is the VM itself; no look may take it for a copy that has arrived."""

    async def main() -> None:
        async with two_hosts(tmp_path, dataclasses.replace(QUICK, retry_period=5)) as hosts:
            vm = hosts.a.vms.find(ID)
            if kill:
                hosts.a.vms.migrations.incoming_limit = 0  # it waits
            await source.begin(hosts.a.vms, vm, MigrateParams(dst="a"))
            await asyncio.sleep(0.03)
            if kill:
                await hosts.kill("a")
                await hosts.start("a")
            await hosts.stayed()
            await asyncio.sleep(0.1)
            assert hosts.running() == "a"
            await hosts.leave()
            await hosts.arrived()

    asyncio.run(main())


def test_another_vm_with_its_id_is_not_taken_for_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            await hosts.b.started()
            vm = hosts.a.vms.find(ID)
            await source.begin(hosts.a.vms, vm, MigrateParams(dst="b"))
            assert vm.departure is not None
            await vm.departure.ended.wait()
            await asyncio.sleep(0.05)
            assert (hosts.running(), vm.is_down) == ("ab", False)

    asyncio.run(main())
