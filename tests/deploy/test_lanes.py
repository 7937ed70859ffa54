"""The tiers that share the machine: each file in a pytest of its own, the longest first."""

from pathlib import Path

import pytest

from deploy.check import durations, lanes
from deploy.check.lanes import in_lanes
from deploy.check.verdict import Verdict

GOOD, BAD = "def test_it(): pass\n", "def test_it(): assert False\n"
FOLDERS = {"real": "tests/real", "bed": "tests/bed"}


@pytest.fixture(autouse=True)
def _quick_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def put(root: Path, file: str, source: str) -> None:
    (root / "pytest.ini").touch()
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(source)


def run(root: Path, *, guard: float = 60) -> dict[str, Verdict]:
    return {verdict.tier: verdict for verdict in in_lanes(root, FOLDERS, width=3, guard=guard)}


def test_each_tier_has_its_own_counts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "tests/real/test_a.py", GOOD)
    put(tmp_path, "tests/real/test_b.py", BAD)
    put(tmp_path, "tests/bed/test_a.py", GOOD)
    verdicts = run(tmp_path)
    assert (verdicts["real"].passed, verdicts["real"].failed) == (1, 1)
    assert (verdicts["bed"].passed, verdicts["bed"].failed) == (1, 0)
    assert verdicts["real"].failed_tests == ("tests/real/test_b.py::test_it",)
    told = capfd.readouterr().out
    assert "assert False" in told, "what a failed file printed is passed on"
    assert told.count(" passed ") == 3


def test_a_file_that_hangs_is_stopped(tmp_path: Path) -> None:
    put(tmp_path, "tests/real/test_a.py", "import time\ndef test_it(): time.sleep(600)\n")
    verdict = run(tmp_path, guard=2)["real"]
    assert verdict.failed == 1
    assert "test_a.py: stopped after" in verdict.notes[0]


def test_the_longest_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "durations.txt"
    listed.write_text("tests/bed/test_c.py 100  # why\n\ntests/bed/test_a.py 1\n")
    monkeypatch.setattr(durations, "LIST", listed)
    for name in "abc":
        put(tmp_path, f"tests/bed/test_{name}.py", GOOD)
    assert [Path(file).stem for file in lanes.files(tmp_path, "tests/bed")] == ["test_c", "test_b", "test_a"]


def test_every_file_that_is_listed_is_there() -> None:
    root = Path(__file__).parents[2]
    named = [line.split()[0] for line in durations.LIST.read_text().splitlines() if line.startswith("tests/")]
    assert [name for name in named if not (root / name).is_file()] == []
