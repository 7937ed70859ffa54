"""A tier of tests: pytest in a process of its own, its output passed on, its counts read from the report it writes."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from deploy.check.verdict import Verdict

_FEW = 12
"""More failures than that are no matter of a busy machine."""
_NO_TESTS = 5  # pytest.ExitCode.NO_TESTS_COLLECTED
# Most tests wait for guests and time-outs. The tests of a file stay together: they share guests and hosts.
_WORKERS = ("--numprocesses", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile", "--max-worker-restart", "0")


def pytest_tier(root: Path, name: str, *, markers: str, deadline: float, again: float = 0) -> Verdict:
    """Run the tests with these markers. What ends pytest itself (a crash, the deadline) counts as one failure.

    `again`: seconds for a second try of the tests that failed, one after the other. A busy machine lets guests and
    daemons be late; the verdict names what passed only then, so that nobody takes it for steady.
    """
    verdict = _tier(root, name, ["-m", markers, *_WORKERS], deadline)
    if not again or not 0 < verdict.failed <= _FEW or verdict.failed_tests == ():
        return verdict
    print(f"\n== {name}: once more, what failed", flush=True)
    second = _tier(root, f"{name}-again", ["-m", markers, "--last-failed", "--last-failed-no-failures", "none"], again)
    if second.failed or not second.passed:
        return replace(verdict, seconds=verdict.seconds + second.seconds)
    return replace(
        verdict,
        seconds=verdict.seconds + second.seconds,
        passed=verdict.passed + len(verdict.failed_tests),
        failed=0,
        notes=(*verdict.notes, *(f"only at the second try: {test}" for test in verdict.failed_tests)),
    )


def _tier(root: Path, name: str, arguments: list[str], deadline: float) -> Verdict:
    report = root / "build/check" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    started = time.monotonic()
    code = _run_pytest(root, [*arguments, f"--junitxml={report}"], deadline)
    seconds = time.monotonic() - started
    if code is None:
        return Verdict(name, seconds, failed=1, notes=(f"stopped after {deadline:.0f} s: something hangs",))
    if code == _NO_TESTS:
        return Verdict(name, seconds, notes=("there are no tests of this tier",))
    if not report.exists():
        return Verdict(name, seconds, failed=1, notes=(f"pytest ended with exit code {code} and no report",))
    verdict = _read(report, name, seconds)
    if code and not verdict.failed:  # pytest itself failed, between or after the tests
        return replace(verdict, failed=1, notes=(*verdict.notes, f"pytest ended with exit code {code}"))
    return verdict


def _run_pytest(root: Path, arguments: list[str], deadline: float) -> int | None:
    """The exit code, or None if it had to be stopped; then its children are gone as well."""
    running = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--durations=5", *arguments],
        cwd=root,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return running.wait(deadline)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def _read(report: Path, name: str, seconds: float) -> Verdict:
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314  (pytest wrote it just now)
    if suite is None:
        return Verdict(name, seconds, failed=1, notes=(f"{report} holds no test suite",))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    skipped = int(suite.get("skipped", 0))
    reasons = {element.get("message", "") for element in suite.iter("skipped")}
    return Verdict(
        name,
        seconds,
        passed=max(0, int(suite.get("tests", 0)) - failed - skipped),
        failed=failed,
        skipped=skipped,
        notes=tuple(sorted(f"skipped: {reason}" for reason in reasons)),
        failed_tests=tuple(sorted({_name(case) for case in suite.iter("testcase") if _has_failed(case)})),
    )


def _has_failed(case: ElementTree.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"
