import pytest

from ovis.node.hypervisor.interface import BalloonSample, DiskSample, DomainSample, DomainState, VcpuSample
from ovis.node.vm.sampling import DiskRates, Measured, first, following


def look(**members: object) -> DomainSample:
    return DomainSample("id", DomainState.RUNNING, "booted", **members)  # type: ignore[arg-type]


def cpu(total: float, *vcpus: float) -> DomainSample:
    return look(cpu_time=total, vcpus=tuple(VcpuSample(n, "running", t) for n, t in enumerate(vcpus)))


def disk(**members: float) -> DomainSample:
    return look(cpu_time=0.0, disks=(DiskSample("vda", **members),))  # type: ignore[arg-type]


def after(before: DomainSample, now: DomainSample, seconds: float = 10.0) -> Measured:
    return following(first(100.0, before), 100.0 + seconds, now)


def test_one_sample_has_no_rates() -> None:
    assert not first(1.0, cpu(5.0, 4.0)).has_rates


def test_cpu_is_split_into_guest_and_the_rest() -> None:
    measured = after(cpu(1.0, 0.5, 0.5), cpu(13.0, 5.5, 5.5))
    assert (measured.cpu_guest, measured.cpu_other) == (100.0, 20.0)


def test_the_time_between_is_that_of_the_samples_not_of_the_period() -> None:
    assert after(cpu(0.0, 0.0), cpu(10.0, 10.0), 20.0).cpu_guest == 50.0


def test_rates_do_not_drift_over_many_samples() -> None:
    at, measured = 0.0, first(0.0, cpu(0.0, 0.0))
    for step in range(1, 500):
        at += 14.9 if step % 2 else 15.1
        measured = following(measured, at, cpu(at * 0.5, at * 0.5))
        assert measured.cpu_guest == pytest.approx(50.0)


def test_more_guest_than_total_is_not_negative() -> None:
    assert after(cpu(0.0, 0.0), cpu(9.9, 10.0)).cpu_other == 0.0


def test_a_plugged_vcpu_counts_from_its_beginning() -> None:
    assert after(cpu(10.0, 10.0), cpu(22.0, 15.0, 5.0)).cpu_guest == 100.0


def test_counters_that_went_backwards_give_no_rate_once() -> None:
    measured = after(cpu(100.0, 90.0), cpu(1.0, 1.0))
    assert (measured.cpu_guest, measured.cpu_other) == (0.0, 0.0)
    assert following(measured, 120.0, cpu(11.0, 11.0)).cpu_guest == 100.0


def test_disk_rates_and_mean_latency() -> None:
    before = disk(read_bytes=1000, read_requests=10, read_time=1.0, write_bytes=0, flush_requests=1, flush_time=0.5)
    now = disk(
        read_bytes=11000, read_requests=20, read_time=1.5, write_bytes=500, write_requests=5, write_time=0.01,
        flush_requests=1, flush_time=0.5,
    )  # fmt: skip
    assert after(before, now).disks["vda"] == DiskRates(1000.0, 50.0, 0.05, 0.002, 0.0)


def test_a_disk_that_began_anew_has_no_rates_once() -> None:
    assert after(disk(read_bytes=5000), disk(read_bytes=10)).disks["vda"] == DiskRates()


def test_a_disk_that_was_plugged_in_has_no_rates_yet() -> None:
    assert after(look(cpu_time=0.0), disk(read_bytes=10)).disks == {}


def test_layers_below_the_top_of_a_chain_are_not_mixed_in() -> None:
    both = look(disks=(DiskSample("vda", read_bytes=10), DiskSample("vda", backing_index=3, read_bytes=99)))
    top = look(disks=(DiskSample("vda", read_bytes=0),))
    assert after(top, both).disks["vda"].read == 1.0


def test_a_stuck_vm_keeps_its_figures_and_the_next_rate_spans_the_gap() -> None:
    measured = after(disk(read_bytes=0), disk(read_bytes=1000))
    stuck = following(measured, 125.0, look(cpu_time=3.0, monitored=False, responding=False))
    assert stuck.disks == measured.disks
    assert stuck.full.disks[0].read_bytes == 1000
    assert stuck.latest.cpu_time == 3.0
    assert following(stuck, 210.0, disk(read_bytes=11000)).disks["vda"].read == 100.0


def test_a_vm_that_was_stuck_when_first_seen_gets_rates_later() -> None:
    measured = first(100.0, look(monitored=False, responding=False))
    measured = following(measured, 110.0, disk(read_bytes=500))
    assert not measured.has_rates
    assert following(measured, 120.0, disk(read_bytes=600)).disks["vda"].read == 10.0


def test_the_same_sample_twice_changes_nothing() -> None:
    measured = after(cpu(0.0, 0.0), cpu(5.0, 5.0))
    assert following(measured, 110.0, cpu(5.0, 5.0)) is measured


def test_page_faults_and_swap_are_per_second() -> None:
    before = look(balloon=BalloonSample(1, 1, major_faults=10, minor_faults=100, swap_in=0, swap_out=0))
    now = look(balloon=BalloonSample(1, 1, major_faults=30, minor_faults=200, swap_in=4096, swap_out=None))
    memory = after(before, now).memory
    assert (memory.major_faults, memory.minor_faults, memory.swap_in, memory.swap_out) == (2.0, 10.0, 409.6, 0.0)
