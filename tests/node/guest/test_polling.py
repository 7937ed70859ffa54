import asyncio
from collections.abc import Callable
from typing import Any

from ovis.node.guest.facts import GuestFacts
from ovis.node.guest.polling import CONCURRENT, GuestPolling
from ovis.node.hypervisor.errors import AgentError, AgentUnavailable

ANSWERS: dict[str, object] = {
    "guest-info": {"version": "7.2", "supported_commands": [{"name": n, "enabled": True} for n in (
        "guest-get-osinfo", "guest-get-host-name", "guest-network-get-interfaces", "guest-get-users")]},
    "guest-get-host-name": {"host-name": "one"},
    "guest-get-osinfo": {"id": "debian", "name": "Debian"},
    "guest-network-get-interfaces": [],
    "guest-get-users": [],
}  # fmt: skip


class Agents:
    """Guests that answer, refuse or are silent."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.silent: set[str] = set()
        self.refused: set[str] = set()
        self.at_once = 0
        self.most_at_once = 0

    async def agent(self, domain_id: str, command: dict[str, object], *, deadline: float | None = None) -> object:
        name = str(command["execute"])
        self.calls.append((domain_id, name))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if domain_id in self.silent:
            raise AgentUnavailable(domain_id, "not connected")
        if name in self.refused:
            raise AgentError(domain_id, "no such command")
        return ANSWERS[name]

    def times(self, name: str) -> int:
        return sum(called == name for _, called in self.calls)


class Bench:
    def __init__(self) -> None:
        self.now = 1000.0
        self.agents = Agents()
        self.facts: dict[str, GuestFacts] = {}
        self.silences: list[str] = []
        hypervisor: Any = self.agents
        self.polling = GuestPolling(
            hypervisor, period=30.0, clock=lambda: self.now, on_facts=self.facts.__setitem__,
            on_silence=self.silences.append, spread=lambda: 0.5,
        )  # fmt: skip

    async def after(self, seconds: float) -> None:
        self.now += seconds
        self.polling.start_due()
        await self.polling.settle()


def run(work: Callable[[Bench], Any]) -> None:
    asyncio.run(work(Bench()))


def test_a_guest_is_asked_at_once_and_its_facts_are_told() -> None:
    async def work(bench: Bench) -> None:
        bench.polling.add("a")
        await bench.after(0)
        assert (bench.facts["a"].host_name, bench.facts["a"].agent_version) == ("one", "7.2")
        assert bench.agents.times("guest-get-fsinfo") == 0  # it does not know that command

    run(work)


def test_what_does_not_change_is_asked_seldom() -> None:
    async def work(bench: Bench) -> None:
        bench.polling.add("a")
        for _ in range(10):
            await bench.after(30)
        assert bench.agents.times("guest-get-host-name") == 10
        assert bench.agents.times("guest-get-osinfo") == 1

    run(work)


def test_a_refused_command_leaves_only_its_own_facts_unknown() -> None:
    async def work(bench: Bench) -> None:
        bench.agents.refused.add("guest-get-osinfo")
        bench.polling.add("a")
        await bench.after(0)
        assert bench.facts["a"].os is None
        assert bench.facts["a"].host_name == "one"

    run(work)


def test_a_silent_guest_is_asked_less_and_less() -> None:
    async def work(bench: Bench) -> None:
        bench.agents.silent.add("a")
        bench.polling.add("a")
        for _ in range(600):
            await bench.after(1)
        assert 6 <= len(bench.agents.calls) <= 12
        assert bench.silences == []

    run(work)


def test_an_agent_that_connects_is_asked_at_once() -> None:
    async def work(bench: Bench) -> None:
        bench.agents.silent.add("a")
        bench.polling.add("a")
        await bench.after(0)
        bench.agents.silent.clear()
        await bench.after(0)
        assert not bench.facts
        bench.polling.connected("a")
        await bench.after(0)
        assert bench.facts["a"].host_name == "one"

    run(work)


def test_a_young_guest_is_asked_again_soon() -> None:
    async def work(bench: Bench) -> None:
        bench.polling.add("a")
        await bench.after(0)
        await bench.after(2)
        await bench.after(4)
        assert bench.agents.times("guest-network-get-interfaces") == 3
        await bench.after(4)
        assert bench.agents.times("guest-network-get-interfaces") == 3

    run(work)


def test_one_silence_is_forgiven_and_the_second_is_told_once() -> None:
    async def work(bench: Bench) -> None:
        bench.polling.add("a")
        await bench.after(0)
        bench.agents.silent.add("a")
        await bench.after(2)
        assert bench.silences == []
        for _ in range(5):
            await bench.after(120)
        assert bench.silences == ["a"]

    run(work)


def test_an_agent_that_disconnects_is_silent_at_once() -> None:
    async def work(bench: Bench) -> None:
        bench.polling.add("a")
        await bench.after(0)
        bench.polling.disconnected("a")
        assert bench.silences == ["a"]

    run(work)


def test_few_guests_are_asked_at_a_time_and_all_get_their_turn() -> None:
    async def work(bench: Bench) -> None:
        for number in range(50):
            bench.polling.add(str(number))
        await bench.after(0)  # each that ends makes room for the next
        assert len(bench.facts) == 50
        assert bench.agents.most_at_once <= CONCURRENT

    run(work)


def test_close_leaves_no_question_under_way() -> None:
    async def work(bench: Bench) -> None:
        for number in range(20):
            bench.polling.add(str(number))
        bench.polling.start_due()
        await asyncio.sleep(0)
        await bench.polling.close()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work)


def test_an_answer_of_a_removed_vm_is_dropped() -> None:
    async def work(bench: Bench) -> None:
        bench.polling.add("a")
        bench.polling.start_due()
        bench.polling.remove("a")
        await bench.polling.settle()
        assert not bench.facts

    run(work)
