import os
import stat
from pathlib import Path

import pytest

from ovis.node.instance import AlreadyRunning, UnusableFolder, make_folder, only_instance


def test_second_agent_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    with only_instance(tmp_path), pytest.raises(AlreadyRunning, match=str(os.getpid())), only_instance(tmp_path):
        pass


def test_a_state_folder_is_held_as_well(tmp_path: Path) -> None:
    (run := tmp_path / "run").mkdir()
    (other := tmp_path / "other").mkdir()
    (state := tmp_path / "state").mkdir()
    with only_instance(run, state), pytest.raises(AlreadyRunning, match=str(state)), only_instance(other, state):
        pass


def test_one_folder_for_both_is_locked_once(tmp_path: Path) -> None:
    with only_instance(tmp_path, tmp_path / "." / ""):
        pass


def test_a_folder_that_takes_no_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/ovis")):
        with pytest.raises(UnusableFolder, match=f"state_folder {folder} "):
            make_folder(folder, "state_folder", mode=0o700)


def test_a_usable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b", "run_folder", mode=0o700)
    assert os.listdir(tmp_path / "a" / "b") == []
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_lock_of_an_agent_that_ended_is_free(tmp_path: Path) -> None:
    with only_instance(tmp_path):
        pass
    with only_instance(tmp_path):
        assert (tmp_path / "ovisd.lock").read_text() == f"{os.getpid()}\n"
