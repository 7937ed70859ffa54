"""The kernel's own control groups: in one that the test makes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ovis.node import background_group, processes
from ovis.node.processes import Command, Limits

ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))


@pytest.fixture
def group() -> Iterator[Path]:
    root = next((root for root in ROOTS if (root / "cgroup.controllers").exists()), None)
    if root is None:
        pytest.skip("no control groups of version 2 are mounted")
    made = root / f"ovis-test-{uuid4()}"
    try:
        made.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    yield made
    made.rmdir()  # fails while something runs in it


def test_work_in_the_background_runs_in_its_group(group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_group, "ours", lambda: group)
    command = Command(["cat", "/proc/self/cgroup"], limits=Limits(is_background=True))
    ended = asyncio.run(processes.run(command, seconds=60))
    assert f"0::/{group.name}" in ended.output.decode().splitlines()
