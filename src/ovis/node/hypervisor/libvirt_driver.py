"""The interface on libvirt. Calls are sorted into pools by what may hold them up, so that none starves another kind.

query      answered by the daemon from memory
lifecycle  may wait for QEMU, or for another operation on the same VM (libvirt gives up after 30 s)
power      cutting a VM's power works on a stuck QEMU, so it must never wait behind one
sampling   the bulk statistics: see `sampler`
agent      waits for a program in the guest; libvirt ends the wait
patient    the same for what takes a guest long (freezing its file systems): four guests at it hold up no other's agent
slow       waits for QEMU, and nobody minds
transfer   migrations, saving and restoring: as long as they take
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import libvirt
import libvirt_qemu
import msgspec

from ovis.node.hypervisor import qemu_process
from ovis.node.hypervisor.connection import Connection
from ovis.node.hypervisor.errors import (
    AgentError,
    DomainNotFound,
    HypervisorError,
    HypervisorLost,
    OperationRefused,
)
from ovis.node.hypervisor.interface import NodeInfo, ShutdownMode, Subscription, Versions
from ovis.node.hypervisor.libvirt_backup import LibvirtBackups
from ovis.node.hypervisor.libvirt_block_jobs import LibvirtBlockJobs
from ovis.node.hypervisor.libvirt_consoles import LibvirtConsoles
from ovis.node.hypervisor.libvirt_devices import LibvirtDevices
from ovis.node.hypervisor.libvirt_errors import is_lost, translate, translate_agent, translate_create
from ovis.node.hypervisor.libvirt_external import LibvirtExternal
from ovis.node.hypervisor.libvirt_migration import LibvirtMigration
from ovis.node.hypervisor.libvirt_names import reason, state
from ovis.node.hypervisor.links import Links
from ovis.node.hypervisor.pools import Pool, PoolState
from ovis.node.hypervisor.sample import Sample
from ovis.node.hypervisor.sampler import Sampler
from ovis.node.hypervisor.states import DomainInfo, DomainState
from ovis.node.hypervisor.subscriptions import EventHub

if TYPE_CHECKING:
    from ovis.node.hypervisor.libvirt_secrets import LibvirtSecrets

T = TypeVar("T")

# Together below libvirtd's max_workers (20; `power` is served by its prio_workers), so that the daemon has a worker
# left for others even when every call of ours is stuck. `patient` and `transfer` come on top: more than two at once are
# rare.
THREADS = {"query": 4, "lifecycle": 4, "power": 2, "sampling": 3, "agent": 4, "patient": 4, "slow": 3, "transfer": 8}
QUICK_AGENT = 10.0  # seconds
SCREENSHOT_LIMIT = 64 * 1024 * 1024  # a 4K screen is 25 MB even uncompressed


@dataclass(frozen=True)
class Deadlines:
    """Defaults in seconds, by pool; `create` for itself."""

    query: float = 10.0
    create: float = 60.0  # 0.3 s usually; a first start after an upgrade probes QEMU for seconds, storage may be slow
    lifecycle: float = 35.0  # libvirt waits 30 s for an operation that holds the VM and then says so
    power: float = 40.0  # a stuck QEMU gets 10 s to end, then it is killed; 10.2 s measured
    sampling: float = 10.0
    agent: float = 5.0
    patient: float = 120.0
    slow: float = 35.0
    transfer: float = 24 * 3600.0  # ended by whoever began it, long before


@contextlib.asynccontextmanager
async def connect(
    uri: str, *, deadlines: Deadlines | None = None, wait: float = 10.0
) -> AsyncGenerator["LibvirtHypervisor", None]:
    """Comes back after `wait` seconds even when libvirt is away: look at `connected`, `ConnectionRestored` follows."""
    hypervisor = LibvirtHypervisor(uri, deadlines or Deadlines())
    try:
        await hypervisor.start(wait=wait)
        yield hypervisor
    finally:
        await hypervisor.close()


class LibvirtHypervisor:
    def __init__(self, uri: str, deadlines: Deadlines) -> None:
        self._hub = EventHub()
        self._deadlines = deadlines
        self._pools = {name: Pool(name, threads=threads) for name, threads in THREADS.items()}
        self._connection = Connection(uri, self._hub)
        self._sampler = Sampler(self._pools["sampling"], self._sample)
        self.consoles = LibvirtConsoles(uri, self)
        self.external = LibvirtExternal()
        self.migration = LibvirtMigration(self)
        self.devices = LibvirtDevices(self)
        self.block_jobs = LibvirtBlockJobs(self)
        self.backups = LibvirtBackups(self)

    async def start(self, *, wait: float) -> None:
        await self._connection.start(wait=wait)

    async def close(self) -> None:
        await self.consoles.close()
        self.external.close()
        for pool in self._pools.values():
            pool.close()
        await self._connection.close()
        self._hub.close()

    @property
    def connected(self) -> bool:
        return self._connection.connected

    @property
    def secrets(self) -> "LibvirtSecrets":
        from ovis.node.hypervisor.libvirt_secrets import LibvirtSecrets

        return LibvirtSecrets(self)

    async def has_secrets(self, *, deadline: float | None = None) -> bool:
        return await self.call("query", "count secrets", lambda connection: connection.numOfSecrets() > 0, deadline)

    @property
    def pools(self) -> dict[str, PoolState]:
        """For the agent's own statistics."""
        return {name: pool.state for name, pool in self._pools.items()}

    def events(self) -> Subscription:
        return self._hub.subscribe()

    async def create(self, xml: str, *, paused: bool = False, deadline: float | None = None) -> DomainInfo:
        def work(connection: libvirt.virConnect) -> DomainInfo:
            try:
                return _info(connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED if paused else 0))
            except libvirt.libvirtError as error:
                raise translate_create(error, connection, xml) from error

        return await self.call("lifecycle", "create", work, deadline or self._deadlines.create)

    async def destroy(self, domain_id: str, *, graceful: bool = False, deadline: float | None = None) -> None:
        flags = libvirt.VIR_DOMAIN_DESTROY_GRACEFUL if graceful else libvirt.VIR_DOMAIN_DESTROY_DEFAULT
        await self.on_domain("power", "destroy", domain_id, lambda domain: _destroy(domain, flags), deadline)

    async def has_process(self, domain_id: str) -> bool:
        return await asyncio.to_thread(qemu_process.may_run, domain_id)

    async def still_runs(self, domain_id: str) -> bool:
        return await asyncio.to_thread(qemu_process.runs, domain_id)

    async def kill_process(self, domain_id: str) -> bool:
        try:
            return await asyncio.to_thread(qemu_process.kill, domain_id)
        except PermissionError as error:
            raise OperationRefused(f"QEMU of {domain_id} runs as another user") from error

    async def shutdown(self, domain_id: str, how: ShutdownMode, *, deadline: float | None = None) -> None:
        agent = how is ShutdownMode.AGENT
        flags = libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT if agent else libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
        await self._ask_guest("shutdown", domain_id, how, lambda domain: domain.shutdownFlags(flags), deadline)

    async def reboot(self, domain_id: str, how: ShutdownMode, *, deadline: float | None = None) -> None:
        agent = how is ShutdownMode.AGENT
        flags = libvirt.VIR_DOMAIN_REBOOT_GUEST_AGENT if agent else libvirt.VIR_DOMAIN_REBOOT_ACPI_POWER_BTN
        await self._ask_guest("reboot", domain_id, how, lambda domain: domain.reboot(flags), deadline)

    async def suspend(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self.on_domain("lifecycle", "suspend", domain_id, _suspend, deadline)

    async def resume(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self.on_domain("lifecycle", "resume", domain_id, _resume, deadline)

    async def reset(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self.on_domain("lifecycle", "reset", domain_id, lambda domain: domain.reset(0), deadline)

    async def info(self, domain_id: str, *, deadline: float | None = None) -> DomainInfo:
        return await self.on_domain("query", "info", domain_id, _info, deadline)

    async def domains(self, *, deadline: float | None = None) -> list[DomainInfo]:
        return await self.call("query", "list", _domains, deadline)

    async def xml(self, domain_id: str, *, secure: bool = False, deadline: float | None = None) -> str:
        flags = libvirt.VIR_DOMAIN_XML_SECURE if secure else 0
        return await self.on_domain("query", "xml", domain_id, lambda domain: domain.XMLDesc(flags), deadline)

    async def set_metadata(
        self, domain_id: str, uri: str, prefix: str, xml: str | None, *, deadline: float | None = None
    ) -> None:
        def work(domain: libvirt.virDomain) -> None:
            domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, xml, prefix, uri, libvirt.VIR_DOMAIN_AFFECT_LIVE)

        await self.on_domain("slow", "set metadata", domain_id, work, deadline)

    async def metadata(self, domain_id: str, uri: str, *, deadline: float | None = None) -> str | None:
        def work(domain: libvirt.virDomain) -> str | None:
            try:
                return domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, uri, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
                    return None
                raise

        return await self.on_domain("query", "metadata", domain_id, work, deadline)

    async def sample(self, *, deadline: float | None = None) -> Sample:
        return await self._sampler.sample(deadline or self._deadlines.sampling)

    async def agent(self, domain_id: str, command: Mapping[str, object], *, deadline: float | None = None) -> object:
        seconds = deadline or self._deadlines.agent
        request = msgspec.json.encode(command).decode()

        def work(domain: libvirt.virDomain) -> str:
            try:
                # One second less, so that libvirt itself ends the wait and the thread is free.
                return libvirt_qemu.qemuAgentCommand(domain, request, max(1, int(seconds) - 1), 0)
            except libvirt.libvirtError as error:
                raise translate_agent(error, domain_id) from error

        pool = "agent" if seconds <= QUICK_AGENT else "patient"
        answer = await self.on_domain(pool, "guest agent", domain_id, work, seconds)
        return _agent_return(domain_id, answer)

    async def screenshot(self, domain_id: str, *, deadline: float | None = None) -> tuple[str, bytes]:
        return await self.on_domain("slow", "screenshot", domain_id, _screenshot, deadline)

    async def capabilities(self, *, deadline: float | None = None) -> str:
        return await self.call("slow", "capabilities", lambda connection: connection.getCapabilities(), deadline)

    async def domain_capabilities(
        self,
        *,
        emulator: str | None = None,
        arch: str | None = None,
        machine: str | None = None,
        virt_type: str | None = None,
        deadline: float | None = None,
    ) -> str:
        return await self.call(
            "slow",
            "domain capabilities",
            lambda connection: connection.getDomainCapabilities(emulator, arch, machine, virt_type, 0),
            deadline,
        )

    async def versions(self, *, deadline: float | None = None) -> Versions:
        return await self.call("query", "versions", _versions, deadline)

    async def node_info(self, *, deadline: float | None = None) -> NodeInfo:
        return await self.call("query", "node info", _node_info, deadline)

    async def _ask_guest(
        self,
        name: str,
        domain_id: str,
        how: ShutdownMode,
        ask: Callable[[libvirt.virDomain], object],
        deadline: float | None,
    ) -> None:
        def by_agent(domain: libvirt.virDomain) -> object:
            try:
                return ask(domain)
            except libvirt.libvirtError as error:
                translated = translate_agent(error, domain_id)
                if isinstance(translated, AgentError) and _has_gone(domain):
                    return None  # a quick guest is off before its agent has answered
                raise translated from error

        if how is ShutdownMode.AGENT:
            await self.on_domain("agent", name, domain_id, by_agent, deadline)
        else:
            await self.on_domain("lifecycle", name, domain_id, ask, deadline)

    async def on_domain(
        self,
        pool: str,
        name: str,
        domain_id: str,
        work: Callable[[libvirt.virDomain], T],
        deadline: float | None,
    ) -> T:
        """Run `work` in a thread of `pool` (see the module); also for the areas beside this file."""

        def on_domain(connection: libvirt.virConnect) -> T:
            try:
                domain = connection.lookupByUUIDString(domain_id)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_INVALID_ARG:  # not the text of a uuid
                    raise DomainNotFound(domain_id) from error
                raise
            return work(domain)

        return await self.call(pool, name, on_domain, deadline, domain_id)

    async def _sample(self, name: str, work: Callable[[libvirt.virConnect], Sample], *, deadline: float) -> Sample:
        return await self.call("sampling", name, work, deadline)

    async def call(
        self,
        pool: str,
        name: str,
        work: Callable[[libvirt.virConnect], T],
        deadline: float | None,
        domain_id: str | None = None,
    ) -> T:
        """As `on_domain`, for what is asked of libvirt itself."""
        links = self._connection.links
        seconds = deadline or float(getattr(self._deadlines, pool))
        try:
            return await self._pools[pool].run(
                name, lambda: _borrowed(links, work, domain_id), deadline=seconds, domain_id=domain_id
            )
        except HypervisorLost as error:
            if links.lost:
                self._connection.report_lost(links, error.reason)
            raise


def _borrowed(links: Links, work: Callable[[libvirt.virConnect], T], domain_id: str | None) -> T:
    """In a pool's thread, because only there is known which connection the call had."""
    try:
        with links.borrow() as connection:
            return _translated(connection, work, domain_id)
    except libvirt.libvirtError as error:  # no connection to borrow
        raise HypervisorLost(error.get_error_message() or str(error)) from error


def _translated(connection: libvirt.virConnect, work: Callable[[libvirt.virConnect], T], domain_id: str | None) -> T:
    try:
        return work(connection)
    except libvirt.libvirtError as error:
        if is_lost(connection):
            raise HypervisorLost(error.get_error_message() or str(error)) from error
        raise translate(error, domain_id) from error
    except HypervisorError as error:  # translated in `work`, which did not look whether the daemon has gone
        if isinstance(error.__cause__, libvirt.libvirtError) and is_lost(connection):
            raise HypervisorLost(str(error.__cause__)) from error
        raise


def _info(domain: libvirt.virDomain) -> DomainInfo:
    number, why = domain.state(0)
    of = state(number)
    return DomainInfo(domain.UUIDString(), domain.name(), of, reason(of, why), bool(domain.isPersistent()))


def _domains(connection: libvirt.virConnect) -> list[DomainInfo]:
    """Two calls however many domains there are."""
    rows = connection.getAllDomainStats(
        libvirt.VIR_DOMAIN_STATS_STATE, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
    )
    persistent = {
        domain.UUIDString() for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
    }
    found = []
    for domain, stats in rows:
        of = state(int(stats["state.state"]))
        why = reason(of, int(stats["state.reason"]))
        domain_id = domain.UUIDString()
        found.append(DomainInfo(domain_id, domain.name(), of, why, domain_id in persistent))
    return found


def _destroy(domain: libvirt.virDomain, flags: int) -> None:
    try:
        domain.destroyFlags(flags)
    except libvirt.libvirtError as error:
        # It was there a moment ago: it ended by itself meanwhile, or its end was seen before this call was done.
        if error.get_error_code() not in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID):
            raise
        if not _has_ended(domain):
            raise


def _has_ended(domain: libvirt.virDomain) -> bool:
    try:
        return state(domain.state(0)[0]) is DomainState.SHUT_OFF
    except libvirt.libvirtError as error:
        return error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN


def _suspend(domain: libvirt.virDomain) -> None:
    _unless_already(domain, DomainState.PAUSED, domain.suspend)


def _resume(domain: libvirt.virDomain) -> None:
    _unless_already(domain, DomainState.RUNNING, domain.resume)


def _unless_already(domain: libvirt.virDomain, wanted: DomainState, act: Callable[[], object]) -> None:
    """Drivers differ in whether they refuse what is so already."""
    try:
        act()
    except libvirt.libvirtError:
        if state(domain.state(0)[0]) is not wanted:
            raise


def _has_gone(domain: libvirt.virDomain) -> bool:
    """Gives QEMU a second to end. Blocks."""
    for _ in range(10):
        try:
            if state(domain.state(0)[0]) in (DomainState.SHUTTING_DOWN, DomainState.SHUT_OFF):
                return True
        except libvirt.libvirtError:
            return True
        time.sleep(0.1)
    return False


def _agent_return(domain_id: str, answer: str) -> object:
    try:
        decoded = msgspec.json.decode(answer)
    except msgspec.DecodeError as error:
        raise AgentError(domain_id, f"answer is not JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise AgentError(domain_id, "answer is not a JSON object")
    if "error" in decoded:
        raise AgentError(domain_id, str(decoded["error"]))
    return decoded.get("return")


def _screenshot(domain: libvirt.virDomain) -> tuple[str, bytes]:
    stream = domain.connect().newStream(0)
    mime = domain.screenshot(stream, 0, 0)
    picture = bytearray()

    def keep(_: libvirt.virStream, data: bytes, __: None) -> int:
        if len(picture) + len(data) > SCREENSHOT_LIMIT:
            return -1  # ends the transfer with an error
        picture.extend(data)
        return 0

    stream.recvAll(keep, None)
    stream.finish()
    return mime, bytes(picture)


def _versions(connection: libvirt.virConnect) -> Versions:
    qemu = _version(connection.getVersion()) if connection.getType() == "QEMU" else None
    return Versions(_version(connection.getLibVersion()), qemu)


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _node_info(connection: libvirt.virConnect) -> NodeInfo:
    model, mib, cpus, mhz, nodes, sockets, cores, threads = connection.getInfo()
    return NodeInfo(model, mib * 1024 * 1024, cpus, mhz, nodes, sockets, cores, threads)
