import json
from pathlib import Path

import pytest
from scripts_made import HookFolder

from ovis.node.hooks.command import main


@pytest.fixture
def made(tmp_path: Path) -> HookFolder:
    entry = tmp_path / "catalogue" / "titled"
    entry.mkdir(parents=True)
    (entry / "README.md").write_text("# titled\n\nGives a VM a title.\n")
    (entry / "before_vm_start.py").write_text(
        '#!/bin/sh\n[ -z "$title" ] || sed -i "s,</name>,&<title>$title</title>," $_hook_domxml\n'
    )
    (tmp_path / "vm.xml").write_text("<domain><name>a</name></domain>")
    return HookFolder(tmp_path)


def call(made: HookFolder, *words: str) -> int:
    return main(["--folder", str(made.settings.folder), "--catalogue", str(made.folder / "catalogue"), *words])


def test_a_hook_is_listed_enabled_and_disabled(made: HookFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(made, "list") == 0
    assert "titled               Gives a VM a title" in capsys.readouterr().out
    assert call(made, "enable", "titled") == 0
    assert call(made, "list", "--json") == 0
    told = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))
    assert told["available"] == {}
    assert [(row["point"], row["script"], row["state"]) for row in told["installed"]] == [
        ("before_vm_start", "50_titled", "on")
    ]
    assert call(made, "disable", "titled") == 0
    assert not made.hooks.has("before_vm_start")


def test_a_dry_run_shows_the_difference_and_changes_nothing(
    made: HookFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(made.folder / "vm.xml")
    before = (made.folder / "vm.xml").read_text()
    assert call(made, "dry-run", "before_vm_start", file) == 0
    assert "nothing is installed" in capsys.readouterr().out
    assert call(made, "dry-run", "before_vm_start", file, "--hook", "titled", "--property", "title=red") == 0
    assert "+  <title>red</title>" in capsys.readouterr().out
    call(made, "enable", "titled")
    assert call(made, "dry-run", "before_vm_start", file) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert (made.folder / "vm.xml").read_text() == before


def test_failures_are_told(made: HookFolder, capsys: pytest.CaptureFixture[str]) -> None:
    made.shell("before_vm_start", "echo not this one >&2; exit 2")
    assert call(made, "dry-run", "before_vm_start", str(made.folder / "vm.xml")) == 1
    assert "not this one" in capsys.readouterr().err
    assert call(made, "enable", "nothing") == 1
    assert call(made, "dry-run", "before_vm_start", "/no/such/file") == 1
    assert call(made, "dry-run", "before_vm_start", str(made.folder / "vm.xml"), "--property", "x") == 1
