import time

import pytest

from ovis.node.hypervisor import statistics
from ovis.node.hypervisor.states import DomainState

# What libvirt 9.0 with QEMU 7.2 said of a domain with a disk, an empty CD drive and a balloon.
ASKED: dict[str, int | str | bool] = {
    "state.state": 1, "state.reason": 5, "cpu.time": 571129715, "cpu.user": 310000000, "cpu.system": 250000000,
    "cpu.cache.monitor.count": 0, "cpu.haltpoll.success.time": 0, "cpu.haltpoll.fail.time": 0,
    "balloon.current": 32768, "balloon.maximum": 65536, "balloon.last-update": 0, "balloon.rss": 52720,
    "vcpu.current": 2, "vcpu.maximum": 4, "vcpu.0.state": 1, "vcpu.0.time": 220000000, "vcpu.0.wait": 0,
    "vcpu.0.delay": 11597558, "vcpu.2.state": 0, "vcpu.2.time": 0, "vcpu.2.wait": 0, "vcpu.2.delay": 10754860,
    "net.count": 2, "net.0.name": "vnet3", "net.0.rx.bytes": 10, "net.0.rx.pkts": 2, "net.0.rx.errs": 3,
    "net.0.rx.drop": 4, "net.0.tx.bytes": 5, "net.0.tx.pkts": 6, "net.0.tx.errs": 7, "net.0.tx.drop": 8,
    "block.count": 2, "block.0.name": "vda", "block.0.path": "/images/d.img", "block.0.backingIndex": 2,
    "block.0.rd.reqs": 1, "block.0.rd.bytes": 512, "block.0.rd.times": 135511, "block.0.wr.reqs": 9,
    "block.0.wr.bytes": 4096, "block.0.wr.times": 2_500_000_000, "block.0.fl.reqs": 3, "block.0.fl.times": 1_000_000,
    "block.0.allocation": 100, "block.0.capacity": 16777216, "block.0.physical": 200, "block.1.name": "sda",
    "block.1.rd.reqs": 3, "block.1.rd.bytes": 54, "block.1.rd.times": 2133, "block.1.wr.reqs": 0,
    "block.1.wr.bytes": 0, "block.1.wr.times": 0, "block.1.fl.reqs": 0, "block.1.fl.times": 0,
}  # fmt: skip
# The same one while another call waited for its QEMU.
SKIPPED: dict[str, int | str | bool] = {
    "state.state": 1, "state.reason": 1, "cpu.time": 577500550, "cpu.user": 310000000, "cpu.system": 260000000,
    "cpu.cache.monitor.count": 0, "balloon.current": 32768, "balloon.maximum": 32768, "vcpu.current": 2,
    "vcpu.maximum": 2, "vcpu.0.state": 1, "vcpu.0.time": 220000000, "net.count": 1, "block.count": 2,
    "block.0.name": "vda", "block.0.path": "/images/d.img", "block.0.backingIndex": 2, "block.1.name": "sda",
}  # fmt: skip


def test_units_become_bytes_and_seconds() -> None:
    sample = statistics.read("me", ASKED)
    assert (sample.state, sample.reason) == (DomainState.RUNNING, "unpaused")
    assert (sample.cpu_time, sample.cpu_user, sample.cpu_system) == pytest.approx((0.571129715, 0.31, 0.25))
    assert sample.balloon is not None
    assert (sample.balloon.current, sample.balloon.maximum, sample.balloon.rss) == (32 << 20, 64 << 20, 52720 << 10)
    assert sample.balloon.unused is None


def test_vcpus_keep_their_numbers_over_holes() -> None:
    sample = statistics.read("me", ASKED)
    assert [(vcpu.index, vcpu.state) for vcpu in sample.vcpus] == [(0, "running"), (2, "offline")]
    assert (sample.vcpus[0].time, sample.vcpus[0].delay) == pytest.approx((0.22, 0.011597558))


def test_interface_without_a_host_side_is_left_out() -> None:
    (interface,) = statistics.read("me", ASKED).interfaces
    assert interface.name == "vnet3"
    assert [interface.rx_bytes, interface.rx_packets, interface.rx_errors, interface.rx_drops] == [10, 2, 3, 4]
    assert [interface.tx_bytes, interface.tx_packets, interface.tx_errors, interface.tx_drops] == [5, 6, 7, 8]


def test_disk_and_empty_drive() -> None:
    disk, drive = statistics.read("me", ASKED).disks
    assert (disk.name, disk.path, disk.backing_index) == ("vda", "/images/d.img", 2)
    assert (disk.read_requests, disk.read_bytes, disk.write_requests, disk.write_bytes) == (1, 512, 9, 4096)
    assert (disk.write_time, disk.flush_requests, disk.flush_time) == (2.5, 3, 0.001)
    assert (disk.allocation, disk.capacity, disk.physical) == (100, 16777216, 200)
    assert (drive.name, drive.path, drive.capacity) == ("sda", None, None)


def test_skipped_domain_is_known_by_what_is_missing() -> None:
    assert statistics.was_monitored(ASKED)
    assert not statistics.was_monitored(SKIPPED)
    without_balloon = {key: value for key, value in SKIPPED.items() if not key.startswith("balloon")}
    assert not statistics.was_monitored(without_balloon)
    assert statistics.was_monitored({"state.state": 1, "block.count": 0})


def test_stuck_domain_shows_only_what_is_from_now() -> None:
    sample = statistics.read("me", SKIPPED, stuck_for=3.5, monitored=False)
    assert (sample.responding, sample.stuck_for, sample.disks) == (False, 3.5, ())
    assert sample.cpu_time == pytest.approx(0.57750055)


def test_number_of_a_later_libvirt_is_unknown() -> None:
    sample = statistics.read("me", {"state.state": 99, "state.reason": 99})
    assert (sample.state, sample.reason) == (DomainState.UNKNOWN, "unknown")
    assert statistics.read("me", {"state.state": 3, "state.reason": 99}).reason == "unknown"


def test_five_hundred_domains_are_read_quickly() -> None:
    begun = time.thread_time()
    for _ in range(500):
        statistics.read("me", ASKED)
    assert time.thread_time() - begun < 0.2
