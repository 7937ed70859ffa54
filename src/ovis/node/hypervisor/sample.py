"""One look at all running VMs: counters since the start of each VM, never rates. Bytes and seconds.

A value of None was not told: by an old libvirt, by a guest without a balloon driver, or because QEMU did not answer.
Source: libvirt virConnectGetAllDomainStats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovis.node.hypervisor.states import DomainState


@dataclass(frozen=True, slots=True)
class VcpuSample:
    """`time` ran on a CPU, `delay` was ready but waited for one. state: offline, running, blocked"""

    index: int
    state: str
    time: float
    delay: float | None = None
    wait: float | None = None
    halted: bool | None = None


@dataclass(frozen=True, slots=True)
class BalloonSample:
    """All but `current`, `maximum` and `rss` are told by the guest's driver, `updated` is when (seconds, Unix time)."""

    current: int
    maximum: int
    rss: int | None = None
    unused: int | None = None
    available: int | None = None
    usable: int | None = None
    disk_caches: int | None = None
    swap_in: int | None = None
    swap_out: int | None = None
    major_faults: int | None = None
    minor_faults: int | None = None
    updated: int | None = None


@dataclass(frozen=True, slots=True)
class InterfaceSample:
    """`name` is the host's side (vnet3). Receive and transmit are the guest's."""

    name: str
    rx_bytes: int = 0
    rx_packets: int = 0
    rx_errors: int = 0
    rx_drops: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    tx_drops: int = 0


@dataclass(frozen=True, slots=True)
class DiskSample:
    """`name` is the target (vda); `path` is None for network disks and an empty drive.

    `allocation` is the highest byte written, `capacity` what the guest sees, `physical` the size of the file or device.
    """

    name: str
    path: str | None = None
    backing_index: int | None = None
    read_requests: int = 0
    read_bytes: int = 0
    read_time: float = 0.0
    write_requests: int = 0
    write_bytes: int = 0
    write_time: float = 0.0
    flush_requests: int = 0
    flush_time: float = 0.0
    allocation: int | None = None
    capacity: int | None = None
    physical: int | None = None
    threshold: int | None = None


@dataclass(frozen=True, slots=True)
class DomainSample:
    """`responding` is False while QEMU leaves a command unanswered; `stuck_for` says since how many seconds.

    `monitored` is False when QEMU was not asked (it is stuck, or a job such as a migration holds it): then `vcpus`,
    `balloon` and `disks` are empty or partial, and only state, CPU time and interfaces are from now.
    """

    id: str
    state: DomainState
    reason: str
    responding: bool = True
    monitored: bool = True
    stuck_for: float = 0.0
    cpu_time: float | None = None
    cpu_user: float | None = None
    cpu_system: float | None = None
    balloon: BalloonSample | None = None
    vcpus: tuple[VcpuSample, ...] = ()
    interfaces: tuple[InterfaceSample, ...] = ()
    disks: tuple[DiskSample, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """`at`: monotonic clock in seconds, the moment in the middle of the call, to be used for rates.

    `degraded`: too many QEMUs are stuck to ask any of them; no sample in it is `monitored`.
    """

    at: float
    domains: Mapping[str, DomainSample] = field(default_factory=dict)
    degraded: bool = False
