"""File systems are frozen and let go again, whatever happens to the caller, the guest or the agent."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from vm_host import ID, VmHost, vm_host

from ovis.node.errors import VmNotRunning
from ovis.node.guest import freezing
from ovis.node.guest.freezing import FreezeFailed, Phase, ThawFailed
from ovis.node.hypervisor.errors import AgentError, AgentUnavailable, DeadlineExceeded
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.store import Store


class Frozen:
    """What the guest's agent does; `fails` once."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False
        self.thaws = 0

    def freeze(self, _: Mapping[str, object]) -> object:
        if self.fails:
            raise LookupError
        self.count = 2
        return self.count

    def thaw(self, _: Mapping[str, object]) -> object:
        self.thaws += 1
        found, self.count = self.count, 0
        return found


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = Frozen()
        answers = {"guest-fsfreeze-freeze": self.state.freeze, "guest-fsfreeze-thaw": self.state.thaw}
        self.hypervisor = SimulatedHypervisor(guest=Guest(answers=dict(answers)))

    def life(self, limit: float = 1000.0) -> "Life":
        return Life(self, limit)

    def kept(self) -> freezing.Freeze | None:
        (record,) = Store(self.folder).load()
        return record.freeze


class Life:
    """One life of the agent."""

    def __init__(self, world: World, limit: float) -> None:
        settings = dataclasses.replace(VmSettings(allowed_paths=(world.folder,)), freeze_limit=limit)
        self._host = vm_host(world.folder, world.hypervisor, settings=settings)

    async def __aenter__(self) -> VmHost:
        return await self._host.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await self._host.__aexit__(None, None, None)


def run(folder: Path, body: Callable[[World], Awaitable[None]]) -> None:
    async def whole() -> None:
        world = World(folder)
        try:
            async with asyncio.timeout(20):
                await body(world)
        finally:
            await world.hypervisor.close()

    asyncio.run(whole())


async def booted(world: World, host: VmHost) -> None:
    await host.started()
    await host.until(lambda: world.hypervisor.domain(ID).agent_connected)


def test_frozen_guest_is_noted_until_it_is_thawed(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        async with world.life() as host:
            await booted(world, host)
            vm = host.vms.find(ID)
            assert await freezing.freeze(host.vms, vm) == 2
            kept = world.kept()
            assert kept is not None
            assert kept.phase is Phase.FROZEN
            with pytest.raises(FreezeFailed):
                await freezing.freeze(host.vms, vm)
            await freezing.thaw(host.vms, vm)
            assert world.kept() is None
            await freezing.thaw(host.vms, vm)
            assert world.state.count == 0

    run(tmp_path, body)


def test_it_is_noted_before_the_guest_is_asked(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        noted = []

        def freeze(_: Mapping[str, object]) -> int:
            noted.append(world.kept())
            return 1

        async with world.life() as host:
            await booted(world, host)
            world.hypervisor.domain(ID).guest.answers["guest-fsfreeze-freeze"] = freeze
            await freezing.freeze(host.vms, host.vms.find(ID))
        assert [kept.phase for kept in noted if kept] == [Phase.FREEZING]

    run(tmp_path, body)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (AgentError(ID, "no"), FreezeFailed),
        (DeadlineExceeded("agent", 120, started=True), FreezeFailed),
        (AgentUnavailable(ID, "gone"), AgentUnavailable),
    ],
)
def test_failed_freeze_is_thawed(tmp_path: Path, error: Exception, raised: type[Exception]) -> None:
    async def body(world: World) -> None:
        async with world.life() as host:
            await booted(world, host)
            vm = host.vms.find(ID)
            world.hypervisor.faults.fail("agent", error=error)  # type: ignore[arg-type]
            with pytest.raises(raised):
                await freezing.freeze(host.vms, vm)
            await host.until(lambda: world.state.thaws)
            await host.until(lambda: vm.freeze is None)
            await host.written()
            assert world.kept() is None
            assert await freezing.freeze(host.vms, vm) == 2

    run(tmp_path, body)


def test_guest_that_nobody_thaws_is_thawed_and_the_late_thaw_says_so(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        async with world.life(limit=0.05) as host:
            await booted(world, host)
            vm = host.vms.find(ID)
            await freezing.freeze(host.vms, vm)
            await host.until(lambda: vm.freeze is not None and vm.freeze.phase is Phase.EXPIRED)
            assert world.state.count == 0
            with pytest.raises(ThawFailed, match="not consistent"):
                await freezing.thaw(host.vms, vm)
            await freezing.thaw(host.vms, vm)

    run(tmp_path, body)


def test_agent_that_restarts_keeps_the_time_of_the_freeze(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        async with world.life() as host:
            await booted(world, host)
            await freezing.freeze(host.vms, host.vms.find(ID))
        async with world.life() as host:
            vm = host.vms.find(ID)
            assert freezing.is_frozen(vm)
            assert world.state.count == 2
            await freezing.thaw(host.vms, vm)
            assert world.kept() is None
            assert world.state.count == 0

    run(tmp_path, body)


def test_agent_that_was_killed_while_it_froze_thaws_at_once(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        async with world.life() as host:
            await booted(world, host)
            vm = host.vms.find(ID)
            await freezing._note(host.vms, vm, freezing.Freeze(Phase.FREEZING, host.vms.clock() + 1000))
            world.state.count = 2
        async with world.life() as host:
            await host.until(lambda: host.vms.find(ID).freeze is None)
            assert world.state.count == 0

    run(tmp_path, body)


def test_frozen_guest_is_not_asked_for_facts(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        async with world.life() as host:
            await booted(world, host)
            vm = host.vms.find(ID)
            assert ID in host.vms.polling._guests
            await freezing.freeze(host.vms, vm)
            assert ID not in host.vms.polling._guests
            await freezing.thaw(host.vms, vm)
            assert ID in host.vms.polling._guests

    run(tmp_path, body)


def test_vm_that_is_down_cannot_be_frozen(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        async with world.life() as host:
            await booted(world, host)
            vm = host.vms.find(ID)
            world.hypervisor.stop(ID)
            await host.until(lambda: vm.is_down)
            with pytest.raises(VmNotRunning):
                await freezing.freeze(host.vms, vm)

    run(tmp_path, body)


def test_guest_is_not_asked_when_nothing_can_be_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(world: World) -> None:
        async with world.life() as host:
            await booted(world, host)
            vm = host.vms.find(ID)

            def full(_: object) -> None:
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(host.vms.store, "write", full)
            with pytest.raises(FreezeFailed, match="No space"):
                await freezing.freeze(host.vms, vm)
            assert world.state.count == 0
            assert not freezing.is_frozen(vm)

    run(tmp_path, body)
