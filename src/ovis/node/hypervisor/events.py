"""What libvirt tells without being asked, as plain values.

A consumer must not live on events alone: they say that something changed *then*. After `Resync` and after
`ConnectionRestored` events may be missing, so the states are read again.
Reasons are libvirt's own words in lower case with underscores (VIR_DOMAIN_EVENT_STOPPED_DESTROYED -> "destroyed");
a number that this release does not know reads "unknown".
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DomainEvent:
    domain_id: str


@dataclass(frozen=True)
class Started(DomainEvent):
    """reason: booted, migrated, restored, from_snapshot, wakeup"""

    reason: str


@dataclass(frozen=True)
class Stopped(DomainEvent):
    """The domain is gone. reason: shutdown, destroyed, crashed, migrated, saved, failed, from_snapshot"""

    reason: str


@dataclass(frozen=True)
class ShutDown(DomainEvent):
    """The guest has powered off; `Stopped` follows.

    reason: guest (its own will), host (QEMU was told), finished (an old QEMU that does not say)
    """

    reason: str


@dataclass(frozen=True)
class Paused(DomainEvent):
    """reason: paused, migrated, ioerror, watchdog, restored, from_snapshot, api_error, postcopy, postcopy_failed"""

    reason: str


@dataclass(frozen=True)
class Resumed(DomainEvent):
    """reason: unpaused, migrated, from_snapshot, postcopy, postcopy_failed"""

    reason: str


@dataclass(frozen=True)
class Crashed(DomainEvent):
    """The guest's kernel reported a panic. reason: panicked, crashloaded"""

    reason: str


@dataclass(frozen=True)
class GuestSuspended(DomainEvent):
    """The guest put itself to sleep. reason: memory, disk"""

    reason: str


@dataclass(frozen=True)
class Rebooted(DomainEvent):
    pass


@dataclass(frozen=True)
class IoError(DomainEvent):
    """reason: enospc, or "" for every other error; action: none, pause, report"""

    alias: str
    path: str
    reason: str
    action: str


@dataclass(frozen=True)
class Watchdog(DomainEvent):
    """action: none, pause, reset, poweroff, shutdown, debug, injectnmi"""

    action: str


@dataclass(frozen=True)
class GraphicsConnected(DomainEvent):
    """A client went through the handshake. `remote` is its address, "" on a Unix socket."""

    remote: str
    port: str


@dataclass(frozen=True)
class GraphicsDisconnected(DomainEvent):
    remote: str
    port: str


@dataclass(frozen=True)
class RtcChange(DomainEvent):
    """The guest set its clock; `offset` in seconds from UTC."""

    offset: int


@dataclass(frozen=True)
class AgentLifecycle(DomainEvent):
    """The guest opened or closed its end of the guest agent channel."""

    connected: bool


@dataclass(frozen=True)
class DeviceAdded(DomainEvent):
    alias: str


@dataclass(frozen=True)
class DeviceRemoved(DomainEvent):
    alias: str


@dataclass(frozen=True)
class DeviceRemovalFailed(DomainEvent):
    alias: str


@dataclass(frozen=True)
class TrayChange(DomainEvent):
    alias: str
    opened: bool


@dataclass(frozen=True)
class BalloonChange(DomainEvent):
    """`current` in bytes."""

    current: int


@dataclass(frozen=True)
class BlockJob(DomainEvent):
    """`disk` is the target name (vda).

    kind: pull, copy, commit, active_commit, backup. status: completed, failed, canceled, ready
    """

    disk: str
    kind: str
    status: str


@dataclass(frozen=True)
class BlockThreshold(DomainEvent):
    """A write passed `threshold` by `excess` bytes. `disk`: target name, or name[index] below the top of its chain."""

    disk: str
    path: str
    threshold: int
    excess: int


@dataclass(frozen=True)
class MetadataChanged(DomainEvent):
    """`uri` is "" for the title and the description."""

    uri: str


@dataclass(frozen=True)
class MigrationIteration(DomainEvent):
    iteration: int


@dataclass(frozen=True)
class JobCompleted(DomainEvent):
    """`parameters` are libvirt's job statistics under libvirt's names (VIR_DOMAIN_JOB_*)."""

    parameters: Mapping[str, object]


@dataclass(frozen=True)
class ConnectionLost:
    """libvirt is away. VMs run on; calls raise HypervisorLost until `ConnectionRestored`."""

    reason: str


@dataclass(frozen=True)
class ConnectionRestored:
    """Events flow again, from before this one was sent: whoever reads all states now misses nothing."""


@dataclass(frozen=True)
class Resync:
    """The consumer was too slow and `lost` events were dropped. Read all states again."""

    lost: int


Event = DomainEvent | ConnectionLost | ConnectionRestored | Resync
