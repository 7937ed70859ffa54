"""The full-screen view: draws a look every interval, reads keys, follows the size of the terminal."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from ovis.shell.top.figures import SORTS, Look
from ovis.shell.top.frame import host_lines, vm_lines

KEYS = {name[0]: name for name in SORTS}
HELP = "c cpu  m memory  d disk  t traffic  n name  arrows scroll  q quit"
_UP, _DOWN, _PAGE_UP, _PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~"


class Screen:
    """What is shown now and how."""

    def __init__(self, sort: str) -> None:
        self.sort = sort
        self.first = 0
        self.page = 1
        self.look: Look | None = None

    def press(self, key: str) -> bool:
        """Act on a key; False ends the view."""
        if key in {"q", "Q", "\x1b", "\x04"}:
            return False
        if key in KEYS:
            self.sort, self.first = KEYS[key], 0
        self.first += {_UP: -1, _DOWN: 1, _PAGE_UP: -self.page, _PAGE_DOWN: self.page}.get(key, 0)
        return True

    def frame(self, width: int, height: int) -> RenderableType:
        """The whole screen; never more lines than it has."""
        if self.look is None:
            return Text("Asking the agent …")
        top = [*host_lines(self.look.host, width), Text()]
        head, *rows = vm_lines(self.look, sort=self.sort, width=width)
        self.page = max(1, height - len(top) - 2)
        self.first = max(0, min(self.first, len(rows) - self.page))
        shown = rows[self.first : self.first + self.page]
        blank = [Text() for _ in range(self.page - len(shown))]
        last = f"by {self.sort}   {HELP}"
        if len(rows) > self.page:
            last = f"{self.first + 1}-{self.first + len(shown)} of {len(rows)} {last}"
        lines = [*top, head, *shown, *blank, Text(last, style="dim")][:height]
        for line in lines:
            line.truncate(width)
        return Group(*lines)


def run(look: Callable[[], Look], *, interval: float, sort: str) -> None:
    """Until q. Whatever ends it, the terminal is as it was before."""
    screen = Screen(sort)
    console = Console(highlight=False, markup=False, emoji=False)
    with _keys() as keys, _resizes() as resized, Live(console=console, screen=True, auto_refresh=False) as live:

        def draw() -> None:
            live.update(screen.frame(console.width, console.height), refresh=True)

        draw()
        while True:
            screen.look = look()
            draw()
            until = time.monotonic() + interval
            while (left := until - time.monotonic()) > 0:
                ready, _, _ = select.select([keys, resized], [], [], left)
                if resized in ready:
                    os.read(resized, 4096)
                elif keys in ready and not all(screen.press(key) for key in split_keys(os.read(keys, 4096))):
                    return
                if ready:
                    draw()


def split_keys(data: bytes) -> Iterator[str]:
    """`q`, or an escape sequence as one key. A closed terminal reads as end of file (Ctrl-D)."""
    text = data.decode(errors="replace") or "\x04"
    while text:
        size = 1
        if text[:2] == "\x1b[":
            size = next((i + 1 for i, c in enumerate(text[2:], 2) if c.isalpha() or c == "~"), len(text))
        yield text[:size]
        text = text[size:]


@contextmanager
def _keys() -> Iterator[int]:
    """The terminal's keys one by one, without echo; Ctrl-C still interrupts."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def _resizes() -> Iterator[int]:
    """A descriptor that becomes readable when the terminal changes its size."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.set_blocking(reader, False)
    before_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = signal.signal(signal.SIGWINCH, lambda *_: None)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(before_wakeup)
        signal.signal(signal.SIGWINCH, before)
        os.close(reader)
        os.close(writer)
