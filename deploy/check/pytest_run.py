"""One pytest in a process of its own, and its verdict from the report that it writes."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from deploy.check.verdict import Verdict

REPORTS = Path("build/check")
_NO_TESTS = 5  # pytest.ExitCode.NO_TESTS_COLLECTED


def begin(root: Path, name: str, arguments: Sequence[str], output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """`name`: of its report. pytest is the leader of a process group; `end` ends all of it."""
    report = report_of(root, name)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    return subprocess.Popen(
        # xunit1 tells the file of each test: a test that failed is called again by it
        [sys.executable, "-m", "pytest", *arguments, "-o", "junit_family=xunit1", f"--junitxml={report}"],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
    )


def end(running: subprocess.Popen[bytes]) -> None:
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def report_of(root: Path, name: str) -> Path:
    return root / REPORTS / f"{name}.xml"


def verdict_of(root: Path, name: str, tier: str, code: int, seconds: float) -> Verdict:
    """After pytest ended with this exit code. What ends pytest itself counts as one failure."""
    report = report_of(root, name)
    if code == _NO_TESTS:
        return Verdict(tier, seconds, notes=("there are no tests of this tier",))
    if not report.exists():
        return Verdict(tier, seconds, failed=1, notes=(f"{name}: pytest ended with exit code {code} and no report",))
    verdict = _read(report, tier, seconds)
    if code and not verdict.failed:  # pytest itself failed, between or after the tests
        return replace(verdict, failed=1, notes=(*verdict.notes, f"{name}: pytest ended with exit code {code}"))
    return verdict


def _read(report: Path, tier: str, seconds: float) -> Verdict:
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314  (pytest wrote it just now)
    if suite is None:
        return Verdict(tier, seconds, failed=1, notes=(f"{report} holds no test suite",))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    skipped = int(suite.get("skipped", 0))
    reasons = {element.get("message", "") for element in suite.iter("skipped")}
    return Verdict(
        tier,
        seconds,
        passed=max(0, int(suite.get("tests", 0)) - failed - skipped),
        failed=failed,
        skipped=skipped,
        notes=tuple(sorted(f"skipped: {reason}" for reason in reasons)),
        failed_tests=tuple(sorted({_node_id(case) for case in suite.iter("testcase") if _has_failed(case)})),
    )


def _has_failed(case: ElementTree.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def _node_id(case: ElementTree.Element) -> str:
    """By which pytest finds it. The class is written behind the module, with a dot.

    A file that cannot be collected has no class, and its module as its name.
    """
    file, name = case.get("file", ""), case.get("name", "")
    if not (owner := case.get("classname", "")):
        return file or name
    inside = owner.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    return "::".join(part for part in (file, *inside.split("."), name) if part)
