"""Processes named so that a later process with the same number is not taken for them."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    started: int
    """In clock ticks since the machine booted: /proc/PID/stat field 22."""

    @property
    def is_alive(self) -> bool:
        state = _state(self.pid)
        return state is not None and state[0] not in "ZX" and state[1] == self.started

    def kill(self, *, deadline: float) -> None:
        """Kill it and wait until it has ended. For the first process of a PID namespace: until all of them have.

        Raises TimeoutError; a process in an uninterruptible wait (state D) is the usual reason.
        """
        until = time.monotonic() + deadline
        while self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            if time.monotonic() > until:
                raise TimeoutError(f"process {self.pid} did not end within {deadline:.0f} s of SIGKILL")
            time.sleep(0.01)


def process(pid: int) -> Process:
    """Raises ProcessLookupError."""
    state = _state(pid)
    if state is None:
        raise ProcessLookupError(f"no process {pid}")
    return Process(pid, state[1])


def in_pid_namespace_of(first: Process) -> dict[int, str]:
    """Number, as seen from here, and program name of every process in the PID namespace of `first`."""
    namespace = os.readlink(f"/proc/{first.pid}/ns/pid")
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "ns/pid") == namespace:
                    found[int(entry.name)] = (entry / "comm").read_text().strip()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it ended while we looked
    return found


def _state(pid: int) -> tuple[str, int] | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the name before may hold spaces and brackets
    return fields[0], int(fields[19])
