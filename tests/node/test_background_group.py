"""A service's control group is divided only where systemd has given it to the agent."""

import asyncio
import os
from pathlib import Path

import pytest

from ovis.node import background_group, processes
from ovis.node.processes import Command, Limits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree as the kernel shows it, the service's group given to the agent; files appear in it by hand."""
    service = tmp_path / "root/system.slice/ovisd.service"
    (service / "background").mkdir(parents=True)
    (tmp_path / "root/cgroup.controllers").write_text("cpu io memory")
    (service / "cgroup.procs").write_text("17\n18\n")
    (service / "background/cpu.weight").write_text("100")
    try:
        os.setxattr(service, background_group.DELEGATED, b"1")
    except OSError:
        pytest.skip("the file system of temporary files has no extended attributes")
    return tmp_path / "root"


def own(folder: Path, path: str) -> Path:
    file = folder / "self"
    file.write_text(f"4:memory:/other\n0::{path}\n")
    return file


def test_the_agent_moves_aside_and_its_background_gets_less(root: Path, tmp_path: Path) -> None:
    group = background_group.made(root, own(tmp_path, "/system.slice/ovisd.service"))
    service = root / "system.slice/ovisd.service"
    assert group == service / "background"
    assert (group / "cpu.weight").read_text() == "10"
    assert (service / "agent/cgroup.procs").read_text() == "18"  # each written by itself
    assert background_group.made(root, own(tmp_path, "/system.slice/ovisd.service/agent")) == group


def test_nothing_is_touched_that_was_not_given(root: Path, tmp_path: Path) -> None:
    before = sorted(root.rglob("*"))
    assert background_group.made(root, own(tmp_path, "/system.slice")) is None
    assert background_group.made(tmp_path, own(tmp_path, "/system.slice/ovisd.service")) is None
    assert sorted(root.rglob("*")) == before


def test_without_a_controller_there_is_no_group(root: Path, tmp_path: Path) -> None:
    (root / "system.slice/ovisd.service/background/cpu.weight").unlink()
    assert background_group.made(root, own(tmp_path, "/system.slice/ovisd.service")) is None


def test_a_program_in_the_background_joins_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_group, "ours", lambda: tmp_path)
    for limits, joined in ((Limits(), False), (Limits(is_background=True), True)):
        ended = asyncio.run(processes.run(Command(["echo", "two words"], limits=limits), seconds=20))
        assert (ended.status, ended.output) == (0, b"two words\n")
        assert (tmp_path / "cgroup.procs").exists() is joined


def test_a_group_that_is_gone_keeps_no_program_from_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_group, "ours", lambda: tmp_path / "gone")
    ended = asyncio.run(processes.run(Command(["echo", "on"], limits=Limits(is_background=True)), seconds=20))
    assert (ended.status, ended.output) == (0, b"on\n")
