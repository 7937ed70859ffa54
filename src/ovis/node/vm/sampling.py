"""Rates from two samples.

The time between two samples is that of the monotonic clock at which they were taken, not the wished-for period: no
drift. A counter that went backwards belongs to a new QEMU or a reset device; its rate is 0 for that once. While QEMU
does not answer, disks and balloon keep their last figures, and the next rate spans the whole gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovis.node.hypervisor.interface import BalloonSample, DiskSample, DomainSample


@dataclass(frozen=True, slots=True)
class DiskRates:
    """Bytes per second, and mean seconds per request in the interval."""

    read: float = 0.0
    write: float = 0.0
    read_latency: float = 0.0
    write_latency: float = 0.0
    flush_latency: float = 0.0


@dataclass(frozen=True, slots=True)
class MemoryRates:
    """Per second: page faults, and bytes swapped."""

    major_faults: float = 0.0
    minor_faults: float = 0.0
    swap_in: float = 0.0
    swap_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """`latest` is the last look at the VM, `full` the last one at which QEMU answered, `full_at` its monotonic time.

    CPU in percent of one host CPU. `has_rates` is False until there were two samples.
    """

    at: float
    latest: DomainSample
    full_at: float
    full: DomainSample
    has_rates: bool = False
    cpu_guest: float = 0.0
    cpu_other: float = 0.0
    disks: Mapping[str, DiskRates] = field(default_factory=dict)
    memory: MemoryRates = MemoryRates()

    @property
    def balloon(self) -> BalloonSample | None:
        return self.full.balloon


def first(at: float, sample: DomainSample) -> Measured:
    return Measured(at, sample, at, sample)


def following(before: Measured, at: float, sample: DomainSample) -> Measured:
    """`before` brought up to date."""
    if not sample.monitored:
        return Measured(
            at, sample, before.full_at, before.full, before.has_rates, before.cpu_guest, before.cpu_other,
            before.disks, before.memory,
        )  # fmt: skip
    seconds = at - before.full_at
    if seconds <= 0:
        return before
    if not before.full.monitored:
        return first(at, sample)
    guest, other = cpu_percent(before.full, sample, seconds)
    return Measured(
        at=at,
        latest=sample,
        full_at=at,
        full=sample,
        has_rates=True,
        cpu_guest=guest,
        cpu_other=other,
        disks=disk_rates(before.full.disks, sample.disks, seconds),
        memory=memory_rates(before.full.balloon, sample.balloon, seconds),
    )


def cpu_percent(before: DomainSample, now: DomainSample, seconds: float) -> tuple[float, float]:
    """What the vCPUs used, and what QEMU used beside them."""
    total = _grown(before.cpu_time, now.cpu_time)
    earlier = {vcpu.index: vcpu.time for vcpu in before.vcpus}
    if now.vcpus:
        # A vCPU that was plugged in meanwhile began at 0.
        guest = sum(_grown(earlier.get(vcpu.index, 0.0), vcpu.time) for vcpu in now.vcpus)
    else:
        guest = _grown(before.cpu_user, now.cpu_user)
    # The two are not read in the same instant: a little more guest than total is possible.
    return guest / seconds * 100, max(total - guest, 0.0) / seconds * 100


def disk_rates(before: tuple[DiskSample, ...], now: tuple[DiskSample, ...], seconds: float) -> dict[str, DiskRates]:
    earlier = tops(before)
    return {name: _disk_rates(earlier[name], disk, seconds) for name, disk in tops(now).items() if name in earlier}


def tops(disks: tuple[DiskSample, ...]) -> dict[str, DiskSample]:
    """Of each disk the layer that the guest writes to: libvirt lists it before those below."""
    found: dict[str, DiskSample] = {}
    for disk in disks:
        found.setdefault(disk.name, disk)
    return found


def _disk_rates(before: DiskSample, now: DiskSample, seconds: float) -> DiskRates:
    if now.read_bytes < before.read_bytes or now.write_bytes < before.write_bytes:
        return DiskRates()
    return DiskRates(
        read=(now.read_bytes - before.read_bytes) / seconds,
        write=(now.write_bytes - before.write_bytes) / seconds,
        read_latency=_mean(before.read_time, now.read_time, before.read_requests, now.read_requests),
        write_latency=_mean(before.write_time, now.write_time, before.write_requests, now.write_requests),
        flush_latency=_mean(before.flush_time, now.flush_time, before.flush_requests, now.flush_requests),
    )


def memory_rates(before: BalloonSample | None, now: BalloonSample | None, seconds: float) -> MemoryRates:
    if before is None or now is None:
        return MemoryRates()
    return MemoryRates(
        major_faults=_grown(before.major_faults, now.major_faults) / seconds,
        minor_faults=_grown(before.minor_faults, now.minor_faults) / seconds,
        swap_in=_grown(before.swap_in, now.swap_in) / seconds,
        swap_out=_grown(before.swap_out, now.swap_out) / seconds,
    )


def _mean(time_before: float, time_now: float, requests_before: int, requests_now: int) -> float:
    requests = requests_now - requests_before
    return max(time_now - time_before, 0.0) / requests if requests > 0 else 0.0


def _grown(before: float | None, now: float | None) -> float:
    """By how much a counter grew; 0 when it is unknown or went backwards."""
    return 0.0 if before is None or now is None or now < before else now - before
