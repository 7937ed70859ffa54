"""One look at the host's counters: a few reads of files that stay open, no process, no library (about 0.1 ms).

Counters are totals, never rates; `statistics.py` makes rates of two of them.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ovis.client.types import MultipathStatus
from ovis.node.host import memory, multipath
from ovis.node.host.kernel_files import KeptFile, KernelFiles
from ovis.node.host.memory import Memory, PageMerging, PageMergingReader
from ovis.node.host.numa import NodeMemory, NodeMemoryReader, node_of_each_cpu
from ovis.node.host.traffic import Traffic, TrafficReader

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds since boot. What a hypervisor below took away (steal) is in `total` alone."""

    user: float
    system: float
    idle: float
    total: float


@dataclass(frozen=True, slots=True)
class AgentTimes:
    """CPU seconds of this process in all its threads, since it began to count."""

    user: float
    system: float

    def since(self, before: AgentTimes) -> AgentTimes:
        return AgentTimes(self.user - before.user, self.system - before.system)


@dataclass(frozen=True)
class Reading:
    """`at`: monotonic seconds, for rates. `time` and `boot_time`: Unix seconds. `up_for`: seconds since boot.

    `agent_age`: seconds since this process began to count. `merger_time`: CPU seconds of the page merging thread.
    """

    at: float
    time: float
    boot_time: int
    up_for: float
    agent_age: float
    all_cpus: CpuTimes
    cpus: Mapping[int, CpuTimes]
    cpu_nodes: Mapping[int, int]
    agent: AgentTimes
    load: float
    memory: Memory
    merging: PageMerging | None
    merger_time: float | None
    huge_page_policy: str | None
    nodes: Mapping[int, NodeMemory] = field(default_factory=dict)
    interfaces: Mapping[str, Traffic] = field(default_factory=dict)
    bad_multipaths: Mapping[str, MultipathStatus] = field(default_factory=dict)


@dataclass(frozen=True)
class Clocks:
    """Where time comes from; tests give their own."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


def agent_times() -> AgentTimes:
    """Since the process started."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return AgentTimes(usage.ru_utime, usage.ru_stime)


class HostSampler:
    """Made once; `take` may run in any thread, one at a time."""

    def __init__(
        self, files: KernelFiles, clocks: Clocks, *, agent_times: Callable[[], AgentTimes] = agent_times
    ) -> None:
        self._files = files
        self._clocks = clocks
        self._agent_times = agent_times
        self._started = clocks.monotonic()
        self._first_agent_times = agent_times()
        self._stat = files.keep("proc/stat")
        self._meminfo = files.keep("proc/meminfo")
        self._loadavg = files.keep("proc/loadavg")
        self._uptime = files.keep("proc/uptime")
        self._huge_page_policy = files.keep("sys/kernel/mm/transparent_hugepage/enabled")
        self._merging = PageMergingReader(files)
        self._merger: KeptFile | None = _page_merger(files)
        self._nodes = NodeMemoryReader(files)
        self._traffic = TrafficReader(files)
        self._cpu_nodes: Mapping[int, int] = {}

    def take(self) -> Reading:
        """Raises ValueError when the kernel's files are not what they are known to be."""
        now = self._clocks.monotonic()
        whole_memory = memory.read(self._meminfo.read() or "")
        cpus, boot_time = _cpu_times(self._stat.read() or "")
        if not self._cpu_nodes.keys() >= cpus.keys() - {None}:
            self._cpu_nodes = {number: 0 for number in cpus if number is not None} | node_of_each_cpu(self._files)
        return Reading(
            at=now,
            time=self._clocks.wall(),
            boot_time=boot_time,
            up_for=float(((self._uptime.read() or "").split() or ["0"])[0]),
            agent_age=now - self._started,
            all_cpus=cpus[None],
            cpus={number: times for number, times in cpus.items() if number is not None},
            cpu_nodes=self._cpu_nodes,
            agent=self._agent_times().since(self._first_agent_times),
            load=float(((self._loadavg.read() or "").split() or ["0"])[0]),
            memory=whole_memory,
            merging=self._merging.read(),
            merger_time=_thread_time(self._merger),
            huge_page_policy=memory.huge_page_policy(self._huge_page_policy.read()),
            nodes=self._nodes.read(whole_memory),
            interfaces=self._traffic.read(now),
            bad_multipaths=multipath.unhealthy(self._files),
        )


def _cpu_times(stat: str) -> tuple[dict[int | None, CpuTimes], int]:
    """Times of each CPU and, under None, of all; and when the host booted. Source: proc(5), /proc/stat."""
    found: dict[int | None, CpuTimes] = {}
    for line in stat.splitlines():
        if not line.startswith("cpu"):
            break
        name, *words = line.split()
        user, nice, system, idle, waiting, interrupts, soft_interrupts, steal = (
            int(word) / _TICKS_PER_SECOND for word in words[:8]
        )
        found[int(name[3:]) if name[3:] else None] = CpuTimes(
            user=user + nice,  # contains the time of guests
            system=system + interrupts + soft_interrupts,
            idle=idle + waiting,
            total=user + nice + system + idle + waiting + interrupts + soft_interrupts + steal,
        )
    if None not in found:
        raise ValueError("/proc/stat names no CPU")
    at = stat.find("\nbtime ")
    return found, int(stat[at + 7 :].split(None, 1)[0]) if at >= 0 else 0


def _page_merger(files: KernelFiles) -> KeptFile | None:
    """The kernel thread that merges pages; None when there is none or it is out of sight (in a PID namespace)."""
    for name in files.names("proc"):
        if name.isdigit() and files.text(f"proc/{name}/comm") == "ksmd":
            return files.keep(f"proc/{name}/stat")
    return None


def _thread_time(stat: KeptFile | None) -> float | None:
    """User and system time. Source: proc(5), fields 14 and 15 of /proc/PID/stat."""
    text = stat.read() if stat else None
    if not text:
        return None
    words = text.rpartition(")")[2].split()  # the name before it may hold spaces
    return (int(words[11]) + int(words[12])) / _TICKS_PER_SECOND
