"""The idle agent and its root helper, which runs as a service and was asked once: what both take together."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import machine
import real_libvirt
from agent import PYTHON, Agent, Place, Setting, await_answer, environment, prepared, started
from bench import Bench
from rows import Round, load_since, loaded, row

GROUP = "the process"
MEMORY, CPU = "memory idle, agent and helper", "one core, idle agent and helper"
_MB = 1_000_000
_MEMORY_MB = 60.0
_CPU_PERCENT = 1.0
_ASK = """
import asyncio, sys
from pathlib import Path
from ovis.node.privileged.client import Privileged, at
from ovis.node.privileged.devices import ReadDmsetup
async def ask():
    helper = Privileged(at(Path(sys.argv[1])))
    await helper.call(ReadDmsetup())
    await helper.close()
asyncio.run(ask())
"""


def measure(bench: Bench) -> None:
    if bench.quick or not bench.wants_any([MEMORY, CPU]):
        return
    if reason := real_libvirt.why_not():
        bench.notes.append(f"{MEMORY}, {CPU}: {reason}")
        return
    with (
        real_libvirt.running() as libvirt,
        prepared(Setting(uri=libvirt.uri, obedient=False)) as place,
        _helper(place) as helper,
        started(place, obedient=False) as agent,
    ):
        await_answer(agent)
        time.sleep(3)  # what is loaded after the first answer counts as well
        bench.add(row(GROUP, MEMORY, [_memory(agent, helper)], "MB PSS", target=_MEMORY_MB))
        bench.add(row(GROUP, CPU, [_watch(agent.pid, helper, 32.0)], "%", target=_CPU_PERCENT))


@contextmanager
def _helper(place: Place) -> Iterator[int]:
    path = place.folder / "helper"
    words = [str(PYTHON), "-P", "-m", "ovis.node.privileged", "--socket", str(path), "--user", "0", "--group", "0"]
    with (
        open(place.folder / "helper.log", "wb") as log,
        subprocess.Popen(words, stderr=log, env=environment()) as process,
    ):
        try:
            until = time.monotonic() + 20
            while subprocess.run([PYTHON, "-c", _ASK, path], capture_output=True, check=False).returncode:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((place.folder / "helper.log").read_text())
            yield process.pid
        finally:
            process.terminate()


def _memory(agent: Agent, helper: int) -> Round:
    """A page that both share counts once."""

    def read() -> tuple[float, Mapping[str, float]]:
        ours, theirs = machine.memory(agent.pid), machine.memory(helper)
        parts = {"MB RSS of the agent": ours.resident / _MB, "MB RSS of the helper": theirs.resident / _MB}
        return (ours.shared_out + theirs.shared_out) / _MB, parts

    return loaded(read)


def _watch(agent: int, helper: int, seconds: float) -> Round:
    def used() -> float:
        return machine.cpu_seconds(agent) + machine.cpu_seconds(helper)

    before, cpu, begin = machine.cpu_times(), used(), time.perf_counter()
    time.sleep(seconds)
    return Round(100 * (used() - cpu) / (time.perf_counter() - begin), load_since(before))
