"""The verdict of `make test` decides what gets merged: it is tried on real pytest runs."""

from pathlib import Path

import pytest

from deploy.check.tiers import pytest_tier
from deploy.check.verdict import Verdict, summary, table


def run(root: Path, source: str, *, deadline: float = 60) -> Verdict:
    (root / "pytest.ini").write_text("[pytest]\nmarkers = real: x\n")
    (root / "test_it.py").write_text(source)
    return pytest_tier(root, "unit", markers="not real", deadline=deadline)


def test_counts_are_those_of_pytest(tmp_path: Path) -> None:
    verdict = run(
        tmp_path,
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_not_here(): pytest.skip('no root')\n"
        "@pytest.mark.real\ndef test_elsewhere(): assert False\n",
    )
    assert (verdict.passed, verdict.failed, verdict.skipped) == (1, 1, 1)
    assert verdict.word == "FAILED"
    assert verdict.notes == ("skipped: no root",)


def test_tier_that_only_skips_did_not_run(tmp_path: Path) -> None:
    verdict = run(tmp_path, "import pytest\ndef test_it(): pytest.skip('no root')\n")
    assert verdict.word == "not run"
    assert "no root" in table([verdict])


@pytest.mark.parametrize("source", ["import nowhere\n", "import os\ndef test_it(): os._exit(3)\n"])
def test_run_without_a_result_fails(tmp_path: Path, source: str) -> None:
    assert run(tmp_path, source).failed == 1


def test_hanging_tier_is_stopped_and_fails(tmp_path: Path) -> None:
    verdict = run(tmp_path, "import time\ndef test_it(): time.sleep(600)\n", deadline=2)
    assert verdict.failed == 1
    assert "hangs" in verdict.notes[0]


def test_what_passes_at_a_second_try_is_named(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = real: x\n")
    (tmp_path / "test_it.py").write_text(
        "from pathlib import Path\n"
        "def test_late():\n"
        "    mark = Path(__file__).with_name('mark')\n"
        "    was_there = mark.exists()\n"
        "    mark.touch()\n"
        "    assert was_there\n"
        "def test_good(): pass\n"
    )
    verdict = pytest_tier(tmp_path, "unit", markers="not real", deadline=60, again=60)
    assert (verdict.passed, verdict.failed) == (2, 0)
    assert verdict.notes == ("only at the second try: test_it::test_late",)


def test_what_fails_twice_has_failed(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = real: x\n")
    (tmp_path / "test_it.py").write_text("def test_bad(): assert False\ndef test_good(): pass\n")
    verdict = pytest_tier(tmp_path, "unit", markers="not real", deadline=60, again=60)
    assert (verdict.passed, verdict.failed) == (1, 1)


def test_summary_adds_up() -> None:
    assert summary([Verdict("lint", 1, passed=5), Verdict("unit", 1, 10, 2, 3)]) == "15 passed, 2 failed, 3 skipped"
