"""Why a host is not set up.

SetupError
├── Conflict          the administrator has decided otherwise; nothing was changed
├── ProgramFailed     a program of the system did not do what it was asked to
└── OutsideOfRoot     a link leads out of the tree that is being set up
"""

from __future__ import annotations

from pathlib import Path


class SetupError(Exception):
    pass


class Conflict(SetupError):
    def __init__(self, step: str, found: str, remedy: str) -> None:
        super().__init__(f"step {step}: {found}; {remedy}")
        self.step = step


class ProgramFailed(SetupError):
    def __init__(self, line: list[str], said: str) -> None:
        super().__init__(f"{' '.join(line)}: {said.strip() or 'failed without a word'}")


class OutsideOfRoot(SetupError):
    def __init__(self, path: Path, root: Path) -> None:
        super().__init__(f"{path} leads out of {root} by way of a link; nothing is written there")
