"""The door to libsanlock: its calls in a bounded pool of threads, each with a deadline, their failures as ours.

A call that is stuck costs its lockspace its further calls until it returns, not the other lockspaces theirs.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.pools import Pool
from ovis.node.storage.leases import sanlock_library
from ovis.node.storage.leases.errors import LocksNotResponding
from ovis.node.storage.leases.sanlock_library import LibraryMissing, SanlockError

P = ParamSpec("P")
T = TypeVar("T")

THREADS, PER_LOCKSPACE = 16, 6
SLOW_THREADS = 64  # as many domains as a host may have, about; they are made when needed
UNREACHABLE = {-errno.ENOENT, -errno.ECONNREFUSED, -errno.EACCES, -errno.EPIPE, -errno.ECONNRESET, -errno.EPERM}


class Calls:
    """`seconds`: the deadline of a call that reads or writes a block or two."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._pool = Pool("sanlock", threads=THREADS, per_domain=PER_LOCKSPACE)
        self._slow = Pool("sanlock lockspaces", threads=SLOW_THREADS)

    async def run(self, lockspace: str, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Raises SanlockError, LocksNotResponding."""
        return await self._run(self._pool, self.seconds, lockspace, function, *arguments, **named)

    async def run_slowly(
        self, seconds: float, lockspace: str, function: Callable[P, T], *arguments: P.args, **named: P.kwargs
    ) -> T:
        """As `run`, for calls that take minutes: joining and leaving a lockspace."""
        return await self._run(self._slow, seconds, lockspace, function, *arguments, **named)

    async def _run(
        self,
        pool: Pool,
        seconds: float,
        lockspace: str,
        function: Callable[P, T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        work = functools.partial(_ask, function, *arguments, **named)
        try:
            return await pool.run(function.__name__, work, deadline=seconds, domain_id=lockspace)
        except HypervisorError as error:  # the pool's own: too late, or too many before
            raise LocksNotResponding(f"sanlock does not answer: {error}") from error

    def close(self) -> None:
        self._pool.close()
        self._slow.close()


def _ask(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    try:
        return function(*arguments, **named)
    except LibraryMissing as error:
        raise LocksNotResponding(f"libsanlock is not installed: {error}") from error
    except SanlockError as error:
        if error.number in UNREACHABLE:
            _check_reachable()
        raise


def _check_reachable() -> None:
    """Whether the error was of the connection: the library does not tell."""
    try:
        sanlock_library.version()
    except SanlockError as error:
        raise LocksNotResponding(f"sanlock does not answer: {error}") from error
