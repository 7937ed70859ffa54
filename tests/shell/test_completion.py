from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

UP = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"
DOWN = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0002"

ASK = r"""
eval "$(ovis completion bash)"
compopt() { :; }
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
COMP_LINE=$1
COMP_POINT=${#1}
_ovis_completion ovis
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(agent: Any, tmp_path: Path) -> Any:
    """What bash offers for a line, asked in a real bash."""
    program = tmp_path / "ovis"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ovis.shell "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "OVIS_SOCKET": agent.socket}

    def complete(line: str) -> list[str]:
        ended = subprocess.run(
            ["bash", "--norc", "-c", ASK, "bash", line],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert ended.stderr == ""
        return ended.stdout.split()

    return complete


def test_classes_and_verbs(complete: Any) -> None:
    assert complete("ovis node Sto") == ["StorageDomain", "StoragePool"]
    assert complete("ovis node Host pin") == ["ping", "ping2"]


def test_parameters_that_are_not_given_yet(complete: Any) -> None:
    assert "vmID=" in complete("ovis node VM destroy ")
    assert "vmID=" not in complete(f"ovis node VM destroy vmID={UP} ")


def test_members_and_their_values(complete: Any) -> None:
    assert "vmParams.memSize=" in complete("ovis node VM create vmParams.mem")
    assert complete("ovis node VM create vmParams.display=v") == ["vnc"]


def test_ids_come_from_the_live_agent(complete: Any) -> None:
    assert complete("ovis node VM destroy vmID=7a1") == [UP, DOWN]


def test_no_agent_offers_no_ids_and_says_nothing(complete: Any) -> None:
    assert complete("ovis node --socket /nowhere VM destroy vmID=") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_it_can_read(run: Any, shell: str) -> None:
    script = run("completion", shell).out
    assert "_OVIS_COMPLETE" in script
    assert shell != "zsh" or "-S ''" in script  # the change to the script of the library took place
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=20)
