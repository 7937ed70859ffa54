"""What holds for all hooks of the catalogue."""

import re
from pathlib import Path

import pytest
from hook_bench import Bench

from ovis.node.hooks.catalogue import Catalogue

HERE = Path(__file__).parent
CATALOGUE = Catalogue(HERE.parents[1] / "hooks")
TESTS = "\n".join(path.read_text() for path in HERE.glob("test_*.py") if path != Path(__file__))
FOR_EVERY_VM = {"faqemu", "fakevmstats", "nestedvt"}
NAMES = [entry.name for entry in CATALOGUE.entries()]


def test_none_is_forgotten() -> None:
    folders = {path.name for path in CATALOGUE.folder.iterdir() if path.is_dir()}
    assert folders == set(NAMES)
    assert len(NAMES) == 37


@pytest.mark.parametrize("name", NAMES)
def test_each_is_documented_and_tested(name: str) -> None:
    entry = CATALOGUE.entry(name)
    assert entry is not None
    text = (entry.folder / "README.md").read_text()
    assert len(entry.about) > 20
    assert all(f"`{point}`" in text for point in entry.scripts)
    read = {
        found for path in entry.scripts.values() for found in re.findall(r'with_property\("(\w+)"', path.read_text())
    }
    assert all(f"`{found}`" in text for found in read)
    assert f'"{name}"' in TESTS


@pytest.mark.parametrize("name", sorted(set(NAMES) - FOR_EVERY_VM))
def test_without_its_property_nothing_is_changed(name: str, tmp_path: Path) -> None:
    entry = CATALOGUE.entry(name)
    assert entry is not None
    bench = Bench(tmp_path)
    for point in entry.scripts:
        if "_vm_" in point and "stats" not in point:
            text = (HERE / "domain.xml").read_text()
            assert bench.run(name, point, text) == text
