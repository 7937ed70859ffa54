"""How a command ends: the exit codes, and the one exception that carries them to `main`.

docs/cli.md publishes the codes; scripts depend on them, so they never change their meaning.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    ERROR = 1  # the verb answered an error
    USAGE = 2  # the words on the command line are wrong; nothing was sent
    NO_CONNECTION = 3
    TIMEOUT = 4  # no answer in time; what was asked may still happen
    DENIED = 5
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it


MEANINGS = {
    Exit.OK: "done",
    Exit.ERROR: "the verb answered an error",
    Exit.USAGE: "wrong usage; nothing was sent",
    Exit.NO_CONNECTION: "no connection, or it was lost",
    Exit.TIMEOUT: "no answer in time; the call may still run",
    Exit.DENIED: "access denied",
    Exit.INTERRUPTED: "interrupted",
}


class Failure(Exception):
    """The command cannot go on. `hint` says what the user can do or look at; it may have several lines."""

    def __init__(self, exit_code: Exit, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.exit_code = exit_code
        self.text = text
        self.hint = hint


def usage(text: str, hint: str = "") -> Failure:
    return Failure(Exit.USAGE, text, hint)
