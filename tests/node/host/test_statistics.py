from collections.abc import Callable
from dataclasses import replace

import pytest

from ovis.client.types import THPStates
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.sampling import AgentTimes, Clocks, CpuTimes, HostSampler, Reading
from ovis.node.host.statistics import CpuShares, VmCounts, cpu_shares, host_stats

Tree = Callable[[str], KernelFiles]


@pytest.fixture
def reading(tree: Tree) -> Reading:
    clocks = Clocks(monotonic=lambda: 100.0, wall=lambda: 1_700_000_100.0)
    return HostSampler(tree("two-sockets"), clocks).take()


def later(reading: Reading, seconds: float, cpu: CpuTimes) -> Reading:
    def add(times: CpuTimes, factor: int = 1) -> CpuTimes:
        return CpuTimes(
            times.user + cpu.user * factor,
            times.system + cpu.system * factor,
            times.idle + cpu.idle * factor,
            times.total + cpu.total * factor,
        )

    return replace(
        reading,
        at=reading.at + seconds,
        all_cpus=add(reading.all_cpus, 8),
        cpus={number: add(times) for number, times in reading.cpus.items()},
    )


def test_rates_cover_the_time_between_two_readings(reading: Reading) -> None:
    stats = host_stats(reading, later(reading, 10, CpuTimes(5.0, 1.0, 4.0, 10.0)), VmCounts())
    assert (stats.cpu_user_percent, stats.cpu_sys_percent, stats.cpu_idle_percent) == (50.0, 10.0, 40.0)
    assert stats.cpu_statistics is not None
    assert stats.cpu_statistics["6"].cpu_user_percent == 50.0
    assert stats.cpu_statistics["6"].node_index == 1


def test_the_first_rates_are_averages_since_boot(reading: Reading) -> None:
    stats = host_stats(None, reading, VmCounts())
    assert stats.cpu_user_percent == pytest.approx(100 * 80 / 720)
    assert stats.ksm_cpu_percent == 10  # 9 of 90 seconds


def test_shares_stay_within_bounds_when_counters_go_backwards() -> None:
    assert cpu_shares(CpuTimes(0, 0, 10.5, 10.0), CpuTimes(10.0, 0, 10.0, 20.0)) == CpuShares(100.0, 0.0, 0.0)


def test_a_cpu_that_did_not_run_is_idle() -> None:
    times = CpuTimes(1, 2, 3, 6)
    assert cpu_shares(times, times) == CpuShares(0.0, 0.0, 100.0)


def test_a_cpu_that_was_plugged_again_counts_from_zero(reading: Reading) -> None:
    fresh = CpuTimes(1.0, 0.0, 1.0, 2.0)
    stats = host_stats(reading, replace(reading, cpus={0: fresh}), VmCounts())
    assert stats.cpu_statistics is not None
    assert stats.cpu_statistics["0"].cpu_user_percent == 50.0


def test_the_agents_own_time_is_in_percent_of_one_cpu(reading: Reading) -> None:
    now = replace(reading, at=reading.at + 10, agent=AgentTimes(reading.agent.user + 12, reading.agent.system + 1))
    stats = host_stats(reading, now, VmCounts())
    assert stats.cpu_user_vdsmd_percent == pytest.approx(120)
    assert stats.cpu_sys_vdsmd_percent == pytest.approx(10)


def test_memory_swap_and_merging(reading: Reading) -> None:
    stats = host_stats(None, reading, VmCounts())
    assert (stats.mem_free, stats.mem_used_percent) == (32 << 30, 50)
    assert (stats.swap_total, stats.swap_free) == (8 << 30, 4 << 30)
    assert (stats.ksm_state, stats.ksm_pages, stats.mem_shared) == (True, 64, 4 << 20)
    assert stats.thp_state is THPStates.MADVISE
    assert stats.numa_node_mem_free is not None
    assert stats.numa_node_mem_free["0"].mem_percent == 75


def test_what_the_kernel_does_not_have_is_absent(tree: Tree) -> None:
    stats = host_stats(None, HostSampler(tree("bare"), Clocks()).take(), VmCounts())
    assert stats.ksm_state is None
    assert stats.ksm_cpu_percent is None
    assert stats.mem_shared is None
    assert stats.thp_state is None


def test_drops_are_summed_over_interfaces(reading: Reading) -> None:
    stats = host_stats(None, reading, VmCounts())
    assert (stats.rx_dropped, stats.tx_dropped) == (6, 4)
    assert stats.network is not None
    assert stats.network["eth0"].sample_time == 1_700_000_100.0


def test_vms_are_counted_by_what_they_do(reading: Reading) -> None:
    stats = host_stats(None, reading, VmCounts(known=5, active=3, arriving=1, leaving=1))
    assert (stats.vm_count, stats.vm_active, stats.vm_migrating) == (5, 3, 2)
    assert (stats.incoming_vm_migrations, stats.outgoing_vm_migrations) == (1, 1)


def test_the_clock_is_told_in_utc(reading: Reading) -> None:
    assert host_stats(None, reading, VmCounts()).date_time == "2023-11-14T22:15:00 GMT"
