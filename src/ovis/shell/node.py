"""`ovis node`: classes and verbs from the schema, found when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable

import click

from ovis.schema.model import Class, Schema
from ovis.shell.api import node_schema
from ovis.shell.failures import usage
from ovis.shell.nearest import did_you_mean, find
from ovis.shell.options import node_options

OWN = {
    "certificate": "The certificates of this host.",
    "console": "Open the serial console of a VM.",
    "events": "Follow the events of the node.",
    "hooks": "Scripts that run at fixed points of VMs and of this host.",
    "image": "Bring disks into storage and take them out.",
    "network": "The networks of the host.",
    "report": "Collect what whoever helps needs to know of this host.",
    "setup": "Look at this machine, and make it a host.",
    "storage": "Use storage without any manager.",
    "top": "Watch the host and its VMs.",
}


class SchemaGroup(click.Group):
    """A group whose commands come from a table; a name that is not in it gets a suggestion."""

    what = "command"

    def texts(self) -> dict[str, str]:
        """Every command with its one line of help."""
        raise NotImplementedError

    def make(self, name: str) -> click.Command:
        raise NotImplementedError

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.texts())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = find(cmd_name, self.texts())
        return self.make(known) if known else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        command = self.get_command(ctx, args[0])
        if command is None and not ctx.resilient_parsing and not args[0].startswith("-"):
            raise usage(
                f"There is no {self.what} {args[0]!r}",
                did_you_mean(args[0], self.texts()) or f"See: {ctx.command_path} --help",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_commands(formatter, "Commands", self.texts().items())


def write_commands(formatter: click.HelpFormatter, title: str, texts: Iterable[tuple[str, str]]) -> None:
    """One line each, cut to the width."""
    rows = list(texts)
    left = min(40, max(len(name) for name, _ in rows))
    room = max(20, formatter.width - left - 6)
    with formatter.section(title):
        formatter.write_dl([(n, _cut(t, room)) for n, t in rows], col_max=40)


def _cut(text: str, room: int) -> str:
    """The words that fit."""
    if len(text) <= room:
        return text
    return text[: room - 1].rsplit(" ", 1)[0].rstrip(" ,:;") + " …"


class NodeGroup(SchemaGroup):
    what = "class"

    def __init__(self) -> None:
        super().__init__(
            "node",
            params=node_options(),
            help="Talk to the agent of a host: call any verb of its API, follow its events, watch it.",
            epilog="`ovis node CLASS` lists the verbs of a class, `ovis node CLASS VERB --help` explains one.",
            subcommand_metavar="CLASS VERB [name=value ...|@file.json]",
        )

    def texts(self) -> dict[str, str]:
        return {**OWN, **{name: _line(klass.doc) for name, klass in node_schema().classes.items()}}

    def make(self, name: str) -> click.Command:
        if name == "events":
            from ovis.shell.follow import events_command

            return events_command()
        if name == "console":
            from ovis.shell.console import console_command

            return console_command()
        if name in ("certificate", "hooks", "report", "setup"):
            from ovis.shell.programs import program_command

            return program_command(name)
        if name == "image":
            from ovis.shell.storage.image_commands import image_group

            return image_group()
        if name == "network":
            from ovis.shell.networks import network_group

            return network_group()
        if name == "storage":
            from ovis.shell.storage.commands import storage_group

            return storage_group()
        if name == "top":
            from ovis.shell.top.command import top_command

            return top_command()
        schema = node_schema()
        return ClassGroup(schema, name, schema.classes[name])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        texts = self.texts()
        write_commands(formatter, "Commands", [(name, texts.pop(name)) for name in OWN])
        write_commands(formatter, "Classes", texts.items())


class ClassGroup(SchemaGroup):
    what = "verb"

    def __init__(self, schema: Schema, name: str, klass: Class) -> None:
        super().__init__(
            name,
            params=node_options(output_only=True),
            help=klass.doc,
            options_metavar="",
            subcommand_metavar="VERB [name=value ...|@file.json]",
        )
        self._schema = schema
        self._class = klass
        self._name = name

    def texts(self) -> dict[str, str]:
        return {**self._own(), **{name: _line(verb.doc) for name, verb in self._class.verbs.items()}}

    def _own(self) -> dict[str, str]:
        if self._name != "VM":
            return {}
        from ovis.shell.vm_commands import TEXTS

        return TEXTS

    def make(self, name: str) -> click.Command:
        if name in self._own():
            from ovis.shell.vm_commands import vm_command

            return vm_command(name)
        from ovis.shell.verb import VerbCommand

        return VerbCommand(self._schema, f"{self._name}.{name}", self._class.verbs[name])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        texts = self.texts()
        if own := self._own():
            write_commands(formatter, "Commands", [(name, texts.pop(name)) for name in own])
        write_commands(formatter, "Verbs", texts.items())
        formatter.write_paragraph()
        formatter.write_text(f"`{ctx.command_path} VERB --help` explains one.")


def _line(doc: str) -> str:
    from ovis.shell.help_text import first_sentence

    return first_sentence(doc)
