"""An oVirt agent in a simulated guest: it goes where its guest goes, obeys, and remembers what it was told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vm_host import ID

from ovis.node.hypervisor.simulated import SimulatedHypervisor
from ovis.node.hypervisor.simulated.consoles import SimulatedStream

CHANNEL = "ovirt-guest-agent.0"
DEVICE = f"<channel type='unix'><target type='virtio' name='{CHANNEL}'/></channel>"


class DesktopAgent:
    """`told`: lifecycle events, those that failed with an exclamation mark; a desktop that was locked as "locked"."""

    def __init__(self, *hypervisors: SimulatedHypervisor) -> None:
        self._hypervisors = hypervisors
        self.told: list[str] = []
        self.is_ready = True
        """Says so when it is asked to get ready."""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            known: set[SimulatedStream] = set()
            while True:
                for hypervisor in self._hypervisors:
                    stream = hypervisor.consoles.channels.get((ID, CHANNEL))
                    if stream is not None and stream not in known:
                        known.add(stream)
                        tasks.create_task(self._serve(stream))
                await asyncio.sleep(0.001)

    async def _serve(self, stream: SimulatedStream) -> None:
        unread = b""
        while data := await stream.read():
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                await self._obey(stream, json.loads(line))

    async def _obey(self, stream: SimulatedStream, asked: dict[str, object]) -> None:
        match asked["__name__"]:
            case "refresh":
                await _say(stream, "heartbeat", apiVersion=3)
            case "login":
                await _say(stream, "session-logon")
            case "lock-screen":
                self.told.append("locked")
                await _say(stream, "session-lock")
            case "lifecycle-event":
                self.told.append(f"{asked['type']}{'!' if asked.get('failure') else ''}")
                if self.is_ready and "reply_id" in asked:
                    await _say(stream, "completion", reply_id=asked["reply_id"])


async def _say(stream: SimulatedStream, name: str, /, **members: object) -> None:
    await stream.write(json.dumps({"__name__": name, **members}).encode() + b"\n")


@asynccontextmanager
async def desktop_agent(*hypervisors: SimulatedHypervisor) -> AsyncIterator[DesktopAgent]:
    agent = DesktopAgent(*hypervisors)
    running = asyncio.ensure_future(agent.run())
    try:
        yield agent
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
