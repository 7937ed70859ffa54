"""`ovis`: the entry of the command line, and the only place that turns failures into exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from ovis.shell.failures import MEANINGS, Exit, Failure
from ovis.shell.talk import Options

COMPLETION_VARIABLE = "_OVIS_COMPLETE"
# click leaves with this code when a pipe breaks; other exits are a command's own (a signal in the console).
_CLICKS_BROKEN_PIPE = 1


class RootGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["node", "completion"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "node":
            from ovis.shell.node import NodeGroup

            return NodeGroup()
        if cmd_name == "completion":
            from ovis.shell.completion import completion_command

            return completion_command()
        return None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), text) for code, text in MEANINGS.items()])


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"ovis {version('ovis')}")
    context.exit()


def command_line() -> click.Group:
    return RootGroup(
        "ovis",
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_show_version,
                help="Show the version.",
            )
        ],
        help="Run and manage KVM hosts from the command line.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `arguments`: the words behind `ovis`."""
    if COMPLETION_VARIABLE in os.environ:
        from ovis.shell.completion import register_shells

        register_shells()
    try:
        result = command_line().main(
            args=None if arguments is None else list(arguments),
            prog_name="ovis",
            complete_var=COMPLETION_VARIABLE,
            standalone_mode=False,
            obj=Options(),
        )
        sys.stdout.flush()
    except Failure as failure:
        return _report(failure)
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.format_message())  # the help, on stdout to be paged
        return Exit.USAGE
    except click.ClickException as problem:
        hint = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else ""
        return _report(Failure(Exit.USAGE, problem.format_message(), f"See: {hint} --help" if hint else ""))
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit) as ending:
        if isinstance(ending, SystemExit) and ending.code != _CLICKS_BROKEN_PIPE:
            raise
        # the reader has gone (`| head`); what Python still holds must not fail once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    return result if isinstance(result, int) else Exit.OK


def _report(failure: Failure) -> int:
    import shutil
    import textwrap

    from ovis.shell.display_text import printable

    sys.stdout.flush()
    width = min(shutil.get_terminal_size().columns, 100) - 2
    hints = [line for text in failure.hint.splitlines() for line in textwrap.wrap(text, width) or [""]]
    lines = [f"ovis: {failure.text}", *(f"  {line}" for line in hints)]
    print(printable("\n".join(lines), lines=True), file=sys.stderr)
    return failure.exit_code
