"""The agent as a process: memory, start, and what it costs while nobody calls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack

import machine
import real_libvirt
from agent import Agent, Setting, await_answer, prepared, running, started
from bench import Bench
from rows import Round, load_since, loaded, row

GROUP = "the process"
_MB = 1_000_000
_IDLE_MB = 60.0
_FULL_MB = 120.0
_CPU_PERCENT = 5.0
_START_MS = 500.0
_VMS = 500

IDLE = {"simulated": "memory idle", "libvirt": "memory idle, real libvirt"}
START = {"simulated": "start to first answer", "libvirt": "start to first answer, real libvirt"}
FULL_MEMORY = f"memory with {_VMS} simulated VMs"
FULL_CPU = f"one core, {_VMS} simulated VMs, sampled every 15 s"


def measure(bench: Bench) -> None:
    if bench.wants_any([IDLE["simulated"], START["simulated"]]):
        _measure_alone(bench, "simulated", "simulated:")
    _measure_with_libvirt(bench)
    if bench.wants_any([FULL_MEMORY, FULL_CPU]):
        _measure_full(bench)


def _measure_with_libvirt(bench: Bench) -> None:
    if bench.quick or not bench.wants_any([IDLE["libvirt"], START["libvirt"]]):
        return
    if reason := real_libvirt.why_not():
        bench.notes.append(f"{IDLE['libvirt']}, {START['libvirt']}: {reason}")
        return
    with real_libvirt.running() as libvirt:
        _measure_alone(bench, "libvirt", libvirt.uri)


def _measure_alone(bench: Bench, kind: str, uri: str) -> None:
    setting = Setting(uri=uri, obedient=False)
    with prepared(setting) as place:
        idle: list[Round] = []

        def start() -> tuple[float, Mapping[str, float]]:
            with ExitStack() as stack:
                begin = time.perf_counter()
                agent = stack.enter_context(started(place, obedient=False))
                await_answer(agent)
                seconds = time.perf_counter() - begin
                cpu = machine.cpu_seconds(agent.pid)
                if bench.wants(IDLE[kind]):
                    time.sleep(0.2 if bench.quick else 2.0)  # what is loaded after the first answer counts as well
                    idle.append(memory_of(agent))
            return seconds * 1e3, {"CPU ms": cpu * 1e3}

        if not bench.quick:
            start()  # compiles
            idle.clear()
        starts = [loaded(start) for _ in range(1 if bench.quick else 7)]
    if bench.wants(START[kind]):
        bench.add(row(GROUP, START[kind], starts, "ms", target=_START_MS))
    if idle:
        bench.add(row(GROUP, IDLE[kind], idle, "MB RSS", target=_IDLE_MB))


def memory_of(agent: Agent) -> Round:
    def read() -> tuple[float, Mapping[str, float]]:
        found = machine.memory(agent.pid)
        return found.resident / _MB, {"MB PSS": found.shared_out / _MB}

    return loaded(read)


def _measure_full(bench: Bench) -> None:
    """The simulated VMs live in the agent's memory, and what the simulation costs is in these figures too."""
    vms, sample_seconds = (10, 0.5) if bench.quick else (_VMS, 15.0)
    with running(Setting(sample_seconds=sample_seconds)) as agent:
        agent.add_vms(vms, sampled=False)
        time.sleep(sample_seconds)
        rounds = [watch(agent, 2 * sample_seconds) for _ in range(1 if bench.quick else 2)]
        if bench.wants(FULL_MEMORY):
            bench.add(row(GROUP, FULL_MEMORY, [memory_of(agent)], "MB RSS", target=_FULL_MB, note=f"{vms} VMs"))
        if bench.wants(FULL_CPU):
            bench.add(row(GROUP, FULL_CPU, rounds, "%", target=_CPU_PERCENT, note=f"{vms} VMs"))


def watch(agent: Agent, seconds: float) -> Round:
    before, cpu, begin = machine.cpu_times(), machine.cpu_seconds(agent.pid), time.perf_counter()
    time.sleep(seconds)
    used = machine.cpu_seconds(agent.pid) - cpu
    return Round(100 * used / (time.perf_counter() - begin), load_since(before))
