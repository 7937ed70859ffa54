"""`ovis node CLASS VERB name=value …`: one call."""

from __future__ import annotations

import sys

import click
import msgspec

from ovis.client.untyped import RpcError
from ovis.schema.model import Schema, Verb
from ovis.shell.api import Shape
from ovis.shell.arguments import ArgumentReader, missing_failure
from ovis.shell.options import node_options
from ovis.shell.output import show
from ovis.shell.talk import MARGIN_SECONDS, Options, connected, refused


class VerbCommand(click.Command):
    def __init__(self, schema: Schema, method: str, verb: Verb) -> None:
        super().__init__(
            method.split(".")[1],
            params=[*node_options(output_only=True), _words(method)],
            callback=self._run,
            options_metavar="",
        )
        self._schema = schema
        self._method = method
        self._verb = verb

    def _run(self, words: tuple[str, ...]) -> None:
        options = click.get_current_context().ensure_object(Options)
        call(self._schema, self._method, words, options)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from ovis.shell.help_text import write_verb

        self.format_usage(ctx, formatter)
        write_verb(self._schema, self._method, self._verb, formatter)
        self.format_options(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_text("The options of `ovis node` (--host, --socket, --timeout …) are understood here too.")


def _words(method: str) -> click.Argument:
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[object]:
        from ovis.shell.completion import complete_word

        return list(complete_word(context, method, incomplete))

    return click.Argument(["words"], nargs=-1, metavar="[name=value ...|@file.json]", shell_complete=complete)


def call(schema: Schema, method: str, words: tuple[str, ...], options: Options) -> None:
    """Read the words, call, show the result. Raises Failure."""
    verb = schema.verb(method)
    assert verb is not None
    reader = ArgumentReader(schema, method, warn)
    reader.read(words)
    _ask_for_secrets(schema, reader)
    if reader.missing:
        raise missing_failure(method, reader.missing)
    params = msgspec.json.encode(reader.arguments) if verb.params else None
    with connected(options) as connection:
        try:
            raw = connection.call(
                method, params, timeout=options.timeout or verb.deadline + MARGIN_SECONDS, flow=options.flow
            )
        except RpcError as error:
            raise refused(schema, method, error) from error
    show(schema, verb.result, raw, wanted=options.output, typed=options.clean)


def _ask_for_secrets(schema: Schema, reader: ArgumentReader) -> None:
    if not reader.missing or not sys.stdin.isatty():
        return
    for name, field in reader.missing.items():
        if field.secret and Shape.of_field(schema, field).kind == "string":
            reader.put(name, click.prompt(name, hide_input=True, err=True))


def warn(text: str) -> None:
    click.echo(f"ovis: warning: {text}", err=True)
