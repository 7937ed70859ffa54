"""Connections to the oVirt guest agents of all VMs: one task per VM that has the channel, for as long as it runs.

    closed --open--> silent --any message--> talking --nothing for SILENT_SECONDS--> silent
       ^                                        |
       +----- the channel ended, or a flood ----+        opened again after a pause that grows

The channel is a line through QEMU: that it is open says nothing about an agent at the other end, which is known only by
what it says. Opening it asks the agent to tell everything.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from ovis.node.errors import NodeError
from ovis.node.guest.facts import GuestFacts
from ovis.node.guest.ovirt_agent.protocol import API_VERSION, Decoder, Flood, Message, encode
from ovis.node.guest.ovirt_agent.report import learn
from ovis.node.hypervisor.consoles import TOO_SLOW, ByteStream, StreamLost
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import Hypervisor

log = logging.getLogger(__name__)

SILENT_SECONDS = 60.0  # agents beat every 5 s by default
RETRY_FIRST, RETRY_MOST = 1.0, 30.0
AFTER_FLOOD = 60.0
SLICE = 16 * 1024
"""Of what a guest says at once: 2 ms of work."""
EVENTS_SINCE = 3
"""Version of the agent's API that knows events and answers them."""


class AgentSilent(NodeError):
    """No oVirt agent answers in the guest."""

    wire_name = "NonResponsiveGuestAgent"

    def __init__(self, domain_id: str) -> None:
        super().__init__(f"no oVirt guest agent answers in VM {domain_id}")
        self.domain_id = domain_id


@dataclass(eq=False)
class _Agent:
    channel: str
    task: asyncio.Task[None] | None = None
    stream: ByteStream | None = None
    heard: float | None = None
    facts: GuestFacts = field(default_factory=GuestFacts)
    api_version: int = 0
    told: bool = False
    knows_events: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    replies: dict[str, asyncio.Future[None]] = field(default_factory=dict)


