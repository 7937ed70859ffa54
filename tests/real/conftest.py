"""The real tier: libvirt and QEMU in a virtual host.

Where it cannot run, each test is skipped and the last lines of the run say why, once.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.guest.tiny_guest import GuestNotBuilt, TinyGuest, built
from deploy.rig.virtual_host import VirtualHost, missing, virtual_host

_HERE = Path(__file__).parent
_NOT_RUN = pytest.StashKey[list[str]]()


@pytest.hookimpl(tryfirst=True)  # before -m looks at the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.real)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in terminalreporter.config.stash.get(_NOT_RUN, []):
        terminalreporter.write_line(f"NOT RUN: real tier: {reason}", yellow=True)


@pytest.fixture(scope="session")
def vhost(request: pytest.FixtureRequest) -> Iterator[VirtualHost]:
    """One virtual host for the whole session; tests remove the domains that they make."""
    if reason := missing():
        _cannot(request, reason)
    with virtual_host("test") as host:
        yield host


@pytest.fixture(scope="session")
def guest_image(request: pytest.FixtureRequest) -> TinyGuest:
    """Kernel and initrd of the tiny guest."""
    try:
        return built()
    except GuestNotBuilt as error:
        _cannot(request, str(error))


def _cannot(request: pytest.FixtureRequest, reason: str) -> NoReturn:
    reasons = request.config.stash.setdefault(_NOT_RUN, [])
    if reason not in reasons:
        reasons.append(reason)
    pytest.skip(reason)
