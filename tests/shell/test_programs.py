from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_nothing_is_loaded_from_the_folder_of_the_call(tmp_path: Path) -> None:
    strange = tmp_path / "ovis"
    strange.mkdir()
    (strange / "__init__.py").write_text("raise SystemExit('loaded from the folder of the call')\n")
    line = [sys.executable, "-P", "-m", "ovis.shell", "node", "setup", "--help"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "apply" in done.stdout


def test_failure_of_the_program_is_the_commands(tmp_path: Path) -> None:
    for words in (["setup", "--root", str(tmp_path), "check"], ["setup", "show", "nonsense"]):
        line = [sys.executable, "-m", "ovis.shell", "node", *words]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1, done.stdout + done.stderr
