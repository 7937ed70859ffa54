from pathlib import Path

import pytest
from scripts_made import HookFolder

from ovis.node.hooks.catalogue import Catalogue, Changed, NoSuchHook

SCRIPT = "#!/bin/sh\ntrue\n"


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    place = tmp_path / "catalogue"
    for name, point in (("one", "before_vm_start"), ("one", "after_vm_destroy"), ("two", "before_vm_start")):
        (place / name).mkdir(parents=True, exist_ok=True)
        (place / name / f"{point}.py").write_text(SCRIPT)
        (place / name / "README.md").write_text("# x\n\nDoes this. And that.\n")
    (place / "one" / "helper.py").write_text("")
    return Catalogue(place)


def test_a_hook_is_enabled_at_all_its_points_and_disabled_without_a_trace(tmp_path: Path, catalogue: Catalogue) -> None:
    made = HookFolder(tmp_path)
    for _ in range(2):
        paths = catalogue.enable(made.hooks.scripts, "one")
    assert sorted(path.relative_to(tmp_path / "hooks").as_posix() for path in paths) == [
        "after_vm_destroy/50_one",
        "before_vm_start/50_one",
    ]
    assert made.hooks.has("before_vm_start")
    assert {catalogue.origin(script) for script in made.hooks.scripts.installed()} == {catalogue.entry("one")}
    for _ in range(2):
        catalogue.disable(made.hooks.scripts, "one")
    assert made.hooks.scripts.installed() == []


def test_what_was_changed_is_neither_replaced_nor_removed(tmp_path: Path, catalogue: Catalogue) -> None:
    made = HookFolder(tmp_path)
    path = made.shell("before_vm_start", "echo mine", "50_one")
    with pytest.raises(Changed):
        catalogue.enable(made.hooks.scripts, "one")
    catalogue.disable(made.hooks.scripts, "one")
    assert "mine" in path.read_text()
    assert not made.hooks.has("before_vm_start")
    catalogue.enable(made.hooks.scripts, "one", force=True)
    assert path.read_text() == SCRIPT


def test_other_scripts_are_switched_by_their_permission(tmp_path: Path, catalogue: Catalogue) -> None:
    made = HookFolder(tmp_path)
    path = made.shell("before_vm_start", "true")
    path.chmod(0o750)
    catalogue.disable(made.hooks.scripts, "before_vm_start/10_test")
    assert not made.hooks.has("before_vm_start")
    catalogue.enable(made.hooks.scripts, "10_test")
    assert made.hooks.has("before_vm_start")
    assert path.stat().st_mode & 0o777 == 0o750
    with pytest.raises(NoSuchHook):
        catalogue.enable(made.hooks.scripts, "three")


def test_a_hook_tells_what_it_is_for(catalogue: Catalogue) -> None:
    assert [(entry.name, entry.about) for entry in catalogue.entries()] == [("one", "Does this"), ("two", "Does this")]
