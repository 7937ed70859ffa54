import os
from pathlib import Path

import pytest

from ovis.node.instance import AlreadyRunning, only_instance


def test_second_agent_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    with only_instance(tmp_path), pytest.raises(AlreadyRunning, match=str(os.getpid())), only_instance(tmp_path):
        pass


def test_lock_of_an_agent_that_ended_is_free(tmp_path: Path) -> None:
    with only_instance(tmp_path):
        pass
    with only_instance(tmp_path):
        assert (tmp_path / "ovisd.lock").read_text() == f"{os.getpid()}\n"
