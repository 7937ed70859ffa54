"""The tiers that mostly wait - for guests, for beds, for leases to run out - share the machine.

    queues                     lanes: a few files of tests at a time, each in a pytest of its own
    real  ████ ███ ██ █ █      ─ test_sanlock ──── test_guest ── test_import ─
    bed   ██████ ████ ██ █     ─ test_thin_guests ────────── test_leases ─────

The longest come first, or one of them would be left for the end, alone. A free lane takes from the tier that has fewer
files running, so that the two kinds, whose peaks rarely meet, go side by side to the end.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.check import durations
from deploy.check.pytest_run import REPORTS, begin, end, verdict_of
from deploy.check.verdict import Verdict

_LOOK_SECONDS = 0.1


@dataclass
class Running:
    tier: str
    file: str
    process: subprocess.Popen[bytes]
    log: Path
    started: float = field(default_factory=time.monotonic)


@dataclass
class Lanes:
    """`queues`: the files of each tier, in their order. `guard`: seconds after which a file hangs."""

    root: Path
    queues: dict[str, list[str]]
    width: int
    guard: float
    running: list[Running] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Of each tier: when its first file began and its last one ended."""

    def run(self) -> list[Verdict]:
        """One for each tier."""
        try:
            while self.running or any(self.queues.values()):
                while len(self.running) < self.width and any(self.queues.values()):
                    self._begin_next()
                for one in [one for one in self.running if self._is_over(one)]:
                    self._finish(one)
                time.sleep(_LOOK_SECONDS)
        finally:
            for one in self.running:
                end(one.process)
        return [self._sum(tier) for tier in self.queues]

    def _begin_next(self) -> None:
        waiting = [tier for tier, files in self.queues.items() if files]
        tier = min(waiting, key=lambda name: sum(one.tier == name for one in self.running))
        file = self.queues[tier].pop(0)
        log = self.root / REPORTS / f"{_name(file)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # without the cache: pytests that run at once would write the same one
            arguments = ["--durations=3", "-p", "no:cacheprovider", "-p", "no:xdist", file]
            self.running.append(Running(tier, file, begin(self.root, _name(file), arguments, output), log))
        began, ended = self.spans.get(tier, (time.monotonic(), 0.0))
        self.spans[tier] = (began, ended)

    def _is_over(self, one: Running) -> bool:
        return one.process.poll() is not None or time.monotonic() - one.started > self.guard

    def _finish(self, one: Running) -> None:
        self.running.remove(one)
        now = time.monotonic()
        seconds = now - one.started
        self.spans[one.tier] = (self.spans[one.tier][0], now)
        code = one.process.poll()
        if code is None:
            end(one.process)
            note = f"{one.file}: stopped after {seconds:.0f} s: something hangs"
            verdict = Verdict(one.tier, seconds, failed=1, notes=(note,))
        else:
            verdict = verdict_of(self.root, _name(one.file), one.tier, code, seconds)
        self.verdicts.append(verdict)
        self._tell(one, verdict)

    def _tell(self, one: Running, verdict: Verdict) -> None:
        if verdict.failed:
            print(f"\n{'=' * 20} {one.file}", flush=True)
            with one.log.open("rb") as log:
                shutil.copyfileobj(log, sys.stdout.buffer)
            sys.stdout.flush()
        counts = f"{verdict.passed:>4} passed {verdict.failed:>3} failed {verdict.skipped:>3} skipped"
        print(f"{one.file:<44} {counts} {verdict.seconds:>7.1f} s", flush=True)

    def _sum(self, tier: str) -> Verdict:
        mine = [verdict for verdict in self.verdicts if verdict.tier == tier]
        began, ended = self.spans.get(tier, (0.0, 0.0))
        return Verdict(
            tier,
            ended - began,
            passed=sum(one.passed for one in mine),
            failed=sum(one.failed for one in mine),
            skipped=sum(one.skipped for one in mine),
            notes=tuple(sorted({note for one in mine for note in one.notes})),
            failed_tests=tuple(test for one in mine for test in one.failed_tests),
        )


def files(root: Path, folder: str) -> list[str]:
    """Of tests, the longest first."""
    found = [str(path.relative_to(root)) for path in (root / folder).glob("**/test_*.py")]
    return sorted(found, key=lambda file: (-durations.seconds(file), file))


def in_lanes(root: Path, folders: Mapping[str, str], *, width: int, guard: float) -> list[Verdict]:
    """`folders`: of each tier."""
    queues = {tier: files(root, folder) for tier, folder in folders.items()}
    return Lanes(root, queues, width, guard).run()


def _name(file: str) -> str:
    return file.removeprefix("tests/").removesuffix(".py").replace("/", "-")
