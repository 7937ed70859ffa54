"""The measurements run, every row is there, and the agent is gone afterwards. No figure is judged: machines differ."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_quick_run_measures_every_kind_of_row(tmp_path: Path) -> None:
    only = (
        "ping2, native, plain, 16",
        "getStats, STOMP, TLS, 1 ",
        "hang",
        "stuck",
        "p95, simulated",
        "memory",
        "start to",
        "ovis",
    )
    result = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, HERE / "run.py", "--quick", "--json", result, *(f"--only={part}" for part in only)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(result.read_text())["rows"]
    assert {row["group"] for row in rows} >= {
        "calls: CPU time of the agent per call",
        "the process",
        "the command line",
    }
    assert all(row["value"] > 0 for row in rows)
