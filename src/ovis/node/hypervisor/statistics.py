"""Reads the flat answer of libvirt's bulk statistics ("block.0.rd.bytes": 512) into typed samples. No I/O.

Source: virConnectGetAllDomainStats. libvirt tells memory in KiB and times in nanoseconds.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from ovis.node.hypervisor.libvirt_names import reason, state
from ovis.node.hypervisor.sample import BalloonSample, DiskSample, DomainSample, InterfaceSample, VcpuSample

Stats = Mapping[str, int | str | bool]

VCPU_STATES = {0: "offline", 1: "running", 2: "blocked"}

_BALLOON_KIB = {
    "rss": "balloon.rss",
    "unused": "balloon.unused",
    "available": "balloon.available",
    "usable": "balloon.usable",
    "disk_caches": "balloon.disk_caches",
    "swap_in": "balloon.swap_in",
    "swap_out": "balloon.swap_out",
}
_BALLOON_COUNTS = {
    "major_faults": "balloon.major_fault",
    "minor_faults": "balloon.minor_fault",
    "updated": "balloon.last-update",
}
_INTERFACE = {
    f"{way}_{ours}": f"{way}.{theirs}"
    for way in ("rx", "tx")
    for ours, theirs in (("bytes", "bytes"), ("packets", "pkts"), ("errors", "errs"), ("drops", "drop"))
}
_DISK_COUNTS = {
    "read_requests": "rd.reqs",
    "read_bytes": "rd.bytes",
    "write_requests": "wr.reqs",
    "write_bytes": "wr.bytes",
    "flush_requests": "fl.reqs",
}
_DISK_TIMES = {"read_time": "rd.times", "write_time": "wr.times", "flush_time": "fl.times"}
_DISK_OPTIONAL = {
    "backing_index": "backingIndex",
    "allocation": "allocation",
    "capacity": "capacity",
    "physical": "physical",
    "threshold": "threshold",
}


def was_monitored(stats: Stats) -> bool:
    """Whether QEMU itself was asked. Without (VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT met a job) libvirt leaves out
    exactly the keys that need QEMU. A domain without balloon and disks has none of them and counts as asked."""
    if "balloon.current" in stats:
        return "balloon.last-update" in stats or "balloon.rss" in stats
    return not stats.get("block.count") or any(key.endswith(".rd.reqs") for key in stats)


def read(domain_id: str, stats: Stats, *, stuck_for: float = 0.0, monitored: bool = True) -> DomainSample:
    of = state(_count(stats, "state.state"))
    return DomainSample(
        id=domain_id,
        state=of,
        reason=reason(of, _count(stats, "state.reason")),
        responding=stuck_for == 0.0,
        monitored=monitored,
        stuck_for=stuck_for,
        cpu_time=_seconds_or_none(stats, "cpu.time"),
        cpu_user=_seconds_or_none(stats, "cpu.user"),
        cpu_system=_seconds_or_none(stats, "cpu.system"),
        balloon=_balloon(stats),
        vcpus=_vcpus(stats),
        interfaces=tuple(_interface(stats, i) for i in range(_count(stats, "net.count")) if f"net.{i}.name" in stats),
        disks=tuple(_disk(stats, i) for i in range(_count(stats, "block.count"))) if monitored else (),
    )


@cache
def _keys(group: str, index: int, names: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The same keys for each domain and each sample: made once (bounded by the most devices of one VM)."""
    return tuple((ours, f"{group}.{index}.{theirs}") for ours, theirs in names)


_INTERFACE_NAMES = tuple(_INTERFACE.items())
_DISK_COUNT_NAMES = tuple(_DISK_COUNTS.items())
_DISK_TIME_NAMES = tuple(_DISK_TIMES.items())
_DISK_OPTIONAL_NAMES = tuple(_DISK_OPTIONAL.items())


def _balloon(stats: Stats) -> BalloonSample | None:
    if "balloon.current" not in stats:
        return None
    kib = {ours: _count(stats, theirs) * 1024 for ours, theirs in _BALLOON_KIB.items() if theirs in stats}
    counts = {ours: _count(stats, theirs) for ours, theirs in _BALLOON_COUNTS.items() if theirs in stats}
    current = _count(stats, "balloon.current") * 1024
    return BalloonSample(current, _count(stats, "balloon.maximum") * 1024, **kib, **counts)


def _vcpus(stats: Stats) -> tuple[VcpuSample, ...]:
    """Numbers have holes where a vCPU is not plugged in."""
    found = []
    for index in range(_count(stats, "vcpu.maximum")):
        number = stats.get(f"vcpu.{index}.state")
        if number is None:
            continue
        halted = stats.get(f"vcpu.{index}.halted")
        found.append(
            VcpuSample(
                index,
                VCPU_STATES.get(int(number), "unknown"),
                _count(stats, f"vcpu.{index}.time") / 1e9,
                _seconds_or_none(stats, f"vcpu.{index}.delay"),
                _seconds_or_none(stats, f"vcpu.{index}.wait"),
                None if halted is None else bool(halted),
            )
        )
    return tuple(found)


def _interface(stats: Stats, index: int) -> InterfaceSample:
    counts = {ours: _count(stats, key) for ours, key in _keys("net", index, _INTERFACE_NAMES)}
    return InterfaceSample(str(stats[f"net.{index}.name"]), **counts)


def _disk(stats: Stats, index: int) -> DiskSample:
    path = stats.get(f"block.{index}.path")
    counts = {ours: _count(stats, key) for ours, key in _keys("block", index, _DISK_COUNT_NAMES)}
    times = {ours: _count(stats, key) / 1e9 for ours, key in _keys("block", index, _DISK_TIME_NAMES)}
    told = {ours: int(stats[key]) for ours, key in _keys("block", index, _DISK_OPTIONAL_NAMES) if key in stats}
    values: dict[str, Any] = {**counts, **times, **told}
    name = str(stats.get(f"block.{index}.name", ""))
    return DiskSample(name, None if path is None else str(path), **values)


def _count(stats: Stats, key: str) -> int:
    return int(stats.get(key, 0))


def _seconds_or_none(stats: Stats, key: str) -> float | None:
    value = stats.get(key)
    return None if value is None else int(value) / 1e9
