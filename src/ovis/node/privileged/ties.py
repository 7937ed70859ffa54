"""What binds the commands of a call to a lease of the agent.

    sanlock <── connection ── holder of the lease (a process; sanlock ends it when the lease is lost)
                    ▲ ▲
                    │ └── the agent, which names its number of the open file and the holder
                    └──── the helper takes a copy (pidfd_getfd) for the length of the call; commands inherit it

As long as a command has the connection open, no other host gets the lease. When the holder has ended, the lease is
lost: the call's commands are killed at once. A lock of this host alone is an open file without a holder.

The file is taken out of the agent's process by its number: needs CAP_SYS_PTRACE, as root has it. The agent keeps it
open while the call lasts; its inode says that it is still the same.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from ovis.node.privileged import leases
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import TieNumbers

PIDFD_GETFD = 438  # linux/unistd.h, the same on all architectures
LIMIT = 8


@dataclass
class Ties:
    """`descriptors`: to be inherited. `holders`: processes; 0 for a lock of this host alone."""

    descriptors: tuple[int, ...] = ()
    holders: tuple[int, ...] = ()
    is_lost: bool = False
    is_left: bool = False
    """A command that has them was killed and does not end."""

    def leave(self) -> None:
        self.is_left = True

    async def of_manager(self) -> int | None:
        """The one that keeps a manager's lease held. Raises Refused."""
        for descriptor, holder in zip(self.descriptors, self.holders, strict=True):
            if holder == 0 or await leases.is_manager(holder):
                return descriptor
        return None


@contextmanager
def taken(agent: int, wanted: Sequence[TieNumbers], on_loss: Callable[[], object]) -> Iterator[Ties]:
    """`agent`: the number of its process. `on_loss` is called once a holder has ended. Raises Refused."""
    if not wanted:
        yield Ties()
        return
    if len(wanted) > LIMIT:
        raise Refused("a call", f"it has {len(wanted)} ties, at most {LIMIT} are taken")
    with ExitStack() as stack:
        process = stack.enter_context(_process(agent))
        ties = Ties(
            tuple(stack.enter_context(_copy(process, tie)) for tie in wanted), tuple(tie.holder for tie in wanted)
        )

        def lost() -> None:
            if not ties.is_lost:
                ties.is_lost = True
                on_loss()

        for holder in ties.holders:
            if holder:
                stack.enter_context(_watched(holder, lost))
        yield ties


@contextmanager
def _copy(process: int, tie: TieNumbers) -> Iterator[int]:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.syscall(PIDFD_GETFD, process, tie.descriptor, 0))
    if descriptor < 0:
        raise Refused("a call", f"its tie cannot be taken from the agent: {os.strerror(ctypes.get_errno())}")
    try:
        found = os.fstat(descriptor)
        is_right = stat.S_ISSOCK(found.st_mode) if tie.holder else stat.S_ISREG(found.st_mode) or _is_disk(found)
        if found.st_ino != tie.inode or not is_right:
            raise Refused("a call", "its tie is another file by now")
        yield descriptor
    finally:
        os.close(descriptor)


def _is_disk(found: os.stat_result) -> bool:
    return stat.S_ISBLK(found.st_mode)


@contextmanager
def _watched(holder: int, lost: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    with _process(holder) as process:
        loop.add_reader(process, lost)
        try:
            yield
        finally:
            loop.remove_reader(process)


@contextmanager
def _process(number: int) -> Iterator[int]:
    try:
        process = os.pidfd_open(number)
    except OSError as error:
        raise Refused("a call", f"process {number}, to which it is tied, is not there") from error
    try:
        yield process
    finally:
        os.close(process)
