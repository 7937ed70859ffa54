"""The connections, against an agent that is the other end of a simulated channel."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ovis.node.guest.facts import GuestFacts, Session
from ovis.node.guest.ovirt_agent import agents as module
from ovis.node.guest.ovirt_agent.agents import SILENT_SECONDS, AgentSilent, OvirtAgents
from ovis.node.hypervisor.consoles import TOO_SLOW
from ovis.node.hypervisor.simulated import SimulatedHypervisor
from ovis.node.hypervisor.simulated.consoles import SimulatedStream

ID = "0b5e77ed-0000-4000-8000-000000000001"
CHANNEL = "ovirt-guest-agent.0"
XML = f"""<domain type='qemu'><name>vm</name><uuid>{ID}</uuid><memory unit='MiB'>128</memory>
<os><type machine='q35'>hvm</type></os>
<devices><channel type='unix'><target type='virtio' name='{CHANNEL}'/></channel></devices></domain>"""


class World:
    def __init__(self, hypervisor: SimulatedHypervisor) -> None:
        self.hypervisor = hypervisor
        self.now = 1000.0
        self.facts: list[GuestFacts] = []
        self.silences = 0
        self.agents = OvirtAgents(
            hypervisor,
            clock=lambda: self.now,
            on_facts=lambda _, facts: self.facts.append(facts),
            on_silence=self._silent,
            retry=0.01,
        )
        self._line = b""

    def _silent(self, _: str) -> None:
        self.silences += 1

    @property
    def guest(self) -> SimulatedStream:
        return self.hypervisor.consoles.channels[ID, CHANNEL]

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not is_so():  # noqa: ASYNC110 - any claim, not an event
                await asyncio.sleep(0.001)

    async def connected(self) -> None:
        await self.until(lambda: (ID, CHANNEL) in self.hypervisor.consoles.channels)

    async def say(self, name: str, /, **members: Any) -> None:
        await self.guest.write(json.dumps({"__name__": name, **members}).encode() + b"\n")

    async def hears(self) -> Any:
        async with asyncio.timeout(5):
            while b"\n" not in self._line:
                self._line += await self.guest.read()
        line, _, self._line = self._line.partition(b"\n")
        return json.loads(line)


def run(body: Callable[[World], Awaitable[None]]) -> None:
    async def whole() -> None:
        hypervisor = SimulatedHypervisor()
        await hypervisor.create(XML)
        world = World(hypervisor)
        world.agents.add(ID, CHANNEL)
        await world.connected()
        try:
            await body(world)
        finally:
            await world.agents.close()
            await hypervisor.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


def test_agent_is_asked_to_tell_everything_and_its_facts_arrive() -> None:
    async def body(world: World) -> None:
        assert await world.hears() == {"__name__": "refresh", "apiVersion": 3}
        await world.say("host-name", name="tiny")
        await world.until(lambda: world.facts)
        assert world.facts[-1].host_name == "tiny"
        await world.say("session-lock")
        await world.until(lambda: world.facts[-1].session is Session.LOCKED)

    run(body)


def test_versions_are_agreed_once() -> None:
    async def body(world: World) -> None:
        await world.hears()
        for _ in range(3):
            await world.say("heartbeat", apiVersion=2)
        assert await world.hears() == {"__name__": "api-version", "apiVersion": 2}
        await world.agents.send(ID, "echo", text="x")
        assert (await world.hears())["__name__"] == "echo"

    run(body)


def test_command_needs_an_agent_that_has_spoken_lately() -> None:
    async def body(world: World) -> None:
        await world.hears()
        with pytest.raises(AgentSilent):
            await world.agents.send(ID, "lock-screen")
        await world.say("heartbeat")
        await world.until(lambda: world.agents.answers(ID))
        await world.agents.send(ID, "lock-screen")
        assert await world.hears() == {"__name__": "lock-screen"}
        world.now += SILENT_SECONDS
        with pytest.raises(AgentSilent):
            await world.agents.send(ID, "lock-screen")
        world.agents.look()
        assert world.silences == 1

    run(body)


def test_channel_that_ends_is_opened_again() -> None:
    async def body(world: World) -> None:
        await world.say("host-name", name="first")
        await world.until(lambda: world.facts)
        first = world.guest
        await first.close()
        await world.until(lambda: world.guest is not first)
        assert world.silences == 1
        await world.say("host-name", name="second")
        await world.until(lambda: world.facts[-1].host_name == "second")

    run(body)


@pytest.mark.parametrize("is_read", [True, False])
def test_flood_is_cut_off(monkeypatch: pytest.MonkeyPatch, is_read: bool) -> None:
    async def body(world: World) -> None:
        monkeypatch.setattr(module, "AFTER_FLOOD", 1000.0)
        first = world.guest
        if is_read:
            await first.write(b"\n" * (5 << 20))
        else:
            first.other.end(TOO_SLOW)
        await world.until(lambda: first.reason)
        await asyncio.sleep(0.05)
        assert world.guest is first
        assert not world.agents.answers(ID)

    run(body)


def test_others_get_a_turn_while_a_guest_talks_much() -> None:
    async def body(world: World) -> None:
        line = b'{"__name__": "host-name", "name": "talks"}\n'
        await world.guest.write(line * ((1 << 20) // len(line)) + line.replace(b"talks", b"done"))
        turns = 0
        async with asyncio.timeout(10):
            while not world.facts or world.facts[-1].host_name != "done":
                await asyncio.sleep(0)
                turns += 1
        assert turns > 30  # one for each slice at least

    run(body)


def test_libvirt_that_is_away_is_tried_again() -> None:
    async def body(world: World) -> None:
        first = world.guest
        world.hypervisor.disconnect()
        await first.close()
        await asyncio.sleep(0.05)
        world.hypervisor.reconnect()
        await world.until(lambda: world.guest is not first)

    run(body)


def test_guest_is_told_what_happens_and_given_time_for_it() -> None:
    async def body(world: World) -> None:
        await world.hears()
        assert not await world.agents.tell(ID, "before_migration", seconds=5)  # who has not said that it knows events
        await world.say("heartbeat", apiVersion=3)
        assert (await world.hears())["__name__"] == "api-version"
        telling = asyncio.ensure_future(world.agents.tell(ID, "before_migration", seconds=5))
        told = await world.hears()
        assert (told["__name__"], told["type"]) == ("lifecycle-event", "before_migration")
        await world.say("completion", reply_id="another")
        await asyncio.sleep(0.01)
        assert not telling.done()
        await world.say("completion", reply_id=told["reply_id"])
        assert await telling
        assert not await world.agents.tell(ID, "before_migration", seconds=0.02)
        await world.hears()
        assert await world.agents.tell(ID, "after_migration", failed=True)
        assert await world.hears() == {"__name__": "lifecycle-event", "type": "after_migration", "failure": True}

    run(body)
