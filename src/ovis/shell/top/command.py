"""The command: full screen in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ovis.client.untyped import RpcError
from ovis.shell.api import Shape, node_schema
from ovis.shell.clean import clean
from ovis.shell.options import node_options
from ovis.shell.output import as_json_line, as_yaml, read_json, write
from ovis.shell.talk import MARGIN_SECONDS, Options, connected, refused
from ovis.shell.top.figures import Look, Reader

if TYPE_CHECKING:
    from ovis.client.untyped import BlockingConnection

PLAIN_WIDTH = 132
"""Room for every column; a file has no width."""


def top_command() -> click.Command:
    return click.Command(
        "top",
        params=[
            *(option for option in node_options(output_only=True) if option.name != "clean"),  # figures always are
            click.Option(["--once"], is_flag=True, help="Show the figures of now and end."),
            click.Option(
                ["--interval", "-n"],
                type=click.FloatRange(min=0.2),
                default=3.0,
                show_default=True,
                metavar="SECONDS",
                help="Time between two looks.",
            ),
            click.Option(
                ["--sort"],
                type=click.Choice(["cpu", "memory", "name", "disk", "traffic"]),
                default="cpu",
                show_default=True,
                help="What the VMs are sorted by.",
            ),
        ],
        callback=_watch,
        help="Watch the host and its VMs: CPU, memory, disk and network rates, guest addresses. Full screen in a "
        "terminal (q ends), plain lines elsewhere.",
        epilog="Sizes are in binary units (1K is 1024 bytes). Network rates need two samples of the agent, so they are "
        "missing at first.",
    )


def _watch(once: bool, interval: float, sort: str) -> None:
    options = click.get_current_context().ensure_object(Options)
    with connected(options) as connection:
        look = _looker(connection, options)
        terminal = sys.stdout.isatty() and sys.stdin.isatty()
        if terminal and not once and options.output in {"", "table"}:
            from ovis.shell.top.screen import run

            run(look, interval=interval, sort=sort)
            return
        while True:
            _show(look(), sort, options.output)
            if once:
                return
            write("" if options.output in {"json", "yaml"} else "\n")
            time.sleep(interval)


def _looker(connection: BlockingConnection, options: Options) -> Callable[[], Look]:
    def ask(method: str) -> Any:
        return _ask(connection, options, method)

    reader = Reader(ask("Host.getCapabilities"), options.host or _own_name())
    return lambda: reader.look(ask("Host.getStats"), ask("Host.getAllVmStats"))


def _ask(connection: BlockingConnection, options: Options, method: str) -> Any:
    schema = node_schema()
    verb = schema.verb(method)
    assert verb is not None
    assert verb.result is not None
    try:
        raw = connection.call(
            method, None, timeout=options.timeout or verb.deadline + MARGIN_SECONDS, flow=options.flow
        )
    except RpcError as error:
        raise refused(schema, method, error) from error
    return clean(Shape.of_field(schema, verb.result), read_json(raw))


def _own_name() -> str:
    import socket

    return socket.gethostname()


def _show(look: Look, sort: str, output: str) -> None:
    if output in {"json", "yaml"}:
        content = msgspec.to_builtins(look)
        write(as_json_line(content) if output == "json" else "---\n" + as_yaml(content))
        return
    from ovis.shell.tables import console_for_stdout, print_lines
    from ovis.shell.top.frame import host_lines, vm_lines

    console = console_for_stdout(PLAIN_WIDTH)
    print_lines(console, *host_lines(look.host, console.width), *vm_lines(look, sort=sort, width=console.width))
