"""Commands of `ovis node` that are programs of the agent's side, which work on the files of this host."""

from __future__ import annotations

import subprocess
import sys

import click

PROGRAMS = {
    "certificate": ("ovis.node.certificates", "The certificates of this host."),
    "hooks": ("ovis.node.hooks", "Scripts that run at fixed points of VMs and of this host."),
    "report": ("ovis.node.observing.report", "Collect what whoever helps needs to know of this host."),
    "setup": ("ovis.node.setup", "Look at this machine, and make it a host."),
}


def program_command(name: str) -> click.Command:
    module, about = PROGRAMS[name]
    return click.Command(
        name,
        callback=lambda arguments: _run(module, arguments, _bare(name)),
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        help=about,
    )


def _bare(name: str) -> tuple[str, ...]:
    """What the program gets when nothing is given: `report` works without words."""
    return () if name == "report" else ("--help",)


def _run(module: str, arguments: tuple[str, ...], bare: tuple[str, ...]) -> int:
    """The program's exit code, returned: click means a broken pipe when it exits with 1."""
    sys.stdout.flush()
    # -P: root may stand in a folder of somebody's who put a package `ovis` there
    return subprocess.run([sys.executable, "-P", "-m", module, *(arguments or bare)], check=False).returncode
