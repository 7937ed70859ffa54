"""Programs that measure inside a bed: a kernel of its own, with one CPU, where a system call costs ten times more than
on the machine itself. What they find compares with itself, before and after, rather than with other machines."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import machine
from agent import ROOT
from rows import Load, load_since

sys.path.insert(0, str(ROOT))

from deploy.bed import availability, project
from deploy.bed.machine import Bed, BedSettings

_SECONDS = 900.0


def why_not() -> str | None:
    """Why nothing can be measured so; builds the bed's image where it is missing."""
    return availability.missing()


def figures(program: Path, *words: str, services: tuple[str, ...]) -> tuple[dict[str, list[float]], Load]:
    """What the last line of a program's output says, and the load meanwhile. Raises CommandFailed, BedNotReady."""
    before = machine.cpu_times()
    with Bed(BedSettings("bench", services=services, shares=project.shares())) as bed:
        done = bed.run(
            [project.PYTHON, program, *words],
            environment={**project.ENVIRONMENT, "PYTHONPATH": f"{project.ENVIRONMENT['PYTHONPATH']}:{project.ROOT}"},
            folder=project.ROOT,
            deadline=_SECONDS,
        )
    found: dict[str, list[float]] = json.loads(done.out.splitlines()[-1])
    return found, load_since(before)
