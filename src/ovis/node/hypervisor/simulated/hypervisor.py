"""The interface in memory. What it refuses, and the events it sends, follow libvirt with QEMU.

The contract tests run against this and against the real one; where they differ this one is wrong.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import Any

from lxml import etree

from ovis.node.hypervisor.errors import (
    AgentError,
    AgentUnavailable,
    DeadlineExceeded,
    DomainBusy,
    DomainExists,
    DomainNotFound,
    HypervisorLost,
    NotResponding,
    OperationRefused,
)
from ovis.node.hypervisor.events import (
    AgentLifecycle,
    ConnectionLost,
    ConnectionRestored,
    Event,
    IoError,
    MetadataChanged,
    Paused,
    Rebooted,
    Resumed,
    ShutDown,
    Started,
    Stopped,
)
from ovis.node.hypervisor.interface import NodeInfo, ShutdownMode, Subscription, Versions
from ovis.node.hypervisor.sample import Sample
from ovis.node.hypervisor.simulated.backup import SimulatedBackups
from ovis.node.hypervisor.simulated.block_jobs import SimulatedBlockJobs
from ovis.node.hypervisor.simulated.clock import Clock, RealClock
from ovis.node.hypervisor.simulated.consoles import SimulatedConsoles
from ovis.node.hypervisor.simulated.devices import SimulatedDevices
from ovis.node.hypervisor.simulated.domain import Load, SimulatedDomain, make
from ovis.node.hypervisor.simulated.external import SimulatedExternal
from ovis.node.hypervisor.simulated.faults import Faults
from ovis.node.hypervisor.simulated.guest import Guest
from ovis.node.hypervisor.simulated.machine import CAPABILITIES, DOMAIN_CAPABILITIES, SCREEN
from ovis.node.hypervisor.simulated.migration import SimulatedMigration
from ovis.node.hypervisor.simulated.secrets import SimulatedSecrets
from ovis.node.hypervisor.states import DomainInfo, DomainState
from ovis.node.hypervisor.subscriptions import EventHub

# Calls that libvirt answers without QEMU: they work on a stuck one.
WITHOUT_QEMU = {"info", "xml", "metadata", "destroy", "migratable_xml"}
PNG = "image/png"


class SimulatedHypervisor:
    """`guest` is what runs in each new domain; `faults` what goes wrong; the methods below `close` are for tests."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        guest: Guest | None = None,
        load: Load | None = None,
        deadline: float = 10.0,
        node: NodeInfo | None = None,
    ) -> None:
        self.clock = clock or RealClock()
        self.faults = Faults()
        self._guest = guest or Guest()
        self._load = load or Load()
        self._deadline = deadline
        self._node = node or NodeInfo("x86_64", 64 << 30, 16, 2600, 1, 1, 8, 2)
        self._domains: dict[str, SimulatedDomain] = {}
        self.remnants: set[str] = set()
        """Domains whose process is gone, and which the daemon keeps."""
        self.strays: set[str] = set()
        """Domains whose process runs, and of which the daemon knows nothing."""
        self._numbers = itertools.count(1)
        self._hub = EventHub()
        self._lost: str | None = None
        self._loss = asyncio.Event()
        self._stuck_calls: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.consoles = SimulatedConsoles(self._on)
        self.block_jobs = SimulatedBlockJobs(self)
        self.backups = SimulatedBackups(self)
        self.devices = SimulatedDevices(self)
        self.external = SimulatedExternal()
        self.migration = SimulatedMigration(self)
        self.secrets = SimulatedSecrets()

    @property
    def connected(self) -> bool:
        return self._lost is None

    def events(self) -> Subscription:
        return self._hub.subscribe()

    async def create(self, xml: str, *, paused: bool = False, deadline: float | None = None) -> DomainInfo:
        await self._enter("create", None, deadline)
        domain = make(xml, next(self._numbers), self._guest, self._load)
        self.faults.check("create", domain.id, after=False)
        if domain.id in self._domains:
            raise DomainExists(domain.id)
        if any(other.name == domain.name for other in self._domains.values()):
            raise DomainExists(domain.name)
        self._domains[domain.id] = domain
        self._publish(Started(domain.id, "booted"))
        if paused:
            domain.enter(DomainState.PAUSED, "user", self.clock.now())
            self._publish(Paused(domain.id, "paused"))
        else:
            domain.enter(DomainState.RUNNING, "booted", self.clock.now())
            self._begin(self._boot(domain))
        self.faults.check("create", domain.id, after=True)
        return domain.info

    async def destroy(self, domain_id: str, *, graceful: bool = False, deadline: float | None = None) -> None:
        domain = await self._on("destroy", domain_id, deadline)
        if domain_id in self.remnants:
            raise DomainBusy(domain_id, "cannot acquire state change lock")
        if graceful and domain.stuck_since is not None:
            raise DomainBusy(domain_id, "the process did not end")
        self._publish(ShutDown(domain_id, "host"))
        self._remove(domain, "destroyed")
        self.faults.check("destroy", domain_id, after=True)

    async def has_process(self, domain_id: str) -> bool:
        return domain_id in self.strays or (domain_id in self._domains and domain_id not in self.remnants)

    async def still_runs(self, domain_id: str) -> bool:
        return await self.has_process(domain_id)

    async def kill_process(self, domain_id: str) -> bool:
        if domain_id in self.strays:
            self.strays.discard(domain_id)
            return True
        found = await self.has_process(domain_id)
        if found:
            self.stop(domain_id, "crashed")
        return found

    async def shutdown(self, domain_id: str, how: ShutdownMode, *, deadline: float | None = None) -> None:
        domain = await self._on("shutdown", domain_id, deadline)
        self._check_guest(domain, how)
        after = domain.guest.agent_shutdown_after if how is ShutdownMode.AGENT else domain.guest.acpi_shutdown_after
        if after is not None:
            self._begin(self._power_off(domain, after))

    async def reboot(self, domain_id: str, how: ShutdownMode, *, deadline: float | None = None) -> None:
        domain = await self._on("reboot", domain_id, deadline)
        self._check_guest(domain, how)
        self._publish(Rebooted(domain_id))
        self._begin(self._boot(domain))

    async def suspend(self, domain_id: str, *, deadline: float | None = None) -> None:
        domain = await self._on("suspend", domain_id, deadline)
        if domain.state is not DomainState.PAUSED:
            self.pause(domain_id, "user", event="paused")
        self.faults.check("suspend", domain_id, after=True)

    async def resume(self, domain_id: str, *, deadline: float | None = None) -> None:
        domain = await self._on("resume", domain_id, deadline)
        if domain.state is not DomainState.RUNNING:
            domain.enter(DomainState.RUNNING, "unpaused", self.clock.now())
            self._publish(Resumed(domain_id, "unpaused"))
            if not domain.agent_connected:
                self._begin(self._boot(domain))
        self.faults.check("resume", domain_id, after=True)

    async def reset(self, domain_id: str, *, deadline: float | None = None) -> None:
        domain = await self._on("reset", domain_id, deadline)
        self._publish(Rebooted(domain_id))
        self._begin(self._boot(domain))

    async def info(self, domain_id: str, *, deadline: float | None = None) -> DomainInfo:
        return (await self._on("info", domain_id, deadline)).info

    async def domains(self, *, deadline: float | None = None) -> list[DomainInfo]:
        await self._enter("domains", None, deadline)
        return [domain.info for domain in self._domains.values()]

    async def xml(self, domain_id: str, *, secure: bool = False, deadline: float | None = None) -> str:
        return (await self._on("xml", domain_id, deadline)).xml(secure=secure)

    async def set_metadata(
        self, domain_id: str, uri: str, prefix: str, xml: str | None, *, deadline: float | None = None
    ) -> None:
        domain = await self._on("set_metadata", domain_id, deadline)
        if xml is None:
            domain.metadata.pop(uri, None)
        else:
            domain.metadata[uri] = _in_namespace(xml, uri, prefix)
        self._publish(MetadataChanged(domain_id, uri))
        self.faults.check("set_metadata", domain_id, after=True)

    async def metadata(self, domain_id: str, uri: str, *, deadline: float | None = None) -> str | None:
        domain = await self._on("metadata", domain_id, deadline)
        return _without_namespace(domain.metadata[uri], uri) if uri in domain.metadata else None

    async def sample(self, *, deadline: float | None = None) -> Sample:
        await self._enter("sample", None, deadline)
        now = self.clock.now()
        return Sample(now, {domain.id: domain.sample(now) for domain in self._domains.values()})

    async def agent(self, domain_id: str, command: Mapping[str, object], *, deadline: float | None = None) -> object:
        domain = await self._on("agent", domain_id, deadline)
        self._check_guest(domain, ShutdownMode.AGENT)
        execute, arguments = str(command.get("execute")), command.get("arguments", {})
        try:
            return domain.guest.answer(execute, arguments if isinstance(arguments, Mapping) else {})
        except LookupError:
            raise AgentError(domain_id, f"The command {execute} has not been found") from None

    async def screenshot(self, domain_id: str, *, deadline: float | None = None) -> tuple[str, bytes]:
        domain = await self._on("screenshot", domain_id, deadline)
        if domain.root.find("devices/graphics") is None and domain.root.find("devices/video") is None:
            raise OperationRefused("no screens to take a picture of")
        return PNG, SCREEN

    async def capabilities(self, *, deadline: float | None = None) -> str:
        await self._enter("capabilities", None, deadline)
        return CAPABILITIES

    async def domain_capabilities(
        self,
        *,
        emulator: str | None = None,
        arch: str | None = None,
        machine: str | None = None,
        virt_type: str | None = None,
        deadline: float | None = None,
    ) -> str:
        await self._enter("domain_capabilities", None, deadline)
        return DOMAIN_CAPABILITIES

    async def versions(self, *, deadline: float | None = None) -> Versions:
        await self._enter("versions", None, deadline)
        return Versions("9.0.0", "7.2.0")

    async def has_secrets(self, *, deadline: float | None = None) -> bool:
        await self._enter("has_secrets", None, deadline)
        return bool(self.secrets.kept)

    async def node_info(self, *, deadline: float | None = None) -> NodeInfo:
        await self._enter("node_info", None, deadline)
        return self._node

    async def close(self) -> None:
        self._lost = "the agent has closed its connection"
        self._loss.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._hub.close()

    def domain(self, domain_id: str) -> SimulatedDomain:
        """For looking inside, and for changing its guest or load."""
        try:
            return self._domains[domain_id]
        except KeyError:
            raise DomainNotFound(domain_id) from None

    def pause(self, domain_id: str, reason: str, *, event: str | None = None) -> None:
        """As QEMU does by itself: "ioerror", "watchdog", "postcopy"."""
        self.domain(domain_id).enter(DomainState.PAUSED, reason, self.clock.now())
        self._publish(Paused(domain_id, event or reason))

    def io_error(self, domain_id: str, *, alias: str, path: str, reason: str = "") -> None:
        """A disk fails and QEMU pauses. reason: "enospc" or ""."""
        self._publish(IoError(domain_id, alias, path, reason, "pause"))
        self.pause(domain_id, "ioerror")

    def stop(self, domain_id: str, reason: str = "shutdown") -> None:
        """The domain ends by itself: "shutdown" (the guest powered off), "crashed", "failed"."""
        if reason == "shutdown":
            self._publish(ShutDown(domain_id, "guest"))
        self._remove(self.domain(domain_id), reason)

    def stray(self, domain_id: str) -> None:
        """The daemon forgets a running domain, as libvirt 9.0 does when it is killed while a job pivots."""
        del self._domains[domain_id]
        self.strays.add(domain_id)

    def stick(self, domain_id: str) -> None:
        """QEMU stops answering: calls that need it end at their deadline."""
        self.domain(domain_id).stuck_since = self.clock.now()

    def unstick(self, domain_id: str) -> None:
        self.domain(domain_id).stuck_since = None
        self._stuck_calls.pop(domain_id, None)

    def connect_agent(self, domain_id: str, *, connected: bool) -> None:
        domain = self.domain(domain_id)
        if domain.agent_connected is not connected:
            domain.agent_connected = connected
            self._publish(AgentLifecycle(domain_id, connected=connected))

    def publish(self, event: Event) -> None:
        """Any event, as if libvirt had sent it."""
        self._publish(event)

    def disconnect(self, reason: str = "closed (eof)") -> None:
        """libvirtd is away. Domains run on and guests go on behaving, but nobody hears of it."""
        self._hub.publish(ConnectionLost(reason))
        self._lost = reason
        self._loss.set()
        self._stuck_calls.clear()

    def reconnect(self) -> None:
        self._lost = None
        self._loss.clear()
        self._hub.publish(ConnectionRestored())

    async def on_domain(self, call: str, domain_id: str, deadline: float | None) -> SimulatedDomain:
        """The way to a domain for the areas beside this file: connection, faults, latency, a stuck QEMU."""
        return await self._on(call, domain_id, deadline)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """What goes on by itself; it ends with this object."""
        self._begin(work)

    def _publish(self, event: Event) -> None:
        if self._lost is None:
            self._hub.publish(event)

    async def _on(self, call: str, domain_id: str, deadline: float | None) -> SimulatedDomain:
        await self._enter(call, domain_id, deadline)
        return self.domain(domain_id)

    async def _enter(self, call: str, domain_id: str | None, deadline: float | None) -> None:
        """The way to libvirt: connection, faults, latency. On return the call may do its work."""
        self._check_connected()
        await asyncio.sleep(0)  # the real one always goes through a thread
        seconds = deadline or self._deadline
        latency = self.faults.latency(call)
        if latency:
            await self._wait(call, domain_id, min(latency, seconds), None)
            if latency > seconds:
                raise DeadlineExceeded(call, seconds, started=True, domain_id=domain_id)
        if released := self.faults.hanging(call, domain_id):
            await self._wait(call, domain_id, seconds, released)
            if not released.is_set():
                raise DeadlineExceeded(call, seconds, started=True, domain_id=domain_id)
        if domain_id and call not in WITHOUT_QEMU:
            await self._wait_for_qemu(call, domain_id, seconds)
        self._check_connected()
        if call != "create":  # its faults may name the domain, which is not known yet
            self.faults.check(call, domain_id, after=False)

    async def _wait_for_qemu(self, call: str, domain_id: str, seconds: float) -> None:
        domain = self._domains.get(domain_id)
        if domain is None or domain.stuck_since is None:
            return
        if self._stuck_calls[domain_id]:
            raise NotResponding(domain_id, self._stuck_calls[domain_id])
        await self._wait(call, domain_id, seconds, None)
        if domain.stuck_since is not None and domain_id in self._domains:
            self._stuck_calls[domain_id] += 1
            raise DeadlineExceeded(call, seconds, started=True, domain_id=domain_id)

    async def _wait(self, call: str, domain_id: str | None, seconds: float, until: asyncio.Event | None) -> None:
        waits: list[Coroutine[Any, Any, object]] = [self.clock.sleep(seconds), self._loss.wait()]
        if until:
            waits.append(until.wait())
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        self._check_connected()

    def _check_connected(self) -> None:
        if self._lost is not None:
            raise HypervisorLost(self._lost)

    def _check_guest(self, domain: SimulatedDomain, how: ShutdownMode) -> None:
        if how is not ShutdownMode.AGENT:
            return
        if not domain.has_agent_channel:
            raise AgentUnavailable(domain.id, "QEMU guest agent is not configured")
        if not domain.agent_connected:
            raise AgentUnavailable(domain.id, "QEMU guest agent is not connected")

    def _remove(self, domain: SimulatedDomain, reason: str) -> None:
        del self._domains[domain.id]
        self.consoles.end(domain.id)
        self.block_jobs.forget(domain.id)
        self.backups.forget(domain.id)
        self._stuck_calls.pop(domain.id, None)
        self._publish(Stopped(domain.id, reason))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _boot(self, domain: SimulatedDomain) -> None:
        if not domain.has_agent_channel or domain.guest.agent_after is None:
            return
        if domain.agent_connected:
            self.connect_agent(domain.id, connected=False)
        await self.clock.sleep(domain.guest.agent_after)
        if self._domains.get(domain.id) is domain and domain.state is DomainState.RUNNING:
            self.connect_agent(domain.id, connected=True)

    async def _power_off(self, domain: SimulatedDomain, after: float) -> None:
        await self.clock.sleep(after)
        if self._domains.get(domain.id) is domain and domain.state is DomainState.RUNNING:
            self.stop(domain.id)


def _in_namespace(xml: str, uri: str, prefix: str) -> str:
    """As libvirt keeps it: the root element, and only it, is put into the namespace under `prefix`."""
    try:
        element = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise OperationRefused(str(error)) from error
    wrapped = etree.Element(etree.QName(uri, etree.QName(element).localname), dict(element.attrib), {prefix: uri})
    wrapped.text = element.text
    wrapped.extend(list(element))
    return etree.tostring(wrapped, encoding="unicode")


def _without_namespace(xml: str, uri: str) -> str:
    element = etree.fromstring(xml)
    for inner in element.iter(f"{{{uri}}}*"):
        inner.tag = etree.QName(inner).localname
    etree.cleanup_namespaces(element)
    return etree.tostring(element, encoding="unicode")
