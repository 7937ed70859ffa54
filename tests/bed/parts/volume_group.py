"""Volume groups for tests."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bed.parts.programs import run

EXTENT = "128m"
"""That of existing storage domains."""


@contextmanager
def volume_group(name: str, devices: Sequence[Path]) -> Iterator[str]:
    """Made, and removed with all that is in it."""
    for device in devices:
        run("pvcreate", "--yes", "--quiet", "--metadatasize", "128m", "--metadatacopies", "2", device)
    run("vgcreate", "--quiet", "--physicalextentsize", EXTENT, name, *devices)
    try:
        yield name
    finally:
        run("vgremove", "--yes", "--force", "--quiet", name)
        run("pvremove", "--yes", "--quiet", *devices)


def report(command: str, *arguments: str) -> list[dict[str, Any]]:
    """Rows of an LVM report (lvs, vgs, pvs)."""
    told = json.loads(run(command, "--reportformat", "json", "--units", "b", "--nosuffix", *arguments))
    rows: list[dict[str, Any]] = told["report"][0][command.removesuffix("s")]
    return rows
