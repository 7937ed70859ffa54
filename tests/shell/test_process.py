"""`ovis` as a whole process, as scripts and people start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

SECONDS = 20.0


def start(*words: str, **settings: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "ovis.shell", *words], text=True, **settings)


def test_ping_is_quick(agent: Any) -> None:
    """The promise is 0.15 s on a quiet machine (docs/performance.md); the test allows for a busy one."""
    environment = {**os.environ, "OVIS_SOCKET": agent.socket}
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        process = start("node", "Host", "ping2", env=environment, stdout=subprocess.PIPE)
        out, _ = process.communicate(timeout=SECONDS)
        times.append(time.perf_counter() - begun)
        assert (process.returncode, out) == (0, "true\n")
    assert min(times) < 0.5


def test_a_call_loads_nothing_it_does_not_need(agent: Any) -> None:
    code = (
        "import sys; from ovis.shell.main import main; code = main(['node', 'Host', 'ping2']);"
        "print([m for m in ('asyncio', 'ssl', 'rich', 'yaml', 'ovis.client.types') if m in sys.modules])"
    )
    environment = {**os.environ, "OVIS_SOCKET": agent.socket}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert out.stdout == "true\n[]\n"


@pytest.mark.parametrize("buffering", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_reader_that_goes_away_is_no_error(agent: Any, buffering: dict[str, str]) -> None:
    agent.answers["Host.dumpxmls"] = {"x": "y" * 1_000_000}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = start(
        "node",
        "Host",
        "dumpxmls",
        env={**environment, **buffering, "OVIS_SOCKET": agent.socket},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(SECONDS) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_control_c_ends_following_with_130(agent: Any) -> None:
    environment = {**os.environ, "OVIS_SOCKET": agent.socket}
    process = start("node", "events", env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert agent.subscribed.wait(SECONDS)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err.strip()) == (130, "", "")
