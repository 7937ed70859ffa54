"""`ovis node Host ping2` as a whole process, beside an interpreter that does nothing, in turns."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent import OVIS, PYTHON, AgentFailed, Setting, environment, running
from bench import Bench
from rows import Round, loaded, row

GROUP = "the command line"
_TARGET_MS = 150.0
PING = "ovis node Host ping2"
NOTHING = "python -c pass"


def measure(bench: Bench) -> None:
    if not bench.wants_any([PING, NOTHING]):
        return
    with running(Setting(obedient=False)) as agent:
        commands: Mapping[str, Sequence[str | Path]] = {
            PING: [OVIS, "node", "--socket", agent.socket, "Host", "ping2"],
            NOTHING: [PYTHON, "-c", "pass"],
        }
        rounds: dict[str, list[Round]] = {name: [] for name in commands}
        _run(commands[PING])  # compiles
        for _ in range(2 if bench.quick else 21):
            for name, command in commands.items():
                rounds[name].append(_run(command))
    bench.add(row(GROUP, PING, rounds[PING], "ms", target=_TARGET_MS))
    bench.add(row(GROUP, NOTHING, rounds[NOTHING], "ms", note="for comparison"))


def _run(command: Sequence[str | Path]) -> Round:
    def run() -> tuple[float, Mapping[str, float]]:
        begin = time.perf_counter()
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False, env=environment()
        )
        seconds = time.perf_counter() - begin
        if done.returncode:
            raise AgentFailed(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
        return seconds * 1e3, {}

    return loaded(run)
