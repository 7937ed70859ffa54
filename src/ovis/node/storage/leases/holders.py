"""The agent's side of holder.py: one holder for each lockspace in which this agent has leases.

A holder that has ended by itself was ended by sanlock: its leases are lost. Our copy of its connection stays open until
the work under the leases is over (`let_go`), because until then the host must not look as if it had stopped; and the
process is not reaped before that, so that its number, to which sanlock still sends signals, cannot become another's.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

from ovis.node.storage.leases.errors import LocksNotResponding

log = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("holder.py")
START_SECONDS = 30.0


class Holder:
    """A Tie. `ended` is set when the process has gone, whoever ended it."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, connection: int) -> None:
        self.pid = process.pid
        self.ended = asyncio.Event()
        self._process = process
        self._control = control
        self._connection = connection
        self.is_kept = False
        """A writer under its leases does not end: they are given back with its end alone."""
        asyncio.get_running_loop().add_reader(control, self._heard)

    @classmethod
    async def start(cls, lockspace: str) -> Holder:
        """Raises LocksNotResponding."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            process = _spawn(theirs)
        try:
            async with asyncio.timeout(START_SECONDS):
                connection = await _registered(ours)
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            process.kill()
            process.wait()  # killed before it registered or with what it registered: at once
            ours.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            why = "it does not register" if isinstance(error, TimeoutError) else str(error)
            raise LocksNotResponding(f"the holder of leases in {lockspace} cannot be started: {why}") from error
        return cls(process, ours, connection)

    @property
    def is_open(self) -> bool:
        return self._connection >= 0 and not self.ended.is_set()

    @property
    def holder(self) -> int:
        return self.pid

    def fileno(self) -> int:
        return self._connection

    def keep(self) -> None:
        self.is_kept = True

    def let_go(self) -> None:
        """The work under its leases is over: end it. What still writes is killed. Safe to repeat."""
        if self._connection >= 0:
            os.close(self._connection)
            self._connection = -1
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()  # it ends by itself now, writers first
        self._reap()

    def _heard(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            if self._control.recv(16):
                return
        asyncio.get_running_loop().remove_reader(self._control)
        self.ended.set()

    def _reap(self, tries: int = 3000) -> None:
        if self._process.poll() is None:
            if tries:
                asyncio.get_running_loop().call_later(0.01, self._reap, tries - 1)
            else:
                log.warning("lease holder %d does not end", self.pid)
        else:
            self.ended.set()


def _spawn(control: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(PROGRAM), str(control.fileno()), str(os.getpid())],
        pass_fds=[control.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # signals of a terminal are not for it
    )


async def _registered(control: socket.socket) -> int:
    """The connection that the holder registered. Raises OSError."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(control, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(control)
    numbers = array.array("i")
    answer, rights, _, _ = control.recvmsg(4, socket.CMSG_SPACE(numbers.itemsize), socket.MSG_CMSG_CLOEXEC)
    for _, _, data in rights:
        numbers.frombytes(data)
    if numbers:
        return numbers[0]
    number = -int.from_bytes(answer, "big", signed=True) if answer else 0
    raise OSError(number, f"sanlock: {os.strerror(number)}" if number else "it ended")
