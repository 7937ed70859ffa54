"""Running one program as root: no shell, a bare environment, a process group of its own, and an end by the deadline.

Output goes to memory files instead of pipes: a daemon that a command leaves behind (mount.glusterfs) may keep them open
for ever. A command gets SIGTERM when its call is cancelled or too late, when the helper dies (so a killed helper leaves
nothing running for long), and SIGKILL after its grace. One that still hangs in the kernel is given up, and counted:
with too many of a program no more are started.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ovis.node.privileged.errors import Busy
from ovis.node.privileged.protocol import CommandResult

log = logging.getLogger(__name__)

OUTPUT_LIMIT = 32 << 20
HANGING_LIMIT = 16
KILLED_WITHIN = 2.0
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_hanging: Counter[str] = Counter()


async def run(
    arguments: Sequence[str],
    *,
    stdin: bytes = b"",
    grace: Callable[[], float] = lambda: 3.0,
    descriptors: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    when_stuck: Callable[[], None] = lambda: None,
) -> CommandResult:
    """Run to the end, however that is, with `descriptors` open under the same numbers. When cancelled, nothing of the
    process group is left on return, or it hangs in the kernel (`when_stuck` is called). `grace` is asked then; 0 kills
    at once.

    Raises Busy, OSError when it cannot be started."""
    program = arguments[0]
    if _hanging[program] >= HANGING_LIMIT:
        raise Busy(program, f"{HANGING_LIMIT} of them hang in the kernel already")
    with memory_file() as output, memory_file() as errors, memory_file(stdin) as given:
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "TERM", "--"),
            *arguments,
            stdin=given,
            stdout=output,
            stderr=errors,
            env={**ENVIRONMENT, **(environment or {})},
            cwd="/",
            pass_fds=descriptors,
            start_new_session=True,
        )
        try:
            status = await process.wait()
        except BaseException:
            await _end(process, program, grace(), when_stuck)
            raise
        return CommandResult(status, _content(output, program), _content(errors, program))


@contextlib.contextmanager
def memory_file(content: bytes = b"") -> Iterator[int]:
    """A file without a name, which nobody but this process and those who inherit it can open."""
    descriptor = os.memfd_create("ovis-privileged", os.MFD_CLOEXEC)
    try:
        if content:
            os.pwrite(descriptor, content, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _content(descriptor: int, program: str) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > OUTPUT_LIMIT:
        raise OSError(errno.EFBIG, f"its output of {size} bytes is too long", program)
    return os.pread(descriptor, size, 0)


async def _end(process: asyncio.subprocess.Process, program: str, grace: float, when_stuck: Callable[[], None]) -> None:
    """The whole group."""
    ways = ((signal.SIGTERM, grace), (signal.SIGKILL, KILLED_WITHIN))
    for number, seconds in ways if grace else ways[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
                break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # others of its group may be left
    if process.returncode is None:
        log.warning("%s (process %d) hangs in the kernel and is given up", program, process.pid)
        when_stuck()
        _hanging[program] += 1
        task = asyncio.ensure_future(process.wait())
        task.add_done_callback(lambda _: _hanging.subtract([program]))
        _waiting.add(task)
        task.add_done_callback(_waiting.discard)


_waiting: set[asyncio.Future[int]] = set()
