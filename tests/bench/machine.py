"""What the kernel says about the machine's load and about one process's use of it. Source: proc(5)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)  # idle and iowait in the first line of /proc/stat


@dataclass(frozen=True)
class CpuTimes:
    """Seconds of all cores together since boot."""

    busy: float
    all: float


def cpu_times() -> CpuTimes:
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]  # guest time is part of user time
    idle = sum(ticks[place] for place in _IDLE)
    return CpuTimes((sum(ticks) - idle) / _TICK, sum(ticks) / _TICK)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process to the nanosecond: the sum over its threads. A thread that has ended is forgotten."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat", "rb") as file:
                total += int(file.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


@contextmanager
def on_one_core(*processes: int) -> Iterator[None]:
    """Let all threads of these processes run on the first core only, for as long as the block runs."""
    threads = [int(thread) for pid in processes for thread in os.listdir(f"/proc/{pid}/task")]
    before = {thread: os.sched_getaffinity(thread) for thread in threads}
    for thread in threads:
        os.sched_setaffinity(thread, {min(before[thread])})
    try:
        yield
    finally:
        for thread, cores in before.items():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, cores)


@dataclass(frozen=True)
class Memory:
    """Bytes. `shared_out` (PSS) counts a page shared by n processes as 1/n."""

    resident: int
    shared_out: int


def memory(pid: int) -> Memory:
    sizes: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        name, value, *_ = line.split()
        sizes[name] = int(value) * 1024
    return Memory(sizes["Rss:"], sizes["Pss:"])


def describe() -> str:
    """Processor, cores, memory and kernel of this machine, in one line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "CPU"
    )
    gib = int(next(line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))) / (1 << 20)
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, {gib:.0f} GiB, Linux {os.uname().release.partition('-')[0]}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
