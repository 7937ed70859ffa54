"""A virtual host with a real libvirtd for the rows that need one, or the reason why there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.rig.virtual_host import missing, virtual_host


def why_not() -> str | None:
    return missing()


@dataclass(frozen=True)
class RealLibvirt:
    uri: str
    bridge: str


@contextmanager
def running() -> Iterator[RealLibvirt]:
    with virtual_host("bench") as host:
        yield RealLibvirt(host.libvirt_uri, host.bridge)