class OvirtAgents:
    """`on_facts` gets every change. `on_silence` is told when an agent that has talked no longer does."""

    def __init__(
        self,
        hypervisor: Hypervisor,
        *,
        clock: Callable[[], float],
        on_facts: Callable[[str, GuestFacts], None],
        on_silence: Callable[[str], None],
        retry: float = RETRY_FIRST,
    ) -> None:
        self._hypervisor = hypervisor
        self._clock = clock
        self._on_facts = on_facts
        self._on_silence = on_silence
        self._retry = retry
        self._agents: dict[str, _Agent] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def add(self, domain_id: str, channel: str) -> None:
        """Safe to repeat."""
        if domain_id not in self._agents:
            agent = self._agents[domain_id] = _Agent(channel)
            agent.task = asyncio.get_running_loop().create_task(
                self._serve(domain_id, agent), name=f"oVirt agent of {domain_id}"
            )

    def remove(self, domain_id: str) -> None:
        """Safe to repeat."""
        agent = self._agents.pop(domain_id, None)
        if agent is not None and agent.task is not None:
            agent.task.cancel()
            self._ending.add(agent.task)
            agent.task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """No task is left behind."""
        for domain_id in list(self._agents):
            self.remove(domain_id)
        await asyncio.gather(*self._ending, return_exceptions=True)

    def answers(self, domain_id: str) -> bool:
        """Whether an agent has said something lately."""
        agent = self._agents.get(domain_id)
        return agent is not None and agent.stream is not None and self._is_heard(agent)

    async def send(self, domain_id: str, name: str, /, **members: object) -> None:
        """Returns when the channel has taken the command; whether it is obeyed is told by facts.

        Raises AgentSilent, HypervisorError.
        """
        agent = self._agents.get(domain_id)
        if agent is None or agent.stream is None or not self._is_heard(agent):
            raise AgentSilent(domain_id)
        try:
            await agent.stream.write(encode(name, **members))
        except StreamLost as error:
            raise AgentSilent(domain_id) from error

    async def tell(self, domain_id: str, event: str, *, failed: bool = False, seconds: float = 0.0) -> bool:
        """Tell the guest what happens to its VM: before_migration, after_migration, before_hibernation, …

        With `seconds` the agent is given that long to get ready. Whether it was told, and said it is ready when that
        was waited for; an agent that is away or too old for it is no error. Raises HypervisorError.
        """
        agent = self._agents.get(domain_id)
        if agent is None or agent.api_version < EVENTS_SINCE:
            return False
        members: dict[str, object] = {"failure": True} if failed else {}
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seconds:
            members["reply_id"] = reply_id = str(uuid.uuid4())
            agent.replies[reply_id] = ready
        try:
            await self.send(domain_id, "lifecycle-event", type=event, **members)
            if seconds:
                async with asyncio.timeout(seconds):
                    await ready
        except (AgentSilent, TimeoutError):
            return False
        finally:
            agent.replies = {key: kept for key, kept in agent.replies.items() if kept is not ready}
        return True

    async def await_events(self, domain_id: str, *, seconds: float) -> bool:
        """Wait for an agent that understands `tell`; whether it came. At once when the VM has no channel for one."""
        agent = self._agents.get(domain_id)
        if agent is None:
            return False
        try:
            async with asyncio.timeout(seconds):
                await agent.knows_events.wait()
        except TimeoutError:
            return False
        return True

    def hurry(self, domain_id: str) -> None:
        """The channel could not be opened before, and now it can: do not wait for the next try."""
        if (agent := self._agents.get(domain_id)) is not None:
            agent.hurry.set()

    def look(self) -> None:
        """Tell of the agents that have become silent; called now and then."""
        for domain_id, agent in self._agents.items():
            if agent.told and not self._is_heard(agent):
                self._forget(domain_id, agent)

    def _is_heard(self, agent: _Agent) -> bool:
        return agent.heard is not None and self._clock() - agent.heard < SILENT_SECONDS

    def _forget(self, domain_id: str, agent: _Agent) -> None:
        agent.heard = None
        agent.facts = GuestFacts()
        agent.api_version = 0
        agent.knows_events.clear()
        if agent.told:
            agent.told = False
            self._on_silence(domain_id)

    async def _serve(self, domain_id: str, agent: _Agent) -> None:
        pause = self._retry
        while True:
            try:
                await self._listen(domain_id, agent)
            except Flood as error:
                log.warning("the oVirt agent of %s is cut off for %.0f s: %s", domain_id, AFTER_FLOOD, error)
                pause = AFTER_FLOOD
            except (HypervisorError, StreamLost) as error:
                log.debug("the channel of the oVirt agent of %s: %s", domain_id, error)
            except Exception:  # must outlive: a fault in what one guest says costs only that connection
                log.exception("the oVirt agent of %s said what nobody foresaw", domain_id)
                pause = AFTER_FLOOD
            if agent.heard is not None and pause < AFTER_FLOOD:
                pause = self._retry
            self._forget(domain_id, agent)
            await _pause(agent, pause)
            pause = min(pause * 2, RETRY_MOST)

    async def _listen(self, domain_id: str, agent: _Agent) -> None:
        stream = await self._hypervisor.consoles.open_channel(domain_id, agent.channel)
        try:
            agent.stream = stream
            agent.hurry.clear()
            await stream.write(encode("refresh", apiVersion=API_VERSION))
            decoder = Decoder(self._clock())
            while data := await stream.read():
                for start in range(0, len(data), SLICE):
                    await self._take(domain_id, agent, decoder.feed(data[start : start + SLICE], self._clock()))
                    await asyncio.sleep(0)  # others get a turn however much a guest says
            if stream.reason == TOO_SLOW:
                raise Flood
        finally:
            agent.stream = None
            await stream.close()

    async def _take(self, domain_id: str, agent: _Agent, messages: list[Message]) -> None:
        before = agent.facts
        for message in messages:
            agent.heard = self._clock()
            agent.facts = learn(agent.facts, message)
            await self._agree(agent, message)
            _completed(agent, message)
        if agent.heard is not None and (agent.facts != before or not agent.told):
            agent.told = True
            self._on_facts(domain_id, agent.facts)

    async def _agree(self, agent: _Agent, message: Message) -> None:
        """On the newest version that both know; an agent that names none knows no versions."""
        if message.name != "heartbeat" or agent.stream is None:
            return
        told = message.body.get("apiVersion", 0)
        common = min(max(told, 0), API_VERSION) if type(told) is int else 0
        if common != agent.api_version:
            agent.api_version = common
            if common:
                await agent.stream.write(encode("api-version", apiVersion=common))
        if common >= EVENTS_SINCE:
            agent.knows_events.set()


async def _pause(agent: _Agent, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await agent.hurry.wait()
    except TimeoutError:
        return
    agent.hurry.clear()


def _completed(agent: _Agent, message: Message) -> None:
    reply_id = message.body.get("reply_id")
    waiting = agent.replies.get(reply_id) if message.name == "completion" and isinstance(reply_id, str) else None
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
