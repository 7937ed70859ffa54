"""The first call for statistics after each sample: the answer is put together anew.

This is what an engine pays that asks once per period; `rows_calls` asks far more often, and mostly gets an answer that
is ready. The agent's CPU time is read around every single call while nothing else is asked of it.
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

GROUP = "calls: CPU time of the agent for the first one after a sample"
_SAMPLE_SECONDS = 1.0
_SETTLE_SECONDS = 0.005
"""For the agent to be done with what it does after its answer has left."""
PING = "Host.ping2"
ONE = "VM.getStats"
FEW = "Host.getAllVmStats of 50 VMs"
MANY = "Host.getAllVmStats of 500 VMs"


def measure(bench: Bench) -> None:
    names = [f"{name}, anew" for name in (PING, ONE, FEW, MANY)]
    if not bench.wants_any(names):
        return
    few, many = (3, 4) if bench.quick else (50, 500)
    calls = 2 if bench.quick else 11
    with running(Setting(sample_seconds=0.1 if bench.quick else _SAMPLE_SECONDS)) as agent:
        agent.add_vms(few)
        # A ping shows what every call costs that comes after a pause, when the core's caches are cold.
        for name, target in ((PING, None), (ONE, None), (FEW, 1100.0)):
            _measure(bench, agent, name, target, calls)
        if bench.wants(f"{MANY}, anew"):
            agent.add_vms(many)
            _measure(bench, agent, MANY, None, calls)


def _measure(bench: Bench, agent: Agent, name: str, target: float | None, calls: int) -> None:
    if not bench.wants(f"{name}, anew"):
        return
    method = name.partition(" ")[0]
    params = msgspec.json.encode({"vmID": vm_id(0)}) if method == ONE else None
    connection = agent.connect()
    try:
        done = [_call(agent, connection, method, params) for _ in range(calls)]
    finally:
        connection.close()
    bench.add(row(GROUP, f"{name}, anew", done, "us/call", target=target))


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
