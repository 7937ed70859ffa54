"""The bed tier: tests that need a full kernel. They run in a bed; those that use the fixture `beds` run here, and drive
several beds as several hosts.

Where it cannot run, each test is skipped and the last lines of the run say why, once.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.bed import availability
from deploy.bed.delegate import Delegate, Kind
from deploy.bed.hosts import Hosts
from deploy.bed.settings import SERVICE

_HERE = Path(__file__).parent
_IN_BED = "OVIS_IN_BED" in os.environ
_DELEGATE = pytest.StashKey[Delegate]()
_NOT_RUN = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)  # before -m looks at the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.bed)
    delegated = sorted((item for item in items if _is_delegated(item)), key=lambda item: str(Kind.of(item)))
    if delegated:  # what shares a bed comes together
        items[:] = [*(item for item in items if not _is_delegated(item)), *delegated]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Look after the image before the first test's time runs."""
    mine = [item for item in getattr(session, "items", ()) if item.path.is_relative_to(_HERE)]
    config = session.config
    if _IN_BED or not mine or config.option.collectonly:
        return
    if reason := availability.missing():
        config.stash[_NOT_RUN] = reason
        return
    style = config.option.tbstyle
    config.stash[_DELEGATE] = Delegate(
        [item for item in mine if _is_delegated(item)],
        options=[*([f"--tb={style}"] if style != "auto" else []), *(["-s"] if config.option.capture == "no" else [])],
        shows=config.option.capture == "no",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    if not _is_delegated(item) or _DELEGATE not in item.config.stash:
        return None
    item.config.stash[_DELEGATE].run(item)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if reason := item.config.stash.get(_NOT_RUN, ""):
        pytest.skip(reason)
    if _IN_BED:
        _serve(item)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item) -> bool | None:
    """No second clock out here for a test that has one in the bed."""
    return True if _is_delegated(item) else None


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool | None:
    return True if _is_delegated(item) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if delegate := session.config.stash.get(_DELEGATE, None):
        delegate.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if reason := terminalreporter.config.stash.get(_NOT_RUN, ""):
        terminalreporter.write_line(f"NOT RUN: bed tier: {reason}", yellow=True)


def _is_delegated(item: pytest.Item) -> bool:
    return not _IN_BED and item.path.is_relative_to(_HERE) and "beds" not in getattr(item, "fixturenames", ())


def _serve(item: pytest.Item) -> None:
    """Start the services that the test's markers name."""
    wanted = [name for marker in item.iter_markers("bed") for name in marker.kwargs.get("services", ())]
    if wanted:
        done = subprocess.run([SERVICE, *wanted], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, f"services {' '.join(wanted)}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def beds() -> Iterator[Hosts]:
    """Hosts on a switch of their own; the test starts them."""
    with Hosts() as hosts:
        yield hosts
