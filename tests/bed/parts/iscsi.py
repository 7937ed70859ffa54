"""An iSCSI target with several portals in the bed itself. The module needs "tgt" and "iscsi"."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bed.parts.programs import run

_NUMBERS = itertools.count(1)
PORTALS = ("10.99.1.1", "10.99.2.1")  # of two networks: removing the first address of one removes the others


@dataclass(frozen=True)
class Target:
    number: int
    name: str
    portals: tuple[str, ...]

    def add_unit(self, number: int, file: Path, size: int) -> None:
        """A LUN backed by a file that is made for it."""
        with file.open("wb") as made:
            made.truncate(size)
        admin("new", "logicalunit", "--tid", self.number, "--lun", number, "-b", file)


def admin(operation: str, mode: str, *more: object) -> str:
    return run("tgtadm", "--lld", "iscsi", "--op", operation, "--mode", mode, *more)


@contextmanager
def portals(addresses: Sequence[str] = PORTALS) -> Iterator[tuple[str, ...]]:
    """A network card that leads nowhere, with these addresses: the target is reached over each."""
    run("ip", "link", "add", "portals", "type", "dummy")
    for address in addresses:
        run("ip", "address", "add", f"{address}/24", "dev", "portals")
    run("ip", "link", "set", "portals", "up")
    try:
        yield tuple(addresses)
    finally:
        run("ip", "link", "delete", "portals")


@contextmanager
def cut(address: str) -> Iterator[None]:
    """What is sent to this portal is lost."""
    run("ip", "address", "delete", f"{address}/24", "dev", "portals")
    try:
        yield
    finally:
        run("ip", "address", "add", f"{address}/24", "dev", "portals")


@contextmanager
def target(addresses: tuple[str, ...]) -> Iterator[Target]:
    number = next(_NUMBERS)
    made = Target(number, f"iqn.2024-01.bed.ovis:target{number}", addresses)
    admin("new", "target", "--tid", number, "-T", made.name)
    try:
        admin("bind", "target", "--tid", number, "-I", "ALL")
        yield made
    finally:
        admin("delete", "target", "--force", "--tid", number)


@contextmanager
def logged_in(wanted: Target) -> Iterator[None]:
    """A session over every portal."""
    for address in wanted.portals:
        run("iscsiadm", "-m", "discovery", "-t", "sendtargets", "-p", address)
    run("iscsiadm", "-m", "node", "-T", wanted.name, "--login")
    try:
        yield
    finally:
        run("iscsiadm", "-m", "node", "-T", wanted.name, "--logout")
        run("iscsiadm", "-m", "node", "-T", wanted.name, "-o", "delete")
