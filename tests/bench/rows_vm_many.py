"""What it costs to know 200 real VMs: sampling, and the statistics of all of them. They are made once.

They are paused: 200 halted firmwares keep two cores busy with their timers, and libvirt asks a paused QEMU the same.
"""

from __future__ import annotations

import time

import machine
import msgspec
import real_libvirt
import real_vms
from agent import Agent, AgentFailed, Setting, running
from bench import Bench
from rows import Round, load_since, row
from rows_process import memory_of, watch
from vms import vm_id

GROUP = "many idle VMs on a real libvirt"
_VMS, _AT_A_TIME = 200, 10
_CPU_PERCENT = 5.0
_CALL_MS = 50.0
CPU = "one core, real VMs, sampled every 15 s"
STATS = "getAllVmStats of real VMs, once a second"
MEMORY = "resident size with real VMs"


def measure(bench: Bench) -> None:
    if not bench.wants_any([CPU, STATS, MEMORY]):
        return
    if reason := real_libvirt.why_not():
        bench.notes.append(f"{GROUP}: {reason}")
        return
    vms, period = (10, 1.0) if bench.quick else (_VMS, 15.0)
    with real_libvirt.running() as host:
        setting = Setting(uri=host.uri, obedient=False, sample_seconds=period)
        with running(setting) as agent:
            real_vms.await_probed(agent)
            _fill(agent, vms)
            _measure(bench, agent, period, f"{vms} VMs")


def _fill(agent: Agent, vms: int) -> None:
    with real_vms.followed(agent) as follower:
        for first in range(0, vms, _AT_A_TIME):
            numbers = range(first, min(first + _AT_A_TIME, vms))
            real_vms.create_at_once(agent, {number: real_vms.idle_xml(number) for number in numbers}, paused=True)
            follower.await_started([vm_id(number) for number in numbers])


def _measure(bench: Bench, agent: Agent, period: float, note: str) -> None:
    time.sleep(period)  # what the starts have left behind, and a whole sample
    _require_sampled(agent)
    if bench.wants(CPU):
        rounds = [watch(agent, 2 * period) for _ in range(1 if bench.quick else 3)]
        bench.add(row(GROUP, CPU, rounds, "%", target=_CPU_PERCENT, note=note))
    if bench.wants(STATS):
        calls = [_stats(agent) for _ in range(3 if bench.quick else 21)]
        bench.add(row(GROUP, STATS, calls, "ms", target=_CALL_MS, note=note))
    if bench.wants(MEMORY):
        bench.add(row(GROUP, MEMORY, [memory_of(agent)], "MB RSS", note=note))


def _require_sampled(agent: Agent) -> None:
    """A sample that fails is cheap."""
    with agent.connect() as connection:
        known = msgspec.json.decode(bytes(connection.call("Host.getAllVmStats", None, timeout=10)))
    unknown = [vm["vmId"] for vm in known if "cpuUsage" not in vm or vm["monitorResponse"] != "0"]
    if unknown:
        raise AgentFailed(f"{len(unknown)} of {len(known)} VMs are not sampled: {agent.log()}")


def _stats(agent: Agent) -> Round:
    time.sleep(1.0)
    connection = agent.connect()
    try:
        before, cpu, begin = machine.cpu_times(), machine.cpu_seconds(agent.pid), time.perf_counter()
        answer = connection.call("Host.getAllVmStats", None, timeout=10)
        seconds = time.perf_counter() - begin
        used = machine.cpu_seconds(agent.pid) - cpu
    finally:
        connection.close()
    return Round(seconds * 1e3, load_since(before), {"ms CPU": used * 1e3, "bytes": len(answer)})
