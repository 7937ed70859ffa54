"""The demo as a new user runs it: a process that shows a real VM and leaves nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import missing

ROOT = Path(__file__).resolve().parents[2]
DEMO_SECONDS = 150


def processes_of(group: int) -> list[str]:
    """Command lines of the processes of a session that are left."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getsid(int(entry.name)) == group:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile
            continue
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: libvirt's sockets lie in it, and their paths have a limit."""
    with TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


def test_once_shows_the_guest_and_leaves_nothing(folder: Path, guest_image: TinyGuest) -> None:
    if reason := missing():
        pytest.skip(reason)
    rig, temporary = folder / "rig", folder / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, "deploy/demo/demo.py"],
        cwd=ROOT,
        env={**os.environ, "ONCE": "1", "OVIS_RIG_DIR": str(rig), "TMPDIR": str(temporary), "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        try:
            told, _ = demo.communicate(timeout=DEMO_SECONDS)
        finally:
            demo.kill()
    assert demo.returncode == 0, told
    for words in ("Ovis tiny guest", "10.78.", "128 MiB", "runs on"):
        assert words in told
    assert processes_of(demo.pid) == []
    assert list(temporary.iterdir()) == []
    assert [file.name for file in rig.iterdir() if file.name != ".lock"] == []
