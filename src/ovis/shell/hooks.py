"""`ovis node hooks`: handed to the agent's own program for it, which works on the files of this host."""

from __future__ import annotations

import subprocess
import sys

import click

PROGRAM = "ovis.node.hooks"


def hooks_command() -> click.Command:
    return click.Command(
        "hooks",
        callback=_run,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        help="List, enable, disable and try the hook scripts of this host.",
    )


def _run(arguments: tuple[str, ...]) -> None:
    sys.stdout.flush()
    sys.exit(subprocess.run([sys.executable, "-m", PROGRAM, *(arguments or ("--help",))], check=False).returncode)
