"""Running one step of the setup: a line when it is done, a plain reason when it cannot be."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class StepFailed(Exception):
    """The text tells what was tried and what to do."""


@dataclass(frozen=True)
class Step:
    name: str
    run: Callable[[], str]
    """Does what is missing and returns what is true now. Safe to repeat. Raises StepFailed."""


def run_all(steps: Sequence[Step]) -> int:
    """Run the steps in order, stop at the first that fails; the exit code."""
    for step in steps:
        started = time.monotonic()
        try:
            outcome = step.run()
        except StepFailed as error:
            print(f"setup: {step.name}: FAILED\n{error}", file=sys.stderr, flush=True)
            return 1
        print(f"setup: {step.name:<12} {outcome:<80} {time.monotonic() - started:6.1f} s", flush=True)
    return 0


def announce(what: str) -> None:
    """For work that takes more than a second: say it before."""
    print(f"setup: {what} ...", flush=True)


def command(
    arguments: Sequence[str | Path], *, deadline: float, environment: Mapping[str, str] | None = None, advice: str = ""
) -> str:
    """Run a program and return its standard output. Raises StepFailed with the end of what it said and the advice."""
    line = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(
            line,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=deadline,
            check=False,
        )
    except FileNotFoundError as error:
        raise StepFailed(f"{line[0]} is not here. {advice}") from error
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{' '.join(line)} did not end within {deadline:.0f} s. {advice}") from error
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise StepFailed(f"{' '.join(line)} ended with {done.returncode}. {advice}\n{tail}")
    return done.stdout
