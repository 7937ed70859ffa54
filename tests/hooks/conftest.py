"""The helpers beside the tests can be imported by their name."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hook_bench import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(tmp_path)
    made.program("sudo", 'shift; exec "$@"')
    monkeypatch.setenv("PATH", f"{made.programs}:{os.environ['PATH']}")
    return made
