"""The verdict of `make test` decides what gets merged: it is tried on real pytest runs."""

from pathlib import Path

import pytest

from deploy.check.tiers import pytest_tier
from deploy.check.verdict import Verdict, summary, table


@pytest.fixture(autouse=True)
def _quick_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(root: Path, source: str, *, deadline: float = 60, again: float = 0) -> Verdict:
    (root / "pytest.ini").touch()
    (root / "test_it.py").write_text(source)
    return pytest_tier(root, "unit", ["-k", "not elsewhere"], deadline=deadline, again=again)


def test_counts_are_those_of_pytest(tmp_path: Path) -> None:
    verdict = run(
        tmp_path,
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_not_here(): pytest.skip('no root')\n"
        "def test_elsewhere(): assert False\n",
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


LATE = """
from pathlib import Path
def test_late():
    mark = Path(__file__).with_name('mark')
    was_there = mark.exists()
    mark.touch()
    assert was_there
def test_good(): pass
"""


def test_what_passes_at_a_second_try_is_named(tmp_path: Path) -> None:
    verdict = run(tmp_path, LATE, again=60)
    assert (verdict.passed, verdict.failed) == (2, 0)
    assert verdict.notes == ("only at the second try: test_it.py::test_late",)


def test_what_fails_twice_has_failed(tmp_path: Path) -> None:
    verdict = run(tmp_path, "def test_bad(): assert False\ndef test_good(): pass\n", again=60)
    assert (verdict.passed, verdict.failed) == (1, 1)


PARAMETRIZED = """
import pytest
class TestThings:
    @pytest.mark.parametrize('thing', ['a/b', 'a.b'])
    def test_it(self, thing): assert thing == 'a/b'
"""


def test_a_failed_test_is_named_as_pytest_names_it(tmp_path: Path) -> None:
    assert run(tmp_path, PARAMETRIZED).failed_tests == ("test_it.py::TestThings::test_it[a.b]",)


def test_summary_adds_up() -> None:
    assert summary([Verdict("lint", 1, passed=5), Verdict("unit", 1, 10, 2, 3)]) == "15 passed, 2 failed, 3 skipped"
