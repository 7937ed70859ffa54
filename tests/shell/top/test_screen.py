"""The full-screen view in a real terminal (a pseudo one)."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 20.0
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self.descriptor = descriptor
        self.seen = ""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def wait_for(self, pattern: str) -> str:
        """What was written up to and with `pattern`, without escape sequences."""
        until = time.monotonic() + SECONDS
        while True:
            plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.seen)
            if re.search(pattern, self.seen) or re.search(pattern, plain):
                self.seen = ""
                return plain
            left = until - time.monotonic()
            assert left > 0, f"{pattern!r} did not come, only {self.seen!r}"
            if select.select([self.descriptor], [], [], left)[0]:
                try:
                    self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
                except OSError as error:
                    raise AssertionError(f"ended before {pattern!r}: {self.seen!r}") from error

    def exit_code(self) -> int:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            select.select([], [], [], 0.02)
        raise AssertionError("top did not end")


@contextmanager
def top(agent: Any, *words: str) -> Iterator[Terminal]:
    pid, descriptor = pty.fork()
    if pid == 0:
        environment = {**os.environ, "OVIS_SOCKET": agent.socket, "TERM": "xterm-256color"}
        environment.pop("COLUMNS", None)
        environment.pop("LINES", None)
        os.execve(sys.executable, [sys.executable, "-m", "ovis.shell", "node", "top", *words], environment)
    terminal = Terminal(pid, descriptor)
    terminal.resize(24, 80)
    try:
        yield terminal
    finally:
        if terminal.pid:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
        os.close(descriptor)


def test_q_ends_and_gives_the_terminal_back(agent: Any) -> None:
    with top(agent, "--interval", "60") as terminal:
        shown = terminal.wait_for("web .*192.0.2.7")
        assert "CPU of 8" in shown
        terminal.press("q")
        terminal.wait_for(re.escape(LEAVE))
        assert terminal.exit_code() == 0


def test_keys_and_resizing_act_at_once(agent: Any) -> None:
    with top(agent, "--interval", "60") as terminal:
        terminal.wait_for("web .*192.0.2.7[^$]*by cpu")
        terminal.press("n")
        terminal.wait_for("by name")
        terminal.resize(12, 45)
        os.kill(terminal.pid, signal.SIGWINCH)
        assert "ADDRESS" not in terminal.wait_for("by name")
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_control_c_gives_the_terminal_back_and_is_130(agent: Any) -> None:
    with top(agent, "--interval", "60") as terminal:
        terminal.wait_for("web .*192.0.2.7")
        terminal.press("\x03")
        terminal.wait_for(re.escape(LEAVE))
        assert terminal.exit_code() == 130


def test_an_agent_that_goes_away_is_told_on_the_normal_screen(agent: Any) -> None:
    with top(agent, "--interval", "0.2") as terminal:
        terminal.wait_for("web .*192.0.2.7")
        agent.stop()
        terminal.wait_for(re.escape(LEAVE) + "(.|\n)*No connection to")
        assert terminal.exit_code() == 3
