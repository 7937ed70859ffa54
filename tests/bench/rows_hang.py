"""Does a call wait for calls that hang? p99 of Host.ping2 while every place for calls is taken by a hung VM.reset.

Two ways to hang: the calls wait and hold nothing else; or each waits for a thread of a real pool of which all are stuck
(what a dead QEMU does). The last connection shows that the places are really taken: it is refused with
ResourceExhausted.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from agent import Agent, AgentFailed, Setting, running
from bench import Bench
from calls import Framing, request
from clients import LoadProcess, Work, connect
from rows import Round, percentile, row
from vms import vm_id

GROUP = "ping2 while all calls that may wait hang"
_TARGET_MS = 20.0
_EXHAUSTED = b'"code":1100'
_HUNG_SECONDS = 10.0
WAYS = {"hang-calls": "every place for calls taken", "hang-threads": "the same, and every thread of a pool stuck"}


def _name(way: str, clients: int) -> str:
    return f"p99, {WAYS[way]}, {clients} client{'s' if clients > 1 else ''}"


def measure(bench: Bench) -> None:
    wanted = [(way, clients) for way in WAYS for clients in (1, 16) if bench.wants(_name(way, clients))]
    if not wanted:
        return
    places, each = (8, 4) if bench.quick else (256, 64)
    with running(Setting(calls=places, calls_per_connection=each, sample_seconds=2.0)) as agent, LoadProcess() as load:
        agent.add_vms(places + 1, sampled=False)
        for way, clients in wanted:
            with _hung(agent, way, places, each) as threads:
                done = [
                    _ping(agent, load, clients, 0.1 if bench.quick else 1.0) for _ in range(1 if bench.quick else 5)
                ]
            note = f"{places} calls hang" + (f", {threads} threads" if threads else "")
            bench.add(row(GROUP, _name(way, clients), done, "ms", target=_TARGET_MS, note=note))


def _ping(agent: Agent, load: LoadProcess, clients: int, seconds: float) -> Round:
    ping = (request(Framing.NATIVE, "Host.ping2"),) * clients
    outcome = load.run(Work(agent.address(tls=False), Framing.NATIVE, ping, seconds, agent.pid))
    worst = max(outcome.latencies) * 1e3
    also = {"max ms": worst, "p50 ms": percentile(outcome.latencies, 0.5) * 1e3, "calls": outcome.calls}
    return Round(percentile(outcome.latencies, 0.99) * 1e3, outcome.load, also)


@contextmanager
def _hung(agent: Agent, way: str, places: int, each: int) -> Iterator[int]:
    """Take all places, each with a reset of a VM of its own; yields the number of stuck threads."""
    with ExitStack() as stack:
        address = agent.address(tls=False)
        socks = [stack.enter_context(connect(address, Framing.NATIVE)) for _ in range(-(-places // each) + 1)]
        agent.ask(way)
        try:
            for number in range(places):
                socks[number // each].sendall(request(Framing.NATIVE, "VM.reset", {"vmID": vm_id(number)}))
            end = time.monotonic() + _HUNG_SECONDS
            while (state := agent.ask("reset"))["begun"] < places:
                if time.monotonic() > end:
                    raise AgentFailed(f"only {state['begun']} of {places} calls hang")
                time.sleep(0.01)
            _refused(socks[-1], places)
            yield int(state["threads"])
        finally:
            agent.ask("release")
        for number, sock in enumerate(socks[:-1]):
            _await_answers(sock, min(each, places - number * each))


def _await_answers(sock: socket.socket, count: int) -> None:
    """They have all ended: the next ones find their VMs free."""
    sock.settimeout(_HUNG_SECONDS)
    seen = b""
    while seen.count(b'"jsonrpc"') < count:
        data = sock.recv(65536)
        if not data:
            raise AgentFailed("the agent closed a connection whose calls hung")
        seen += data


def _refused(sock: socket.socket, number: int) -> None:
    sock.settimeout(5)
    sock.sendall(request(Framing.NATIVE, "VM.reset", {"vmID": vm_id(number)}))
    answer = sock.recv(4096)
    if _EXHAUSTED not in answer:
        raise AgentFailed(f"one more call was not refused: {answer!r}")
