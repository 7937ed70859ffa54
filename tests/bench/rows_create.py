"""From the client's VM.create to libvirt: both ends read the same clock (CLOCK_MONOTONIC)."""

from __future__ import annotations

import time

import machine
import msgspec
import real_libvirt
from agent import Agent, AgentFailed, Setting, running
from bench import Bench
from rows import Round, load_since, percentile, row
from vms import create_params, vm_id

GROUP = "VM.create until libvirt is called"
_TARGET_MS = 50.0
_CALL_SECONDS = 10.0
SIMULATED = "p95, simulated hypervisor"
REAL = "p95, real libvirt"


def measure(bench: Bench) -> None:
    if bench.wants(SIMULATED):
        _measure(bench, SIMULATED, Setting(), rounds=1 if bench.quick else 5, each=3 if bench.quick else 40)
    if bench.quick or not bench.wants(REAL):
        return
    if reason := real_libvirt.why_not():
        bench.notes.append(f"{GROUP}: {REAL}: {reason}")
        return
    with real_libvirt.running() as libvirt:
        _measure(bench, REAL, Setting(uri=libvirt.uri), rounds=3, each=7, bridge=libvirt.bridge)


def _measure(bench: Bench, name: str, setting: Setting, *, rounds: int, each: int, bridge: str = "ovirtmgmt") -> None:
    with running(setting) as agent:
        done = [_round(agent, range(number * each, (number + 1) * each), bridge) for number in range(rounds)]
    bench.add(row(GROUP, name, done, "ms", target=_TARGET_MS))


def _round(agent: Agent, numbers: range, bridge: str) -> Round:
    """One VM after another; each is destroyed before the next."""
    before = machine.cpu_times()
    connection = agent.connect()
    try:
        sent: dict[str, float] = {}
        answered: list[float] = []
        for number in numbers:
            params = msgspec.json.encode(create_params(number, agent.folder / "disks", bridge))
            sent[vm_id(number)] = time.monotonic()
            connection.call("VM.create", params, timeout=_CALL_SECONDS)
            answered.append(time.monotonic() - sent[vm_id(number)])
            _await_created(agent, vm_id(number))
            connection.call("VM.destroy", msgspec.json.encode({"vmID": vm_id(number)}), timeout=_CALL_SECONDS)
        called = agent.ask("created")
        waits = [(called[each] - begin) * 1e3 for each, begin in sent.items()]
        load = load_since(before)
    finally:
        connection.close()
    also = {
        "p50 ms": percentile(waits, 0.5),
        "max ms": max(waits),
        "p50 ms to the answer": percentile(answered, 0.5) * 1e3,
        "VMs": len(waits),
    }
    return Round(percentile(waits, 0.95), load, also)


def _await_created(agent: Agent, wanted: str) -> None:
    end = time.monotonic() + _CALL_SECONDS
    while wanted not in agent.ask("created"):
        if time.monotonic() > end:
            raise AgentFailed(f"VM {wanted} never reached the hypervisor: {agent.log()}")
        time.sleep(0.005)
