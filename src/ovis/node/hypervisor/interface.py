"""The hypervisor as the agent sees it: libvirt (`libvirt_driver`) or the simulated twin (`simulated`).

Every call ends: with an answer, or with an error of `errors` at its deadline (seconds; None takes the default of the
call's kind). Domains are named by their uuid in libvirt's spelling (lower case, with hyphens).
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ovis.node.hypervisor.backup import Backups
from ovis.node.hypervisor.block_jobs import BlockJobs
from ovis.node.hypervisor.consoles import Consoles
from ovis.node.hypervisor.devices import Devices
from ovis.node.hypervisor.events import (
    AgentLifecycle,
    BalloonChange,
    BlockJob,
    BlockThreshold,
    ConnectionLost,
    ConnectionRestored,
    Crashed,
    DeviceAdded,
    DeviceRemovalFailed,
    DeviceRemoved,
    DomainEvent,
    Event,
    GraphicsConnected,
    GraphicsDisconnected,
    GuestSuspended,
    IoError,
    JobCompleted,
    MetadataChanged,
    MigrationIteration,
    Paused,
    Rebooted,
    Resumed,
    Resync,
    RtcChange,
    ShutDown,
    Started,
    Stopped,
    TrayChange,
    Watchdog,
)
from ovis.node.hypervisor.external import External
from ovis.node.hypervisor.migration import Migration
from ovis.node.hypervisor.sample import (
    BalloonSample,
    DiskSample,
    DomainSample,
    InterfaceSample,
    Sample,
    VcpuSample,
)
from ovis.node.hypervisor.states import DomainInfo, DomainState

if TYPE_CHECKING:
    from ovis.node.hypervisor.secrets import Secrets

__all__ = [
    "AgentLifecycle",
    "BalloonChange",
    "BalloonSample",
    "BlockJob",
    "BlockThreshold",
    "ConnectionLost",
    "ConnectionRestored",
    "Crashed",
    "DeviceAdded",
    "DeviceRemovalFailed",
    "DeviceRemoved",
    "DiskSample",
    "DomainEvent",
    "DomainInfo",
    "DomainSample",
    "DomainState",
    "Event",
    "GraphicsConnected",
    "GraphicsDisconnected",
    "GuestSuspended",
    "Hypervisor",
    "InterfaceSample",
    "IoError",
    "JobCompleted",
    "MetadataChanged",
    "MigrationIteration",
    "NodeInfo",
    "Paused",
    "Rebooted",
    "Resumed",
    "Resync",
    "RtcChange",
    "Sample",
    "ShutDown",
    "ShutdownMode",
    "Started",
    "Stopped",
    "Subscription",
    "TrayChange",
    "VcpuSample",
    "Versions",
    "Watchdog",
]


class ShutdownMode(StrEnum):
    AGENT = "agent"
    ACPI = "acpi"


@dataclass(frozen=True)
class Versions:
    """Such as 9.0.0. `qemu` is None when libvirt has no QEMU to ask."""

    libvirt: str
    qemu: str | None


@dataclass(frozen=True)
class NodeInfo:
    """What libvirt knows of the machine. `memory` in bytes, `mhz` of a CPU (0: not told)."""

    model: str
    memory: int
    cpus: int
    mhz: int
    numa_nodes: int
    sockets: int
    cores: int
    threads: int


class Subscription(Protocol):
    """Events from the moment of `events()` on. Bounded: what does not fit is replaced by one `Resync`."""

    def __aiter__(self) -> AsyncIterator[Event]: ...

    async def next(self) -> Event:
        """The next event; waits for ever (put a deadline around it where one is due)."""
        ...

    def close(self) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Hypervisor(Protocol):
    @property
    def connected(self) -> bool: ...

    @property
    def consoles(self) -> Consoles: ...

    @property
    def external(self) -> External: ...

    @property
    def migration(self) -> Migration: ...

    @property
    def secrets(self) -> "Secrets":
        """Loaded when first asked for."""
        ...

    async def has_secrets(self, *, deadline: float | None = None) -> bool:
        """Whoever has made them."""
        ...

    @property
    def block_jobs(self) -> BlockJobs: ...

    @property
    def backups(self) -> Backups: ...

    @property
    def devices(self) -> Devices: ...

    async def create(self, xml: str, *, paused: bool = False, deadline: float | None = None) -> DomainInfo:
        """Start a transient domain. Its `Started` event may come before or after the answer.

        Raises DomainExists, BadDomainXml, StartFailed: nothing runs that did not run before.
        """
        ...

    async def destroy(self, domain_id: str, *, graceful: bool = False, deadline: float | None = None) -> None:
        """Cut the power. `graceful` lets QEMU flush its files and fails (DomainBusy) where it would have to be killed.

        Works on a QEMU that does not respond. Raises DomainNotFound when it is gone already.
        """
        ...

    async def has_process(self, domain_id: str) -> bool:
        """Whether a QEMU of this domain runs on this host, past libvirt. False is certain, True may be doubt."""
        ...

    async def still_runs(self, domain_id: str) -> bool:
        """Whether a QEMU of this domain runs on this host, past libvirt. True is certain, False may be doubt."""
        ...

    async def kill_process(self, domain_id: str) -> bool:
        """End it past libvirt; whether there was one. Raises OperationRefused where that is not allowed to us."""
        ...

    async def shutdown(self, domain_id: str, how: ShutdownMode, *, deadline: float | None = None) -> None:
        """Ask the guest; returns when asked. Whether and when it obeys is told by `Stopped`.

        Raises AgentUnavailable.
        """
        ...

    async def reboot(self, domain_id: str, how: ShutdownMode, *, deadline: float | None = None) -> None:
        """As `shutdown`, but the guest starts again: `Rebooted`."""
        ...

    async def suspend(self, domain_id: str, *, deadline: float | None = None) -> None:
        """Safe to repeat."""
        ...

    async def resume(self, domain_id: str, *, deadline: float | None = None) -> None:
        """Safe to repeat."""
        ...

    async def reset(self, domain_id: str, *, deadline: float | None = None) -> None: ...

    async def info(self, domain_id: str, *, deadline: float | None = None) -> DomainInfo: ...

    async def domains(self, *, deadline: float | None = None) -> list[DomainInfo]:
        """Every active domain of the host, also those that this agent did not start."""
        ...

    async def xml(self, domain_id: str, *, secure: bool = False, deadline: float | None = None) -> str:
        """The live description. `secure` includes the graphics passwords: never log it."""
        ...

    async def set_metadata(
        self, domain_id: str, uri: str, prefix: str, xml: str | None, *, deadline: float | None = None
    ) -> None:
        """Replace the one metadata element of namespace `uri`; None removes it. Lives as long as the domain."""
        ...

    async def metadata(self, domain_id: str, uri: str, *, deadline: float | None = None) -> str | None:
        """The element of that namespace with its content, without the prefix of its namespace; None: there is none."""
        ...

    async def sample(self, *, deadline: float | None = None) -> Sample:
        """All active domains in one bulk call. A stuck QEMU spoils only its own entry."""
        ...

    async def agent(self, domain_id: str, command: Mapping[str, object], *, deadline: float | None = None) -> object:
        """Send {"execute": ..., "arguments": ...} to the QEMU guest agent; the value of its "return".

        Raises AgentUnavailable, AgentError. Nobody answered in time: AgentUnavailable or DeadlineExceeded; the guest
        may have done it even so. libvirt first waits up to 5 s for an agent that is silent.
        """
        ...

    async def screenshot(self, domain_id: str, *, deadline: float | None = None) -> tuple[str, bytes]:
        """(MIME type, picture) of the first screen. Raises OperationRefused when there is none."""
        ...

    async def capabilities(self, *, deadline: float | None = None) -> str: ...

    async def domain_capabilities(
        self,
        *,
        emulator: str | None = None,
        arch: str | None = None,
        machine: str | None = None,
        virt_type: str | None = None,
        deadline: float | None = None,
    ) -> str: ...

    async def versions(self, *, deadline: float | None = None) -> Versions: ...

    async def node_info(self, *, deadline: float | None = None) -> NodeInfo: ...

    def events(self) -> Subscription: ...

    async def close(self) -> None:
        """End the connection and this object's tasks. Domains run on."""
        ...
