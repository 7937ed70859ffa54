"""What a call of the helper can end with, beside its answer and an OSError of the kernel.

PrivilegedError
├── Refused         the arguments are not allowed; nothing was done
├── Busy            too many calls or hanging commands; nothing was done
├── TookTooLong     the deadline passed: the command was killed, and may have done all, part or nothing
├── TieLost         the lease that it ran under was lost: the command was killed; same
├── HelperLost      the helper died or was ended in the middle; same
├── NoHelper        the helper cannot be reached or started; nothing was done
└── CommandFailed   the command ended by itself and says that it failed (CommandResult.check)
"""

from __future__ import annotations

from ovis.node.errors import NodeError


class PrivilegedError(NodeError):
    wire_name = "StorageException"


class Refused(PrivilegedError):
    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"the root helper refuses {what}: {problem}")
        self.what, self.problem = what, problem


class Busy(PrivilegedError):
    wire_name = "ResourceUnavailable"

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"the root helper did not start {what}: {problem}")
        self.what, self.problem = what, problem


class TookTooLong(PrivilegedError):
    wire_name = "AccessTimeout"

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what} took longer than {seconds:g} s and was ended; read the state again")
        self.what, self.seconds = what, seconds


class TieLost(PrivilegedError):
    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} was ended by the root helper: the lease that it ran under is lost; read the state again"
        )
        self.what = what


class HelperLost(PrivilegedError):
    def __init__(self, what: str) -> None:
        super().__init__(f"the root helper was lost during {what}; read the state again")
        self.what = what


class NoHelper(PrivilegedError):
    def __init__(self, problem: str) -> None:
        super().__init__(f"the root helper cannot be reached: {problem}")
        self.problem = problem


class CommandFailed(PrivilegedError):
    def __init__(self, what: str, status: int, complaint: str) -> None:
        super().__init__(f"{what} failed (exit status {status}): {complaint}")
        self.what, self.status, self.complaint = what, status, complaint
