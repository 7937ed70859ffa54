"""The rules of the house on what hosts went through: measurements in, decisions out."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest

from ovis.node.policy.deciding import DISK_LIMITS, HOST, Decision, Guest, Host, decide
from ovis.node.policy.entities import DiskTune
from ovis.node.policy.errors import RuleError
from ovis.node.policy.reader import read

RULES = read((files("ovis.node.policy") / "default.policy").read_text())
GIB = 1 << 20  # in KiB
TOTAL = 64 * GIB
MERGING = {"ksm_run": 0, "ksm_pages_to_scan": 100, "ksm_sleep_millisecs": 20, "ksm_merge_across_nodes": 1}
OFF = {"cpuTuneEnabled": 0, "ioTuneEnabled": 0}


def host(free: float, **more: Any) -> Host:
    row = {"mem_available": TOTAL, "mem_free": int(free * TOTAL), "ksm_shareable": 0, "cpu_count": 8, **MERGING, **more}
    return Host(HOST, rows=[row])


def guest(current: float, unused: float, **more: Any) -> Guest:
    row = {
        "balloon_cur": int(current * GIB),
        "balloon_max": 8 * GIB,
        "balloon_min": 1 * GIB,
        "mem_unused": int(unused * GIB),
        "vcpu_count": 2,
        "vcpu_user_limit": 100,
        "io_tune": None,
    }
    return Guest("guest", rows=[{**row, **more}])


def decided(*given: Any, **parameters: int) -> dict[str, Any]:
    machine, *guests = given
    found = decide(RULES, parameters, machine, guests).decisions
    return {one.control: one.value for one in found}


def test_a_host_with_memory_is_left_alone() -> None:
    assert decided(host(0.6), guest(8, 4), balloonEnabled=1) == {}


def test_pages_are_merged_while_memory_is_short_and_harder_the_longer() -> None:
    found = decided(host(0.15))
    assert found == {"ksm_run": 1, "ksm_sleep_millisecs": 2, "ksm_pages_to_scan": 400}
    assert decided(host(0.15, ksm_run=1, ksm_pages_to_scan=1200))["ksm_pages_to_scan"] == 1250
    assert decided(host(0.22, ksm_run=1))["ksm_pages_to_scan"] == 64
    assert decided(host(0.22)) == {}
    assert decided(host(0.3, ksm_run=1)) == {"ksm_run": 0}


def test_pages_are_merged_when_more_is_promised_than_there_is() -> None:
    assert decided(host(0.9, ksm_shareable=TOTAL))["ksm_run"] == 1


def test_what_an_engine_switches_off_stays_off() -> None:
    assert decided(host(0.02), guest(8, 4), ksmEnabled=0, balloonEnabled=0) == {}
    assert decided(host(0.02, ksm_run=1), ksmEnabled=0) == {"ksm_run": 0}
    assert decided(host(0.1), ksmMergeAcrossNodes=0)["ksm_merge_across_nodes"] == 0


def test_a_kernel_that_merges_nothing_is_no_fault() -> None:
    assert decided(host(0.02, **dict.fromkeys(MERGING))) == {}


@pytest.mark.parametrize(
    ("free", "unused", "share"),
    [
        (0.15, 6, 0.95),  # plenty unused: a step of five percent
        (0.15, 1.2, 1.0),  # what is unused is no more than its reserve
        (0.10, 1.2, 0.95),  # the reserve melts with the host's memory
        (0.04, 0.1, 0.95),  # in despair it shall swap
    ],
)
def test_guests_give_memory_back(free: float, unused: float, share: float) -> None:
    found = decided(host(free), guest(8, unused), balloonEnabled=1)
    assert found.get("balloon_target", 8 * GIB) == int(8 * GIB * share)


def test_no_guest_goes_below_what_it_is_guaranteed() -> None:
    found = decided(host(0.03), guest(1.01, 0.9), balloonEnabled=1)
    assert found["balloon_target"] == 1 * GIB


def test_guests_get_memory_back() -> None:
    assert decided(host(0.6), guest(4, 2), balloonEnabled=1)["balloon_target"] == int(4 * GIB * 1.05)
    assert decided(host(0.6), guest(4, 0.1), balloonEnabled=1)["balloon_target"] == int(5.5 * GIB)
    assert decided(host(0.6), guest(7.9, 2), balloonEnabled=1)["balloon_target"] == 8 * GIB
    assert decided(host(0.22), guest(4, 2), balloonEnabled=1) == {}


def test_a_guest_that_tells_nothing_is_left_alone() -> None:
    mute, other = guest(8, 6, mem_unused=None), guest(8, 6)
    decisions = decide(RULES, {"balloonEnabled": 1}, host(0.1), [mute, other]).decisions
    assert sum(one.control == "balloon_target" for one in decisions) == 1


def test_cpu_limits() -> None:
    assert decided(host(0.6), guest(8, 4, vcpu_user_limit=50)) == {"vcpu_quota": 200_000, "vcpu_period": 100_000}
    tiny = decided(host(0.6), guest(8, 4, vcpu_user_limit=1, vcpu_count=16))
    assert tiny == {"vcpu_quota": 1000, "vcpu_period": 200_000}
    former = guest(8, 4)
    former.variables["limited"] = 1
    assert decided(host(0.6), former) == {"vcpu_quota": -1, "vcpu_period": 100_000}
    assert former.variables["limited"] == 0
    assert decided(host(0.6), guest(8, 4, vcpu_user_limit=50), cpuTuneEnabled=0) == {}


def test_disk_limits() -> None:
    names = [f"{way}_{what}_sec" for way in ("total", "read", "write") for what in ("bytes", "iops")]
    none: Mapping[str, int] = dict.fromkeys(names, 0)
    most = {**none, "total_iops_sec": 100}
    one = guest(8, 4, io_tune=[DiskTune("vda", none, most, none)])
    assert decide(RULES, {}, host(0.6), [one]).decisions == [Decision("guest", DISK_LIMITS, most, "vda")]
    other = guest(8, 4, io_tune=[DiskTune("vda", none, most, most)])
    assert decided(host(0.6), other) == {}
    off = guest(8, 4, io_tune=[DiskTune("vda", none, most, most)])
    assert decided(host(0.6), off, ioTuneEnabled=0) == {DISK_LIMITS: none}


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ('(Host.Control "rm" 1)', "has no control rm"),
        ('(Host.Control "ksm_run" 3)', "a number from 0 to 2"),
        ('(Host.Control "ksm_run" "on")', "a number from 0 to 2"),
        ('(Host.Control "huge_pages" "perhaps")', "one of always, madvise, never"),
        ('(with Guests g (g.Control "vcpu_period" 1))', "a number from 1000"),
        ('(with Guests g (g.Control "ksm_run" 1))', "has no control ksm_run"),
    ],
)
def test_controls_are_checked(rule: str, problem: str) -> None:
    with pytest.raises(RuleError, match=problem):
        decide(read(rule), {}, host(0.5), [guest(8, 4)])


def test_a_host_under_pressure_comes_to_rest() -> None:
    """Four guests of 16 GiB on 64 GiB that use little: the host gets out of its need, and nothing swings."""
    sizes, used = [16.0 * GIB] * 4, 3.0 * GIB
    free, touched = 0.1, 0
    for _ in range(60):
        guests = [guest(1, 1, balloon_cur=size, balloon_max=16 * GIB, mem_unused=size - used) for size in sizes]
        found = [
            one for one in decide(RULES, {"balloonEnabled": 1}, host(free), guests).decisions if one.target != HOST
        ]
        touched = len(found)
        targets = [int(str(one.value)) for one in found] or sizes
        free += (sum(sizes) - sum(targets)) / TOTAL
        sizes = [float(size) for size in targets]
    assert touched == 0
    assert 0.2 <= free <= 0.3
