"""From readings to `HostStats`. Pure: no file, no clock.

Rates cover the time between two readings. For the first one, what came before is boot with all counters at zero, so the
first answer holds averages since boot (for the agent itself: since its start) instead of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ovis.client.types import (
    CpuCoreStats,
    HostedEngineStatus,
    HostNetworkInterfaceStats,
    HostStats,
    MOMStatus,
    NumaNodeHugePagesStats,
    NumaNodeMemoryStats,
    PathStats,
    THPStates,
)
from ovis.node.host.sampling import AgentTimes, CpuTimes, Reading

_NO_HOSTED_ENGINE = HostedEngineStatus(
    active=False, configured=False, global_maintenance=False, local_maintenance=False, score=0
)
_NO_TIME = CpuTimes(0.0, 0.0, 0.0, 0.0)
_THP_STATES = {state.value: state for state in THPStates}


@dataclass(frozen=True)
class VmCounts:
    """`known` whatever their status, `active` with status Up, `arriving` and `leaving` by migration."""

    known: int = 0
    active: int = 0
    arriving: int = 0
    leaving: int = 0


@dataclass(frozen=True)
class CpuShares:
    """Percent."""

    user: float
    system: float
    idle: float


def host_stats(
    before: Reading | None, now: Reading, vms: VmCounts, free_space: Mapping[str, int] | None = None
) -> HostStats:
    """`free_space`: bytes free at each watched folder; None when not measured."""
    shares = cpu_shares(before.all_cpus if before else _NO_TIME, now.all_cpus)
    agent = _agent_shares(before, now)
    merging = now.merging
    return HostStats(
        date_time=datetime.fromtimestamp(now.time, UTC).strftime("%Y-%m-%dT%H:%M:%S GMT"),
        elapsed_time=now.agent_age,
        boot_time=now.boot_time,
        cpu_load=now.load,
        cpu_user_percent=shares.user,
        cpu_sys_percent=shares.system,
        cpu_idle_percent=shares.idle,
        cpu_statistics=_cpu_statistics(before, now),
        cpu_user_vdsmd_percent=agent.user,
        cpu_sys_vdsmd_percent=agent.system,
        mem_free=now.memory.available,
        mem_used_percent=now.memory.used_percent,
        mem_shared=merging.shared if merging else None,
        swap_total=now.memory.swap_total,
        swap_free=now.memory.swap_free,
        anon_huge_pages=now.memory.anonymous_huge_pages,
        thp_state=_THP_STATES.get(now.huge_page_policy or ""),
        ksm_state=merging.running if merging else None,
        ksm_pages=merging.pages_to_scan if merging else None,
        ksm_merge_across_nodes=merging.across_nodes if merging else None,
        ksm_cpu_percent=_merger_share(before, now),
        numa_node_mem_free=_node_memory(now),
        network=_network(now),
        rx_dropped=sum(t.rx_dropped for t in now.interfaces.values()),
        tx_dropped=sum(t.tx_dropped for t in now.interfaces.values()),
        disk_stats=None if free_space is None else {path: PathStats(free=free) for path, free in free_space.items()},
        vm_count=vms.known,
        vm_active=vms.active,
        vm_migrating=vms.arriving + vms.leaving,
        incoming_vm_migrations=vms.arriving,
        outgoing_vm_migrations=vms.leaving,
        # What other parts of the agent know is put in by the monitor.
        mom_status=MOMStatus.DISABLED,
        ha_stats=_NO_HOSTED_ENGINE,
        multipath_health=dict(now.bad_multipaths),
        storage_domains={},
        net_config_dirty=False,
    )


def cpu_shares(before: CpuTimes, now: CpuTimes) -> CpuShares:
    """All idle when no time has passed. Waiting time may go backwards a little: shares are never below zero."""
    total = now.total - before.total
    if total <= 0:
        return CpuShares(0.0, 0.0, 100.0)
    return CpuShares(
        user=_percent(now.user - before.user, total),
        system=_percent(now.system - before.system, total),
        idle=_percent(now.idle - before.idle, total),
    )


def _percent(part: float, whole: float) -> float:
    return min(max(100.0 * part / whole, 0.0), 100.0)


def _cpu_statistics(before: Reading | None, now: Reading) -> dict[str, CpuCoreStats]:
    earlier = before.cpus if before else {}
    found = {}
    for number, times in now.cpus.items():
        was = earlier.get(number, _NO_TIME)
        # A CPU that was taken out and put back counts from zero again.
        shares = cpu_shares(was if was.total <= times.total else _NO_TIME, times)
        found[str(number)] = CpuCoreStats(
            cpu_user_percent=shares.user,
            cpu_sys_percent=shares.system,
            cpu_idle_percent=shares.idle,
            node_index=now.cpu_nodes.get(number, 0),
        )
    return found


def _agent_shares(before: Reading | None, now: Reading) -> CpuShares:
    """In percent of one CPU, so several busy threads give more than 100."""
    was = before.agent if before else AgentTimes(0.0, 0.0)
    seconds = now.at - before.at if before else now.agent_age
    if seconds <= 0:
        return CpuShares(0.0, 0.0, 0.0)
    return CpuShares(
        user=100.0 * (now.agent.user - was.user) / seconds,
        system=100.0 * (now.agent.system - was.system) / seconds,
        idle=0.0,
    )


def _merger_share(before: Reading | None, now: Reading) -> int | None:
    if now.merger_time is None:
        return None
    if before and before.merger_time is not None:
        seconds, used = now.at - before.at, now.merger_time - before.merger_time
    else:
        seconds, used = now.up_for, now.merger_time
    return round(_percent(used, seconds)) if seconds > 0 else 0


def _node_memory(now: Reading) -> dict[str, NumaNodeMemoryStats]:
    return {
        str(number): NumaNodeMemoryStats(
            mem_free=memory.free,
            mem_percent=round(_percent(memory.total - memory.free, memory.total)) if memory.total else 0,
            hugepages={size: NumaNodeHugePagesStats(free_pages=free) for size, free in memory.free_huge_pages.items()},
        )
        for number, memory in now.nodes.items()
    }


def _network(now: Reading) -> dict[str, HostNetworkInterfaceStats]:
    return {
        name: HostNetworkInterfaceStats(
            name=name,
            rx=t.rx,
            rx_errors=t.rx_errors,
            rx_dropped=t.rx_dropped,
            tx=t.tx,
            tx_errors=t.tx_errors,
            tx_dropped=t.tx_dropped,
            sample_time=now.time,
            speed_mbits_per_second=t.speed_mbits_per_second,
            state=t.state,
        )
        for name, t in now.interfaces.items()
    }
