import hashlib
import os
from pathlib import Path

import pytest
from scripts_made import HookFolder

from ovis.node.hooks import scripts
from ovis.node.hooks.scripts import Scripts


def test_executable_files_run_in_the_order_of_their_names(tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    for name in ("20_b", "10_a", "30_off"):
        made.shell("before_vm_start", "true", name)
    (tmp_path / "hooks/before_vm_start/30_off").chmod(0o644)
    (tmp_path / "hooks/before_vm_start/40_folder").mkdir()
    (tmp_path / "hooks/before_vm_start/50_broken").symlink_to("nowhere")
    assert [script.name for script in Scripts(tmp_path / "hooks").of("before_vm_start")] == ["10_a", "20_b"]


def test_nothing_is_installed_where_there_is_no_folder(tmp_path: Path) -> None:
    found = Scripts(tmp_path / "hooks")
    assert found.of("before_vm_start") == ()
    assert found.checksums() == {}


def test_an_empty_folder_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = HookFolder(tmp_path)
    place = tmp_path / "hooks/before_vm_start"
    place.mkdir(parents=True)
    os.utime(place, (1, 1))
    reads: list[str] = []
    real = os.listdir
    monkeypatch.setattr(scripts.os, "listdir", lambda path: reads.append(str(path)) or real(path))  # type: ignore[func-returns-value]
    assert [made.hooks.has("before_vm_start") for _ in range(3)] == [False] * 3
    assert len(reads) == 1
    made.shell("before_vm_start", "true")
    assert made.hooks.has("before_vm_start")


def test_a_script_that_is_switched_off_does_not_run(tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    path = made.shell("before_vm_start", "true")
    assert made.hooks.has("before_vm_start")
    path.chmod(0o644)
    assert not made.hooks.has("before_vm_start")


def test_checksums_are_those_of_the_content_of_now(tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    path = made.shell("after_get_caps", "true")
    for text in ("#!/bin/sh\ntrue\n", "#!/bin/sh\nfalse\n"):
        path.write_text(text)
        wanted = hashlib.md5(text.encode()).hexdigest()
        assert made.hooks.scripts.checksums() == {"after_get_caps": {"10_test": wanted}}
