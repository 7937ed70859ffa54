"""The desktop verbs and the clock, through the agents of a simulated VM."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from vm_host import ID, VmHost, vm_host

from ovis.node.errors import BadParameter
from ovis.node.guest import desktop
from ovis.node.guest.ovirt_agent.agents import AgentSilent
from ovis.node.hypervisor.simulated import Guest
from ovis.node.hypervisor.simulated.consoles import SimulatedStream
from ovis.node.vm import running, shutting_down

CHANNEL = "ovirt-guest-agent.0"
DEVICE = f"<channel type='unix'><target type='virtio' name='{CHANNEL}'/></channel>"


class Desk:
    def __init__(self, host: VmHost, stream: SimulatedStream) -> None:
        self.host = host
        self._stream = stream
        self._unread = b""

    async def say(self, name: str, /, **members: Any) -> None:
        await self._stream.write(json.dumps({"__name__": name, **members}).encode() + b"\n")

    async def hears(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while b"\n" not in self._unread:
                self._unread += await self._stream.read()
        line, _, self._unread = self._unread.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    @property
    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.host.vms.stats_json(self.host.vms.find(ID)))
        return found


def run(folder: Path, body: Callable[[Desk], Awaitable[None]], guest: Guest | None = None) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), vm_host(folder, guest=guest) as host:
            await host.started(devices=DEVICE)
            channels = host.hypervisor.consoles.channels
            await host.until(lambda: (ID, CHANNEL) in channels)
            await body(Desk(host, channels[ID, CHANNEL]))

    asyncio.run(whole())


def test_commands_reach_the_agent(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        vms, vm = desk.host.vms, desk.host.vms.find(ID)
        await desk.hears()
        with pytest.raises(AgentSilent):
            await desktop.lock(vms, vm)
        await desk.say("heartbeat")
        await desk.host.until(lambda: vms.desktops.answers(ID))
        await desktop.lock(vms, vm)
        await desktop.log_in(vms, vm, user="me", domain="there", password="secret")
        await desktop.log_in(vms, vm, user="me", domain="", password="secret")
        await desktop.log_off(vms, vm, force=True)
        await desktop.send(vms, vm, "anything")
        assert [await desk.hears() for _ in range(5)] == [
            {"__name__": "lock-screen"},
            {"__name__": "login", "username": "me@there", "password": "secret"},
            {"__name__": "login", "username": "me", "password": "secret"},
            {"__name__": "log-off", "force": True},
            {"__name__": "anything"},
        ]
        with pytest.raises(BadParameter):
            await desktop.send(vms, vm, "")

    run(tmp_path, body)


def test_users_see_why_the_guest_is_shut_down(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        vms, vm = desk.host.vms, desk.host.vms.find(ID)
        await desk.hears()
        await desk.say("heartbeat")
        await desk.host.until(lambda: vms.desktops.answers(ID))
        wish = shutting_down.Wish(reboot=False, force=False, delay=0, timeout=0.2, message="back at noon")
        await shutting_down.shut_down(vms, vm, wish)
        asked = {"__name__": "shutdown", "timeout": 0, "message": "back at noon", "reboot": "false"}
        assert await desk.hears() == asked
        await desk.host.until(lambda: vm.is_down)  # by the next step of the ladder: this agent does not obey

    run(tmp_path, body)


def test_what_the_agent_tells_is_seen_in_statistics(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        vm = desk.host.vms.find(ID)
        await desk.say("heartbeat", **{"memory-stat": {"mem_total": 1000, "mem_unused": 250}})
        await desk.host.until(lambda: vm.status == "Up")
        await desk.say("applications", applications=["vim"])
        await desk.say("fqdn", fqdn="tiny.example.org")
        await desk.say("active-user", name="me@there")
        await desk.say("session-lock")
        await desk.host.until(lambda: desk.stats["session"] == "Locked")
        stats = desk.stats
        assert (stats["appsList"], stats["guestFQDN"], stats["username"]) == (["vim"], "tiny.example.org", "me@there")
        assert stats["memUsage"] == "75"

    run(tmp_path, body)


def test_agent_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        await desk.say("session-lock")
        await desk.host.until(lambda: desk.stats["session"] == "Locked")
        await desk._stream.close()
        await desk.host.until(lambda: desk.stats["session"] == "Unknown")

    run(tmp_path, body)


def test_clock_is_set_when_a_paused_guest_goes_on(tmp_path: Path) -> None:
    times: list[int] = []

    def set_time(arguments: Mapping[str, object]) -> object:
        time = arguments["time"]
        assert isinstance(time, int)
        times.append(time)
        return {}

    async def body(desk: Desk) -> None:
        vms, vm = desk.host.vms, desk.host.vms.find(ID)
        await desk.host.until(lambda: desk.host.hypervisor.domain(ID).agent_connected)
        assert times == []
        await running.pause(vms, vm)
        await running.resume(vms, vm)
        await desk.host.until(lambda: times)
        assert abs(times[0] / 1e9 - vms.clock()) < 60

    run(tmp_path, body, Guest(answers={"guest-set-time": set_time}))
