import re
from pathlib import Path

import pytest

from deploy.pages import life_cycle

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/vm/life-cycle.md"
PROOFS = ROOT / "docs/storage/faults.md"


def test_committed_page_shows_the_states_as_the_code_has_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert life_cycle.filled(page) == page, f"run: python -m deploy.pages.life_cycle {PAGE.name}"


def test_page_without_a_place_for_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for its picture"):
        life_cycle.filled("# The life of a VM\n")


def test_each_test_that_proves_something_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PROOFS.read_text(encoding="utf-8"))
    assert len(named) > 40
    assert [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()] == []
