"""What the agent has measured, as rules see it. Memory is in KiB.

Host: mem_available (all there is), mem_free (free and caches), mem_unused, swap_total, swap_usage, memory_pressure
(percent of time that somebody waits for memory, None where the kernel does not tell), anon_huge_pages, cpu_count, time,
ksm_*, huge_pages, cache_pressure, swappiness.
Guest: balloon_cur, balloon_max, balloon_min, mem_available, mem_unused, mem_free, mem_rss, swap_in, swap_out,
major_fault, minor_fault, vcpu_count, vcpu_user_limit (percent), vcpu_quota, vcpu_period (microseconds), io_tune.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ovis.client.types import VmDiskDeviceTuneLimits
from ovis.node.errors import NodeError
from ovis.node.host import memory
from ovis.node.host.kernel_files import KernelFiles, whole
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.policy.entities import DiskTune, Value
from ovis.node.vm.tuning import disks, policy
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

_KSM = "sys/kernel/mm/ksm"
_KSM_NAMES = (
    "run",
    "pages_to_scan",
    "sleep_millisecs",
    "merge_across_nodes",
    "pages_shared",
    "pages_sharing",
    "pages_unshared",
    "pages_volatile",
    "full_scans",
)
_PRESSURE = re.compile(r"some avg10=([\d.]+)")
NO_LIMIT = 100


def host_row(files: KernelFiles, now: float, promised: int) -> dict[str, Value]:
    """`promised`: bytes of all guests together. Source: Documentation/accounting/psi.rst."""
    known = memory.read(files.text("proc/meminfo") or "")
    free = re.search(r"^MemFree:\s+(\d+)", files.text("proc/meminfo") or "", re.MULTILINE)
    pressure = _PRESSURE.search(files.text("proc/pressure/memory") or "")
    return {
        "time": now,
        "cpu_count": os.cpu_count() or 1,
        "mem_available": known.total >> 10,
        "mem_free": known.available >> 10,
        "mem_unused": int(free[1]) if free else None,
        "swap_total": known.swap_total >> 10,
        "swap_usage": (known.swap_total - known.swap_free) >> 10,
        "anon_huge_pages": known.anonymous_huge_pages >> 10,
        "memory_pressure": float(pressure[1]) if pressure else None,
        "ksm_shareable": promised >> 10,
        **{f"ksm_{name}": whole(files.text(f"{_KSM}/{name}")) for name in _KSM_NAMES},
        "huge_pages": memory.huge_page_policy(files.text("sys/kernel/mm/transparent_hugepage/enabled")),
        "cache_pressure": whole(files.text("proc/sys/vm/vfs_cache_pressure")),
        "swappiness": whole(files.text("proc/sys/vm/swappiness")),
    }


def properties(vm: Vm) -> dict[str, Value]:
    return {"uuid": vm.id, "name": vm.name}


async def guest_row(vms: Vms, vm: Vm, *, limited: bool) -> dict[str, Value]:
    """`limited`: rules have changed its CPU time, so what it is now is asked for. What cannot be had is None."""
    percent, ranges = _policy(vm)
    quota = period = None
    tunes: list[DiskTune] | None = None
    try:
        if limited or percent < NO_LIMIT:
            current = await vms.hypervisor.devices.cpu_time(vm.id)
            quota, period = current.quota_us, current.period_us
        if ranges:
            tunes = await _disk_tunes(vms, vm, ranges)
    except (HypervisorError, NodeError):
        pass  # it ends in this moment, or does not answer: what is None is left alone
    return {
        **_memory(vm),
        "vcpu_count": vm.definition.vcpus,
        "vcpu_user_limit": percent,
        "vcpu_quota": quota,
        "vcpu_period": period,
        "io_tune": tunes,
    }


def _memory(vm: Vm) -> dict[str, Value]:
    balloon = vm.measured.balloon if vm.measured else None
    names = ("balloon_cur", "balloon_max", "balloon_min", "mem_available", "mem_unused", "mem_free", "mem_rss",
             "swap_in", "swap_out", "major_fault", "minor_fault")  # fmt: skip
    if balloon is None or not vm.definition.balloon or vm.definition.metadata.get("ballooningEnabled") is False:
        return dict.fromkeys(names)
    usable = balloon.unused if balloon.usable is None else balloon.usable
    sizes = (balloon.current, balloon.maximum, vm.definition.guaranteed_memory, balloon.available, balloon.unused,
             usable, balloon.rss)  # fmt: skip
    counts = (balloon.swap_in, balloon.swap_out, balloon.major_faults, balloon.minor_faults)
    in_kib = [None if size is None else size >> 10 for size in sizes]
    return dict(zip(names, [*in_kib, *counts], strict=True))


def _policy(vm: Vm) -> tuple[int, Sequence[VmDiskDeviceTuneLimits]]:
    if policy.URI not in vm.xml:
        return NO_LIMIT, ()
    try:
        percent = policy.vcpu_limit(vm)
        return NO_LIMIT if percent is None else percent, policy.io_tune(vm)
    except NodeError:
        return NO_LIMIT, ()  # what another program wrote there is not ours to judge


async def _disk_tunes(vms: Vms, vm: Vm, ranges: Sequence[VmDiskDeviceTuneLimits]) -> list[DiskTune]:
    found = []
    for current in await disks.read(vms, vm):
        for one in ranges:
            if (current.name and current.name == one.name) or (current.path and current.path == one.path):
                guaranteed, maximum, now = (
                    asdict(disks.limits(each)) for each in (one.guaranteed, one.maximum, current.io_tune)
                )
                found.append(DiskTune(str(current.name), guaranteed, maximum, now))
                break
    return found
