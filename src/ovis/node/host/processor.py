"""The host's processors: what they are and how threads, cores, dies, sockets and NUMA nodes nest.

Source: /proc/cpuinfo, Documentation/admin-guide/cputopology.rst.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovis.node.host import numa
from ovis.node.host.kernel_files import KernelFiles, number_list, whole

_CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True, slots=True)
class Cpu:
    """One hardware thread and its place."""

    number: int
    socket: int
    die: int
    core: int
    node: int


@dataclass(frozen=True)
class Processor:
    """`mhz` is 0 when the kernel does not tell, `model` is empty then. `cpus` are those online."""

    model: str
    flags: tuple[str, ...]
    mhz: float
    cpus: tuple[Cpu, ...]

    @property
    def sockets(self) -> int:
        return len({cpu.socket for cpu in self.cpus})

    @property
    def cores(self) -> int:
        return len({(cpu.socket, cpu.die, cpu.core) for cpu in self.cpus})

    @property
    def threads(self) -> int:
        return len(self.cpus)


def read(files: KernelFiles) -> Processor:
    facts = _first_processor(files.text("proc/cpuinfo") or "")
    return Processor(
        # x86, then POWER and s390x; ARM names no model there.
        model=facts.get("model name") or facts.get("cpu") or facts.get("processor 0", ""),
        flags=tuple((facts.get("flags") or facts.get("Features") or facts.get("features") or "").split()),
        mhz=_mhz(files, facts),
        cpus=tuple(_cpus(files)),
    )


def online(files: KernelFiles) -> list[int]:
    """Numbers of the CPUs that run; CPU 0 alone when the kernel has no hot-plugging of CPUs."""
    text = files.text(f"{_CPUS}/online")
    if text:
        return number_list(text)
    return [int(name[3:]) for name in files.names(_CPUS) if name[:3] == "cpu" and name[3:].isdigit()] or [0]


def _cpus(files: KernelFiles) -> list[Cpu]:
    nodes = numa.node_of_each_cpu(files)
    return [
        Cpu(
            number=number,
            # A CPU without topology (one-CPU kernels, some ARM firmware: -1) is a socket of its own kind: number 0.
            socket=max(files.number(f"{_CPUS}/cpu{number}/topology/physical_package_id") or 0, 0),
            die=max(files.number(f"{_CPUS}/cpu{number}/topology/die_id") or 0, 0),
            core=_core(files, number),
            node=nodes.get(number, 0),
        )
        for number in online(files)
    ]


def _core(files: KernelFiles, number: int) -> int:
    core = files.number(f"{_CPUS}/cpu{number}/topology/core_id")
    return number if core is None or core < 0 else core


def _mhz(files: KernelFiles, facts: dict[str, str]) -> float:
    try:
        return float(facts.get("cpu MHz") or facts.get("clock", "").removesuffix("MHz"))
    except ValueError:
        khz = whole(files.text(f"{_CPUS}/cpu0/cpufreq/scaling_cur_freq"))
        return (khz or 0) / 1000


def _first_processor(cpuinfo: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            facts.setdefault(name.strip(), value.strip())
    return facts
