"""The line to the agent inside a bed: commands in, output and exit codes out (files/agent.py says in which form)."""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any


class BedEnded(Exception):
    """The bed is gone, and what ran in it."""


class BedNotReady(Exception):
    """The bed did not come up; the text tells what it said."""


@dataclass
class Job:
    """A command in the bed. Iterate `events` until its end."""

    number: int
    line: "Line"
    events: SimpleQueue[tuple[str, bytes | int]] = field(default_factory=SimpleQueue)
    code: int | None = None
    """Its exit code, once it has ended; negative: the signal that ended it."""

    def follow(self, receive: Callable[[str, bytes], None], *, deadline: float) -> int:
        """Hand on its output as it comes ("out" or "err", bytes); the exit code. Raises TimeoutError, BedEnded.

        On a timeout its whole process group is killed.
        """
        until = time.monotonic() + deadline
        while True:
            try:
                kind, value = self.events.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                self.signal(9)
                raise TimeoutError(f"not done within {deadline:.0f} s, killed") from None
            if kind == "exit":
                assert isinstance(value, int)
                return value
            if kind == "ended":
                raise BedEnded("the bed ended while the command ran")
            assert isinstance(value, bytes)
            receive(kind, value)

    def signal(self, number: int) -> None:
        self.line.send(signal=self.number, number=number)


class Line:
    """One end of a socket pair whose other end is the bed's serial line."""

    def __init__(self, end: socket.socket, folder: Path) -> None:
        """`folder` is the one that the bed sees as /run/bed."""
        self._end = end
        self._folder = folder
        self._sending = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._state = threading.Condition()
        self._first: dict[str, Any] | None = None
        self._is_over = False
        self._last = 0
        threading.Thread(target=self._receive, name="bed line", daemon=True).start()

    def await_ready(self, seconds: float) -> None:
        """Raises BedNotReady, BedEnded, TimeoutError."""
        with self._state:
            self._state.wait_for(lambda: self._first is not None or self._is_over, seconds)
            if self._first is None:
                if self._is_over:
                    raise BedEnded("the bed ended while it started")
                raise TimeoutError(f"the bed was not ready after {seconds:.0f} s")
            if "failed" in self._first:
                raise BedNotReady(self._first["failed"])

    def run(self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: str, given: bytes) -> Job:
        """Start a command. Raises BedEnded."""
        with self._state:
            if self._is_over:
                raise BedEnded("the bed has ended")
            self._last += 1
            job = Job(self._last, self)
            self._jobs[job.number] = job
        if given:
            (self._folder / f"input-{job.number}").write_bytes(given)
        description = {"argv": list(arguments), "env": dict(environment), "cwd": folder}
        (self._folder / f"job-{job.number}").write_text(json.dumps(description))
        self.send(run=job.number)
        return job

    def send(self, **message: Any) -> None:
        try:
            with self._sending:
                self._end.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise BedEnded("the bed has ended") from error

    def close(self) -> None:
        with suppress(OSError):  # the bed was quicker
            self._end.shutdown(socket.SHUT_RDWR)  # wakes the thread that receives
        self._end.close()

    def _receive(self) -> None:
        held = b""
        try:
            while data := self._end.recv(1 << 16):
                *lines, held = (held + data).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass  # cut, or cut in the middle of a message
        with self._state:
            self._is_over = True
            self._state.notify_all()
            for job in self._jobs.values():
                job.events.put(("ended", 0))

    def _take(self, message: dict[str, Any]) -> None:
        with self._state:
            if "id" not in message:
                self._first = message
                self._state.notify_all()
            elif job := self._jobs.get(message.pop("id")):
                ((kind, value),) = message.items()
                job.events.put((kind, value if kind == "exit" else base64.b64decode(value)))
                if kind == "exit":
                    job.code = value
                    del self._jobs[job.number]
                    for name in (f"input-{job.number}", f"job-{job.number}"):
                        (self._folder / name).unlink(missing_ok=True)
