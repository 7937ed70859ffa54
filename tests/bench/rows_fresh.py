"""Statistics as an engine asks for them: once per period, of a process that does nothing else meanwhile.

The agent puts the answers together ahead, after each sample; what sampling and that cost together is a row of its own.
The agent's CPU time is read around every single call.
"""

from __future__ import annotations

import time

import machine
import msgspec
from agent import Agent, Setting, running
from bench import Bench
from rows import Round, load_since, row
from vms import vm_id

from ovis.wire.blocking import BlockingConnection

GROUP = "CPU time of the agent: one call after a pause, one sample"
_SAMPLE_SECONDS = 1.0
_SETTLE_SECONDS = 0.005
"""For the agent to be done with what it does after its answer has left."""
PING = "Host.ping2"
ONE = "VM.getStats"
FEW = "Host.getAllVmStats of 50 VMs"
MANY = "Host.getAllVmStats of 500 VMs"


def measure(bench: Bench) -> None:
    names = [f"{name}, after a pause" for name in (PING, ONE, FEW, MANY)]
    if not bench.wants_any([*names, *(_sample_name(vms) for vms in (50, 500))]):
        return
    few, many = (3, 4) if bench.quick else (50, 500)
    calls = 2 if bench.quick else 11
    with running(Setting(sample_seconds=_SAMPLE_SECONDS)) as agent:
        agent.add_vms(few)
        # A ping shows what every call costs that comes after a pause, when the core's caches are cold.
        for name, target in ((PING, None), (ONE, None), (FEW, 1100.0)):
            _measure(bench, agent, name, target, calls)
        _measure_samples(bench, agent)
        if bench.wants_any([f"{MANY}, after a pause", _sample_name(many)]):
            agent.add_vms(many)
            _measure(bench, agent, MANY, None, calls)
            _measure_samples(bench, agent)


def _sample_name(vms: int) -> str:
    return f"one sample of {vms} VMs, statistics put together"


def _measure_samples(bench: Bench, agent: Agent) -> None:
    """Nobody calls; the simulation of the VMs and the questions to their guests are in it."""
    if not bench.wants(_sample_name(agent.vms)):
        return
    samples, rounds = (2, 1) if bench.quick else (5, 3)
    done = []
    for _ in range(rounds):
        before, cpu = machine.cpu_times(), machine.cpu_seconds(agent.pid)
        time.sleep(samples * _SAMPLE_SECONDS)
        used = (machine.cpu_seconds(agent.pid) - cpu) * 1e6 / samples
        done.append(Round(used, load_since(before), {"us per VM": used / agent.vms}))
    bench.add(row(GROUP, _sample_name(agent.vms), done, "us"))


def _measure(bench: Bench, agent: Agent, name: str, target: float | None, calls: int) -> None:
    if not bench.wants(f"{name}, after a pause"):
        return
    method = name.partition(" ")[0]
    params = msgspec.json.encode({"vmID": vm_id(0)}) if method == ONE else None
    connection = agent.connect()
    try:
        done = [_call(agent, connection, method, params) for _ in range(calls)]
    finally:
        connection.close()
    bench.add(row(GROUP, f"{name}, after a pause", done, "us/call", target=target))


def _call(agent: Agent, connection: BlockingConnection, method: str, params: bytes | None) -> Round:
    """A call after a new sample for sure; not at once after it."""
    time.sleep(1.3 * _SAMPLE_SECONDS)
    before, cpu, begin = machine.cpu_times(), machine.cpu_seconds(agent.pid), time.perf_counter()
    answer = connection.call(method, params, timeout=10)
    seconds = time.perf_counter() - begin
    time.sleep(_SETTLE_SECONDS)
    used = (machine.cpu_seconds(agent.pid) - cpu) * 1e6
    also = {"ms until answered": seconds * 1e3, "bytes": len(answer), "us/KB": used / len(answer) * 1e3}
    return Round(used, load_since(before), also)
