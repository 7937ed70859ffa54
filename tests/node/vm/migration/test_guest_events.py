"""What the guest's oVirt agent is told around a migration."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from desktop_agent import DEVICE, DesktopAgent, desktop_agent
from two_hosts import TwoHosts, two_hosts
from vm_host import ID

from ovis.node.guest import notices
from ovis.node.hypervisor.simulated.migration import Phase
from ovis.node.vm import running
from ovis.node.vm.migration import source


@asynccontextmanager
async def guest_on_a(folder: Path) -> AsyncIterator[tuple[TwoHosts, DesktopAgent]]:
    async with two_hosts(folder, devices=DEVICE) as hosts, desktop_agent(*hosts.hypervisors.values()) as agent:
        await hosts.until("the agent is known", lambda: hosts.a.vms.desktops.answers(ID))
        yield hosts, agent


def run(folder: Path, body: Callable[[TwoHosts, DesktopAgent], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30), guest_on_a(folder) as (hosts, agent):
            await body(hosts, agent)

    asyncio.run(whole())


def test_the_guest_hears_of_its_journey_when_that_is_wanted(tmp_path: Path) -> None:
    async def body(hosts: TwoHosts, agent: DesktopAgent) -> None:
        await hosts.leave(enable_guest_events=True)
        await hosts.arrived()
        await hosts.until("it is told", lambda: agent.told == ["before_migration", "after_migration"])
        await hosts.until("nothing is owed", lambda: hosts.b.vms.find(ID).notice is None)

    run(tmp_path, body)


def test_it_hears_nothing_when_that_is_not_wanted(tmp_path: Path) -> None:
    async def body(hosts: TwoHosts, agent: DesktopAgent) -> None:
        await hosts.leave()
        await hosts.arrived()
        await hosts.until("the agent is known there", lambda: hosts.b.vms.desktops.answers(ID))
        assert agent.told == []

    run(tmp_path, body)


def test_a_guest_that_does_not_get_ready_goes_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "READY_SECONDS", 0.05)

    async def body(hosts: TwoHosts, agent: DesktopAgent) -> None:
        agent.is_ready = False
        await hosts.leave(enable_guest_events=True)
        await hosts.arrived()

    run(tmp_path, body)


def test_a_migration_is_left_while_the_guest_gets_ready(tmp_path: Path) -> None:
    async def body(hosts: TwoHosts, agent: DesktopAgent) -> None:
        agent.is_ready = False
        vm = await hosts.leave(enable_guest_events=True)
        await hosts.until("it is told", lambda: agent.told)
        await source.cancel(hosts.a.vms, vm)
        await hosts.stayed()
        await hosts.until("it is told", lambda: agent.told == ["before_migration", "after_migration!"])

    run(tmp_path, body)


@pytest.mark.parametrize("killed", ["a", "b", ""])
def test_a_guest_that_stays_is_told_whoever_was_killed(tmp_path: Path, killed: str) -> None:
    async def body(hosts: TwoHosts, agent: DesktopAgent) -> None:
        reached = hosts.hypervisors["a"].migration.stop_at(Phase.PERFORM)
        await hosts.leave(enable_guest_events=True)
        await reached.wait()
        if killed:
            await hosts.kill(killed)
        hosts.hypervisors["a"].migration.break_connections()
        if killed:
            await hosts.start(killed)
        await hosts.stayed()
        await hosts.until("it is told", lambda: agent.told == ["before_migration", "after_migration!"])

    run(tmp_path, body)


def test_a_guest_that_arrives_while_no_agent_lives_there_is_told_later(tmp_path: Path) -> None:
    async def body(hosts: TwoHosts, agent: DesktopAgent) -> None:
        reached = hosts.hypervisors["a"].migration.stop_at(Phase.PERFORM)
        await hosts.leave(enable_guest_events=True)
        await reached.wait()
        await hosts.kill("b")
        hosts.hypervisors["a"].migration.go(Phase.PERFORM)
        await hosts.until("it runs there", lambda: hosts.running() == "b")
        await hosts.start("b")
        await hosts.arrived()
        await hosts.until("it is told", lambda: agent.told == ["before_migration", "after_migration"])

    run(tmp_path, body)


def test_a_paused_guest_is_not_asked_to_get_ready(tmp_path: Path) -> None:
    async def body(hosts: TwoHosts, agent: DesktopAgent) -> None:
        await running.pause(hosts.a.vms, hosts.a.vms.find(ID))
        await hosts.leave(enable_guest_events=True)
        await hosts.until("it has left", lambda: hosts.a.vms.find(ID).is_down)
        assert agent.told == []

    run(tmp_path, body)
