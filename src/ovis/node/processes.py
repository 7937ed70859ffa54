"""Running a program on data that may be hostile, and ending it whatever happens.

Each runs in a process group of its own under limits of memory, CPU time and open files, without core dumps; the kernel
kills it when the agent dies. Its output is read as it comes and only the end of it is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ovis.node import background_group

log = logging.getLogger(__name__)

CHUNK = 64 << 10
KILLED_WITHIN = 5.0
LAST_WORDS_WITHIN = 0.2


@dataclass(frozen=True)
class Limits:
    """`memory`: address space in bytes. `cpu_seconds` None: as long as it takes. `grace`: seconds between SIGTERM and
    SIGKILL; 0 kills at once. `is_background`: after everybody else who wants CPU or disk, guests first of all."""

    memory: int | None = 1 << 30
    cpu_seconds: int | None = None
    files: int = 128
    grace: float = 0.0
    is_background: bool = False

    @property
    def prefix(self) -> list[str]:
        words = ["setpriv", "--pdeathsig", "KILL", "--"]
        if self.is_background:
            words += background_group.prefix(background_group.ours())
        words += ["prlimit", "--core=0", f"--nofile={self.files}"]
        if self.memory is not None:
            words.append(f"--as={self.memory}")
        if self.cpu_seconds is not None:
            words.append(f"--cpu={self.cpu_seconds}")
        if self.is_background:
            words += ["--", "nice", "-n", "10", "ionice", "-c", "best-effort", "-n", "7"]
            return words
        return [*words, "--"]


@dataclass(frozen=True)
class Command:
    """`descriptors` stay open in the program under the same numbers. `environment` comes on top of a bare one.

    `leaves_daemon`: the end of the program itself counts, not that of its output, which the daemon may keep open.
    `output_most`: bytes of either output after which it is killed.
    """

    arguments: Sequence[str]
    limits: Limits = field(default_factory=Limits)
    descriptors: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    output_limit: int = CHUNK
    leaves_daemon: bool = False
    when_stuck: Callable[[], None] = lambda: None
    output_most: int | None = None
    standard_input: bytes = field(default=b"", repr=False)
    """From a file in memory: it may hold secrets, and the program need not read all of it."""


@dataclass(frozen=True)
class Ended:
    """`status` as of asyncio: negative for a signal. `output` and `errors` are the last part of each."""

    status: int
    output: bytes
    errors: bytes

    @property
    def complaint(self) -> str:
        """For a person: the last lines that it wrote on standard error, or how it ended."""
        lines = [line.strip() for line in self.errors.decode(errors="replace").splitlines() if line.strip()]
        if lines:
            return " / ".join(lines[-3:])[:600]
        if self.status < 0:
            return f"killed by signal {signal.Signals(-self.status).name}"
        return f"exit status {self.status}"


class Flooded(Exception):
    """It was killed, because it wrote more than `most` bytes."""

    def __init__(self, program: str, most: int) -> None:
        super().__init__(f"{program} wrote more than {most} bytes and was killed")
        self.most = most


class Stalled(Exception):
    """It was ended, because it made no progress for `seconds`."""

    def __init__(self, program: str, seconds: float) -> None:
        super().__init__(f"{program} made no progress for {seconds:g} s and was ended")
        self.seconds = seconds


async def run(
    command: Command,
    *,
    seconds: float,
    on_output: Callable[[bytes], bool] | None = None,
    on_start: Callable[[int], None] | None = None,
) -> Ended:
    """Run to the end. On return, and when cancelled, nothing of the program's group is left.

    `on_output` gets what it writes and tells whether that is progress; then the `seconds` begin anew. `on_start` gets
    the number of the group. Raises Stalled, Flooded; OSError when it cannot be started.
    """
    process = await _started(command)
    output, errors = bytearray(), bytearray()
    flood = _Flood(process.pid, command.output_most)
    try:
        if on_start is not None:
            on_start(process.pid)
        async with asyncio.timeout(seconds) as deadline:

            def heard(chunk: bytes) -> None:
                if on_output is not None and on_output(chunk):
                    deadline.reschedule(asyncio.get_running_loop().time() + seconds)

            reading = asyncio.gather(
                _read(process.stdout, output, command.output_limit, flood, heard),
                _read(process.stderr, errors, command.output_limit, flood, None),
            )
            if command.leaves_daemon:
                status = await _exited(process)
                await _last_words(reading)
            else:
                await reading
                status = await process.wait()
    except TimeoutError as error:
        raise Stalled(command.arguments[0], seconds) from error
    finally:
        await _end(process, command.limits.grace, command.when_stuck)
    if flood.came:
        raise Flooded(command.arguments[0], flood.most or 0)
    return Ended(status, bytes(output), bytes(errors))


class _Flood:
    """Ends a group that writes more than anybody will read."""

    def __init__(self, group: int, most: int | None) -> None:
        self.most = most
        self.came = False
        self._group = group

    def check(self, written: int) -> bool:
        if self.most is not None and written > self.most:
            self.came = True
            _signal(self._group, signal.SIGKILL)
        return self.came


async def _last_words(reading: asyncio.Future[tuple[None, None]]) -> None:
    """What has been written is there; more is not waited for."""
    await asyncio.wait({reading}, timeout=LAST_WORDS_WITHIN)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def _exited(process: asyncio.subprocess.Process) -> int:
    """Its status. Python's own `wait` (3.11) also waits for the end of its output, which a daemon keeps open."""
    pause = 0.002
    while process.returncode is None:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return process.returncode


async def _started(command: Command) -> asyncio.subprocess.Process:
    if not command.standard_input:
        return await _started_with(command, asyncio.subprocess.DEVNULL)
    given = os.memfd_create("standard input", os.MFD_CLOEXEC)
    try:
        os.pwrite(given, command.standard_input, 0)
        return await _started_with(command, given)
    finally:
        os.close(given)


async def _started_with(command: Command, standard_input: int) -> asyncio.subprocess.Process:
    """Its group runs from the first moment, before asyncio knows it: a cancellation waits until it can be ended."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command.limits.prefix,
            *command.arguments,
            stdin=standard_input,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=command.descriptors,
            env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "LC_ALL": "C.UTF-8"}
            | dict(command.environment),
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting, 0.0, command.when_stuck)
        raise


async def _read(
    stream: asyncio.StreamReader | None,
    kept: bytearray,
    limit: int,
    flood: _Flood,
    heard: Callable[[bytes], None] | None,
) -> None:
    assert stream is not None
    written = 0
    while chunk := await stream.read(CHUNK):
        written += len(chunk)
        if flood.check(written):
            return
        kept += chunk
        del kept[:-limit]
        if heard is not None:
            heard(chunk)


async def _end(process: asyncio.subprocess.Process, grace: float, when_stuck: Callable[[], None]) -> None:
    """The whole group; when cancelled, without grace. One that hangs in the kernel is given up and logged."""
    try:
        if process.returncode is None and grace:
            _signal(process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await _exited(process)
    finally:
        _signal(process.pid, signal.SIGKILL)  # also when it has ended: others of its group may have not
        try:
            async with asyncio.timeout(KILLED_WITHIN):
                await _exited(process)
        except TimeoutError:
            log.warning("process %d does not end on SIGKILL", process.pid)
            when_stuck()
        # Its pipes as well: a daemon may keep the other ends open for ever. Process has no word for it.
        process._transport.close()  # type: ignore[attr-defined]


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
