"""`ovis node console` as a whole process, in a terminal and without one."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ovis.wire.routes import fault

SECONDS = 15.0
VM = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"


class Terminal:
    """The user's side of a terminal in which the command runs."""

    def __init__(self, agent: Any, *words: str) -> None:
        self.side, other = pty.openpty()
        self.before = termios.tcgetattr(other)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ovis.shell", "node", "console", VM, *words],
            env={**os.environ, "OVIS_SOCKET": agent.socket}, stdin=other, stdout=other, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._other = other
        self.seen = b""

    def until(self, text: bytes) -> None:
        end = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            self.seen += os.read(self.side, 1000)

    def type(self, keys: bytes) -> None:
        os.write(self.side, keys)

    def ended(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=SECONDS)
        assert termios.tcgetattr(self._other) == self.before, "the terminal is not as it was"
        return self.process.returncode, errors.decode()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.side)
        os.close(self._other)


@contextmanager
def terminal(agent: Any, *words: str) -> Iterator[Terminal]:
    found = Terminal(agent, *words)
    try:
        yield found
    finally:
        found.close()


def test_keys_go_to_the_guest_and_the_escape_ends(agent: Any) -> None:
    with terminal(agent) as user:
        user.until(b"login: ")
        user.type(b"abc\x03\x04")  # Ctrl-C and Ctrl-D are the guest's
        user.until(b"ABC\x03\x04")
        user.type(b"x\x1d")
        code, errors = user.ended()
    assert code == 0
    assert "Ctrl-]" in errors
    assert agent.guests[0].is_closed.wait(SECONDS)
    assert agent.guests[0].got == b"abc\x03\x04x"


def test_end_of_the_console_ends_the_command_with_its_reason(agent: Any) -> None:
    with terminal(agent, "--force") as user:
        user.until(b"login: ")
        user.type(b"exit")
        code, errors = user.ended()
    assert code == 0
    assert "the VM is off" in errors
    assert agent.wishes == [{"vmID": VM, "kind": "serial", "force": True}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_terminal_is_put_back_when_the_command_is_ended(agent: Any, number: int) -> None:
    with terminal(agent) as user:
        user.until(b"login: ")
        user.process.send_signal(number)
        code, _ = user.ended()
    assert code == 128 + number


def test_terminal_is_put_back_when_the_agent_goes_away(agent: Any) -> None:
    with terminal(agent) as user:
        user.until(b"login: ")
        agent.stop()
        code, errors = user.ended()
    assert code in (0, 3)
    assert "closed" in errors or "lost" in errors.lower()


def test_without_a_terminal_input_and_output_are_passed_on(agent: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ovis.shell", "node", "console", VM],
        env={**os.environ, "OVIS_SOCKET": agent.socket}, input=b"\x1dexit",
        capture_output=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"login: ")
    assert agent.guests[0].got == b"\x1dexit"


def test_vm_is_named_by_its_name(agent: Any, ovis: Callable[..., Any]) -> None:
    agent.answers["Host.getVMFullList"] = [{"vmId": VM, "vmName": "web"}, {"vmId": "x", "vmName": "other"}]
    agent.console_refusal = fault(409, "somebody has it")  # type: ignore[arg-type]
    ended = ovis("node", "console", "web")
    assert (ended.code, agent.wishes[0]["vmID"]) == (1, VM)
    assert "somebody has it" in ended.err
    assert ovis("node", "console", "nobody").code == 2


def test_refused_ticket_is_said(agent: Any, ovis: Callable[..., Any]) -> None:
    agent.console_refusal = fault(403, "needs the right to administer")  # type: ignore[arg-type]
    ended = ovis("node", "console", VM)
    assert ended.code == 5
    assert "administer" in ended.err
