"""Whether the agent's user may use a folder: asked as that user, by programs that end when a server is dead."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import PurePosixPath
from typing import ClassVar

from msgspec import Struct

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.work import Work


class AccessState(Enum):
    USABLE = "usable"
    DENIED = "denied"
    MISSING = "missing"
    STALE = "stale"
    """The server does not know the folder any more (ESTALE): it was made anew there."""
    BROKEN = "broken"


class Access(Struct, frozen=True):
    """`problem`: what the kernel said, for a person."""

    state: AccessState
    problem: str = ""


class CheckAccess(Request[Access], frozen=True, kw_only=True):
    """Whether the folder can be read, written and entered."""

    answer: ClassVar[type] = Access
    seconds: ClassVar[float] = 30

    path: str


_STATES = {
    "Permission denied": AccessState.DENIED,
    "No such file or directory": AccessState.MISSING,
    "Stale file handle": AccessState.STALE,
}


async def check_access(request: CheckAccess, work: Work) -> Access:
    path = request.path
    if not path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise Refused(f"to look at {path!r}", "it is not an absolute path")
    person = _as_agent(work)
    looked = await work.run(*person, "stat", "--format=%F", "--", f"{path}/")
    if not looked.ok:
        return Access(_state(looked), looked.complaint)
    tested = await work.run(*person, "test", "-r", path, "-a", "-w", path, "-a", "-x", path)
    if tested.ok:
        return Access(AccessState.USABLE)
    listed = await work.run(*person, "ls", "-f", "--", f"{path}/")  # stat may have been answered from memory
    if _state(listed) is AccessState.STALE:
        return Access(AccessState.STALE, listed.complaint)
    user, group = work.rules.user, work.rules.group
    return Access(AccessState.DENIED, f"it cannot be read, written and entered by {user}:{group}")


def _state(result: CommandResult) -> AccessState:
    said = result.errors.decode(errors="replace")
    return next((state for text, state in _STATES.items() if text in said), AccessState.BROKEN)


def _as_agent(work: Work) -> tuple[str, ...]:
    user, group = work.rules.user, work.rules.group
    if os.geteuid() == user:
        return ()
    return ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--")
