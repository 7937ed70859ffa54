import json
from pathlib import Path

import pytest

from ovis.node.setup.command import main


def test_a_tree_is_shown_and_not_touched(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(root), "show", "multipath", "bonding"]) == 0
    told = capsys.readouterr().out
    assert "multipath: a LUN that lost all its paths fails instead of hanging" in told
    assert "    +    no_path_retry 4" in told
    assert not (root / "etc/multipath").exists()


def test_steps_are_applied_and_undone_by_name(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(root), "apply", "udev", "bonding", "--without", "bonding"]) == 0
    assert (root / "etc/udev/rules.d/57-ovis-storage.rules").exists()
    assert not (root / "etc/modprobe.d").exists()
    assert main(["--root", str(root), "undo"]) == 0
    assert not (root / "etc/udev/rules.d/57-ovis-storage.rules").exists()
    assert main(["--root", str(root), "apply", "nothing"]) == 1
    assert "there is no step nothing" in capsys.readouterr().err


def test_findings_are_for_people_and_for_programs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(root), "check"]) == 1
    assert "remedy: dnf install qemu-img" in capsys.readouterr().out
    main(["--root", str(root), "check", "--json"])
    assert {"level", "about", "found", "remedy"} == set(json.loads(capsys.readouterr().out)[0])
