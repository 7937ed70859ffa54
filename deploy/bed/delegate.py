"""Tests that are collected on the machine and run in a bed; their reports come back as if they had run here.

Tests that want the same kind of bed share one: it boots when the first of them is due. All tests of a file are run by
one pytest inside, while this side takes up the reports one by one. When a bed dies or a test hangs, that test has
failed and the rest goes on in a new bed.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from deploy.bed import project
from deploy.bed.line import BedEnded, BedNotReady, Job
from deploy.bed.machine import Bed
from deploy.bed.settings import BedSettings

GRACE = 120.0
"""Seconds beyond a test's own time limit (pytest-timeout inside): then the kernel holds it, or has stopped."""
_KEPT = 20_000  # bytes of what pytest in the bed printed last


@dataclass(frozen=True)
class Kind:
    """What bed a test wants: the arguments of its `bed` marker."""

    memory_mib: int = 1024
    disks: tuple[int, ...] = ()
    own: str = ""
    """Shared with no other module than this."""

    @staticmethod
    def of(item: pytest.Item) -> "Kind":
        wanted: dict[str, Any] = {}
        for marker in reversed(list(item.iter_markers("bed"))):
            wanted.update(marker.kwargs)
        return Kind(
            memory_mib=wanted.get("memory_mib", 1024),
            disks=tuple(wanted.get("disks", ())),
            own=file_of(item) if wanted.get("own") else "",
        )


class Lost(Exception):
    """A test has no result; the text says why."""


@dataclass
class Run:
    """One bed and the tests that it runs."""

    bed: Bed
    job: Job
    told: bytes = b""
    held: bytes = b""
    shows: bool = False

    def messages(self, until: float) -> Iterator[dict[str, Any]]:
        """What the tests report. Raises Lost at the deadline, and when pytest or the bed ended."""
        while True:
            try:
                kind, value = self.job.events.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                raise Lost(f"no result in time; the bed was stopped\n{self._end()}") from None
            if kind == "out":
                assert isinstance(value, bytes)
                *lines, self.held = (self.held + value).split(b"\n")
                yield from (json.loads(line) for line in lines)
            elif kind == "err":
                assert isinstance(value, bytes)
                self.told = (self.told + value)[-_KEPT:]
                if self.shows:
                    sys.stderr.buffer.write(value)
                    sys.stderr.flush()
            elif kind == "exit":
                assert isinstance(value, int)
                raise Lost(f"pytest in the bed ended with exit code {value}\n{self._end()}")
            else:
                raise Lost(f"the bed ended\n{self._end()}")

    def _end(self) -> str:
        return f"{self.told.decode(errors='replace')[-4000:]}\n--- kernel\n{self.bed.console(30)}"


@dataclass
class Delegate:
    """Of one pytest session. It has one bed at a time, and in it one pytest for each file of tests."""

    items: Sequence[pytest.Item]
    """All that are to be run in a bed, in their order."""
    options: Sequence[str] = ()
    """For the pytest inside."""
    shows: bool = False
    """Print what the pytest inside prints."""
    _bed: Bed | None = None
    _kind: Kind | None = None
    _run: Run | None = None
    _file: str = ""
    _done: set[str] = field(default_factory=set)

    def run(self, item: pytest.Item) -> None:
        """Report this test as it went in its bed."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        try:
            self._follow(item, self._running(item))
        except (Lost, BedNotReady, BedEnded) as error:
            self.close()
            _report_lost(item, str(error))
        self._done.add(item.nodeid)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def close(self) -> None:
        self._run = self._kind = None
        if self._bed is not None:
            bed, self._bed = self._bed, None
            bed.stop()

    def _running(self, item: pytest.Item) -> Run:
        """The run that will report this test; begun when it is the first of its file."""
        kind, file = Kind.of(item), file_of(item)
        if self._run is not None and (self._kind, self._file) == (kind, file):
            return self._run
        if self._bed is None or self._kind != kind:
            self.close()
            bed = Bed(BedSettings("bed", memory_mib=kind.memory_mib, disks=kind.disks, shares=project.shares()))
            bed.start()
            self._bed, self._kind = bed, kind
        names = [
            other.nodeid
            for other in self.items
            if file_of(other) == file and Kind.of(other) == kind and other.nodeid not in self._done
        ]
        command: list[str | Path] = [project.PYTHON, "-m", "deploy.bed.worker", *self.options, *names]
        job = self._bed.begin(command, environment=project.ENVIRONMENT, folder=project.ROOT)
        self._run, self._file = Run(self._bed, job, shows=self.shows), file
        return self._run

    def _follow(self, item: pytest.Item, run: Run) -> None:
        for message in run.messages(time.monotonic() + _limit(item) + GRACE):
            if message.get("finished") == item.nodeid:
                return
            if "uncollected" in message:
                raise Lost(f"{message['uncollected']} cannot be collected in the bed:\n{message['why']}")
            if "report" in message:
                report = _report(item.config, message["report"])
                if report.nodeid == item.nodeid:
                    item.ihook.pytest_runtest_logreport(report=report)


def _limit(item: pytest.Item) -> float:
    """The test's time limit in seconds."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker and marker.args else item.config.getini("timeout") or 0)


def _report(config: pytest.Config, data: dict[str, Any]) -> pytest.TestReport:
    for name in ("longrepr", "location"):  # JSON has no tuples, and pytest looks
        if isinstance(data[name], list):
            data[name] = tuple(data[name])
    report: pytest.TestReport = config.hook.pytest_report_from_serializable(config=config, data=data)
    return report


def file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _report_lost(item: pytest.Item, why: str) -> None:
    for when, outcome in (("call", "failed"), ("teardown", "passed")):
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords=dict.fromkeys(item.keywords, 1),
            outcome=outcome,  # type: ignore[arg-type]
            longrepr=why if outcome == "failed" else None,
            when=when,  # type: ignore[arg-type]
        )
        item.ihook.pytest_runtest_logreport(report=report)
