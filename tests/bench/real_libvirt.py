"""A virtual host with a real libvirtd for the rows that need one, or the reason why there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.rig.virtual_host import missing, virtual_host


def why_not() -> str | None:
    return missing()


@contextmanager
def libvirt_uri() -> Iterator[str]:
    with virtual_host("bench") as host:
        yield host.libvirt_uri
