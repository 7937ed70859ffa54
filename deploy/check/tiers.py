"""A tier that one pytest runs, and the second try of what failed."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.check.pytest_run import begin, end, verdict_of
from deploy.check.verdict import Verdict

FEW = 12
"""More failures than that are no matter of a busy machine."""


def pytest_tier(root: Path, name: str, which: Sequence[str], *, deadline: float, again: float = 0) -> Verdict:
    """Run the tests that these arguments of pytest choose. What ends pytest itself (a crash, the deadline) counts as
    one failure.

    `again`: seconds for a second try of the tests that failed. A busy machine lets guests and
    daemons be late; the verdict names what passed only then, so that nobody takes it for steady.
    """
    return tried_again(root, _tier(root, name, ["--durations=5", *which], deadline), again)


def tried_again(root: Path, verdict: Verdict, seconds: float) -> Verdict:
    """The tests that failed once more, one after the other; see `pytest_tier`."""
    failed = verdict.failed_tests
    if not seconds or not 0 < verdict.failed <= FEW or not failed:
        return verdict
    print(f"\n== {verdict.tier}: once more, what failed", flush=True)
    second = _tier(root, f"{verdict.tier}-again", failed, seconds)
    total = verdict.seconds + second.seconds
    if second.failed or not second.passed:
        return replace(verdict, seconds=total)
    return replace(
        verdict,
        seconds=total,
        passed=verdict.passed + len(failed),
        failed=0,
        notes=(*verdict.notes, *(f"only at the second try: {test}" for test in failed)),
    )


def _tier(root: Path, name: str, arguments: Sequence[str], deadline: float) -> Verdict:
    started = time.monotonic()
    running = begin(root, name, arguments)
    try:
        code = running.wait(deadline)
    except subprocess.TimeoutExpired:
        seconds = time.monotonic() - started
        return Verdict(name, seconds, failed=1, notes=(f"stopped after {deadline:.0f} s: something hangs",))
    finally:
        end(running)
    return verdict_of(root, name, name, code, time.monotonic() - started)
