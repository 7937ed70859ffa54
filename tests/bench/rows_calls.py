"""Calls per second and the agent's CPU time per call."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import echo
from agent import Agent, Setting, running
from bench import Bench
from calls import Framing, request
from clients import Address, LoadProcess, Outcome, Work
from rows import Round, percentile, row
from vms import vm_id

GROUP = "calls: CPU time of the agent per call"
_FEW, _MANY, _QUICK = 50, 500, 3
_ONE_CORE = "same core"
_SAMPLE_SECONDS = 2.0
"""More often than usual: what the answers are made of is renewed several times while they are counted."""


@dataclass(frozen=True)
class Kind:
    """A call to measure, and the most CPU time (µs) that it may take.

    The bounds are a half, a fifth and a tenth of what the existing agent takes at its best on such a machine:
    75 µs, 460 µs and 11 ms.
    """

    method: str
    vms: int
    target: float | None

    @property
    def label(self) -> str:
        return f"{self.method} of {self.vms} VMs" if self.method == "Host.getAllVmStats" else self.method


KINDS = (
    Kind("Host.ping2", _FEW, 37.5),
    Kind("VM.getStats", _FEW, 92.0),
    Kind("Host.getAllVmStats", _FEW, 1100.0),
    Kind("Host.getAllVmStats", _MANY, None),
)


@dataclass(frozen=True)
class Case:
    kind: Kind
    framing: Framing
    tls: bool
    clients: int
    one_core: bool = False

    @property
    def name(self) -> str:
        name = f"{self.kind.label}, {self.framing}, {'TLS' if self.tls else 'plain'}, {_clients(self.clients)}"
        return f"{name}, {_ONE_CORE}" if self.one_core else name

    def requests(self, vms: int) -> tuple[bytes, ...]:
        """One for each client; each asks for a VM of its own where it is about one."""
        if self.kind.method != "VM.getStats":
            return (request(self.framing, self.kind.method),) * self.clients
        ids = (vm_id(number % vms) for number in range(self.clients))
        return tuple(request(self.framing, self.kind.method, {"vmID": each}) for each in ids)


def cases(*, quick: bool) -> Iterator[Case]:
    kinds = [replace(kind, vms=_QUICK) for kind in KINDS if kind.vms == _FEW] if quick else KINDS
    for kind, framing, tls, clients in itertools.product(kinds, Framing, (False, True), (1, 16)):
        yield Case(kind, framing, tls, clients)
        if kind.method == "Host.ping2" and clients == 1:
            yield Case(kind, framing, tls, clients, one_core=True)


def measure(bench: Bench) -> None:
    _measure_floor(bench)
    wanted = [case for case in cases(quick=bench.quick) if bench.wants(case.name)]
    if not wanted:
        return
    with running(Setting(sample_seconds=_SAMPLE_SECONDS)) as agent, LoadProcess() as load:
        addresses = {tls: agent.address(tls=tls) for tls in (False, True)}
        for case in wanted:
            if agent.vms < case.kind.vms:
                agent.add_vms(case.kind.vms)
            _measure_case(bench, case, agent, load, addresses[case.tls])


def _measure_floor(bench: Bench) -> None:
    """What the same load costs a server that does nothing: for judging the figures of ping2."""
    kinds = {
        f"nothing, native, plain, {_clients(count)}{', ' + _ONE_CORE if one_core else ''}": (count, one_core)
        for count, one_core in ((1, False), (1, True), (16, False))
    }
    if not bench.wants_any(kinds):
        return
    with echo.running() as server, LoadProcess() as load:
        for name, (count, one_core) in kinds.items():
            if bench.wants(name):
                ping = (request(Framing.NATIVE, "Host.ping2"),) * count
                done = [
                    _round(load.run(Work(server.address, Framing.NATIVE, ping, seconds, server.pid, one_core)))
                    for seconds in _rounds(bench)
                ]
                bench.add(row(GROUP, name, done, "us/call", note="not the agent: a bare socket server"))


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"


def _rounds(bench: Bench) -> list[float]:
    """Seconds of each."""
    return [0.05] if bench.quick else [0.5] * 5


def _measure_case(bench: Bench, case: Case, agent: Agent, load: LoadProcess, address: Address) -> None:
    done = [
        _round(load.run(Work(address, case.framing, case.requests(agent.vms), seconds, agent.pid, case.one_core)))
        for seconds in _rounds(bench)
    ]
    bench.add(row(GROUP, case.name, done, "us/call", target=case.kind.target))


def _round(outcome: Outcome) -> Round:
    cpu = outcome.cpu / outcome.calls * 1e6
    also = {
        "calls/s": outcome.calls / outcome.seconds,
        "p99 ms": percentile(outcome.latencies, 0.99) * 1e3,
        "bytes": outcome.answer_bytes,
        "us/KB": cpu / outcome.answer_bytes * 1e3,
        "client us/call": outcome.own_cpu / outcome.calls * 1e6,
    }
    return Round(cpu, outcome.load, also)
