"""The real tier: libvirt and QEMU in a virtual host.

Where it cannot run, each test is skipped and the last lines of the run say why, once.
"""

import sys
from collections.abc import Generator, Iterator
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


GUESTS = 3
"""How many guests a test of migration may use up."""


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """See DamagedGuest: another guest, at most twice, and said so."""
    try:
        return (yield)
    except AssertionError as damage:
        if type(damage).__name__ != "DamagedGuest":
            raise
        return _with_another_guest(pyfuncitem, damage)


def _with_another_guest(item: pytest.Function, damage: AssertionError) -> object:
    for left in reversed(range(GUESTS - 1)):
        print(f"{item.nodeid}: {damage}; with another guest")
        pair = item.funcargs["guest"]
        pair.clean()
        pair.boot()
        try:
            item.obj(**{name: item.funcargs[name] for name in item._fixtureinfo.argnames})
        except AssertionError as again:
            if type(again).__name__ != "DamagedGuest" or not left:
                raise
            damage = again
        else:
            return True
    raise damage


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
