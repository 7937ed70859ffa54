from pathlib import Path

import pytest

from deploy.pages import life_cycle

PAGE = Path(__file__).parents[2] / "docs/vm/life-cycle.md"


def test_committed_page_shows_the_states_as_the_code_has_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert life_cycle.filled(page) == page, f"run: python -m deploy.pages.life_cycle {PAGE.name}"


def test_page_without_a_place_for_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for its picture"):
        life_cycle.filled("# The life of a VM\n")
