"""Options of `ovis node`. Every level below takes them as well; the innermost goes first."""

from __future__ import annotations

from typing import Any

import click

from ovis.shell.output import FORMATS
from ovis.shell.talk import PKI, PORT, SOCKET, Options


def node_options(*, output_only: bool = False) -> list[click.Parameter]:
    """All of them; with `output_only` the help shows only those about the output."""
    return [
        *_output_options(),
        _option("--host", "-H", metavar="HOST[:PORT]", hidden=output_only, help=f"Connect with TLS; port {PORT}."),
        _option(
            "--socket", metavar="PATH", hidden=output_only, help=f"Connect to a Unix socket [OVIS_SOCKET or {SOCKET}]."
        ),
        _option(
            "--pki",
            metavar="DIR",
            hidden=output_only,
            help=f"Folder with key, certificate and CA for --host [OVIS_PKI or {PKI}].",
        ),
        _option(
            "--timeout",
            metavar="SECONDS",
            type=click.FloatRange(min=0, min_open=True),
            hidden=output_only,
            help="Longest wait for an answer [the verb's own deadline and a bit].",
        ),
        _option("--flow", metavar="ID", hidden=output_only, help="Id by which the agent's log shows this call."),
    ]


def _output_options() -> list[click.Parameter]:
    return [
        _option(
            "--output",
            "-o",
            type=click.Choice(FORMATS),
            help="How results are shown [table in a terminal, else json].",
        ),
        _option(
            "--clean",
            is_flag=True,
            default=None,
            help="In json and yaml: numbers as numbers and sizes in bytes, not as they travel.",
        ),
    ]


def _option(*names: str, **settings: Any) -> click.Option:
    return click.Option(list(names), expose_value=False, callback=_remember, **settings)


def _remember(context: click.Context, option: click.Parameter, value: Any) -> Any:
    options = context.ensure_object(Options)
    if value is not None and option.name:
        setattr(options, option.name, value)
    return value
