"""Completion for bash, zsh and fish: names and enum values from the schema, VM ids from the agent."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click
import msgspec
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from ovis.client.untyped import WireError
from ovis.schema.naming import snake
from ovis.shell.api import Shape, node_schema
from ovis.shell.failures import Failure
from ovis.shell.help_text import first_sentence
from ovis.shell.talk import Options, connected

LIVE_SECONDS = 0.3
"""More than a local agent ever needs, less than a person notices as a hang."""
VM_NAMES = {"vm_id", "vm_uuid", "vm_list"}

# Bash breaks words at "=", so it hands over `name`, `=` and `value` apart and replaces the last one only. The whole
# line is passed instead, and what stands before the value is taken off the answers again.
BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} answer given
    given=${line##*[[:space:]]}
    COMPREPLY=()
    for answer in $(OVIS_LINE=$line %(complete_var)s=bash_complete "$1" 2>/dev/null); do
        [[ $answer == *[=.] ]] && compopt -o nospace
        [[ $COMP_WORDBREAKS == *=* && $given == *=* ]] && answer=${answer#*=}
        COMPREPLY+=("$answer")
    done
}
complete -o nosort -o default -F %(complete_func)s %(prog_name)s
"""


class OvisBashComplete(BashComplete):
    name = "bash"
    source_template = BASH

    def source(self) -> str:
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["OVIS_LINE"]
        words = split_arg_string(line)[1:]
        if not words or line[-1:].isspace():
            return words, ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        return item.value


class OvisZshComplete(ZshComplete):
    """No blank behind `name=` and `name.`: more follows."""

    name = "zsh"
    source_template = ZshComplete.source_template.replace(
        "        compadd -U -V unsorted -a completions\n",
        "        local -a open=(${(M)completions:#*[=.]}) closed=(${completions:#*[=.]})\n"
        "        compadd -U -V unsorted -S '' -a open\n"
        "        compadd -U -V unsorted -a closed\n",
    )


def register_shells() -> None:
    add_completion_class(OvisBashComplete)
    add_completion_class(OvisZshComplete)


def completion_command() -> click.Command:
    return click.Command(
        "completion",
        params=[click.Argument(["shell"], type=click.Choice(["bash", "zsh", "fish"]))],
        callback=_print_script,
        help="Print the completion script of a shell.",
        epilog='bash: eval "$(ovis completion bash)"   zsh: eval "$(ovis completion zsh)"   '
        "fish: ovis completion fish | source",
    )


def _print_script(shell: str) -> None:
    register_shells()
    wanted = get_completion_class(shell)
    assert wanted is not None
    root = click.get_current_context().find_root().command
    click.echo(wanted(root, {}, "ovis", "_OVIS_COMPLETE").source())


def complete_word(context: click.Context, method: str, incomplete: str) -> Iterator[CompletionItem[str]]:
    """What the word behind a verb may become."""
    schema = node_schema()
    verb = schema.verb(method)
    if verb is None or incomplete.startswith(("@", "-")):
        return
    name, equals, text = incomplete.partition("=")
    if equals:
        shape = _shape_at({n: Shape.of_field(schema, f) for n, f in verb.params.items()}, name)
        if shape is not None:
            for value, note in _values(context, name, shape):
                if value.startswith(text):
                    yield CompletionItem(f"{name}={value}", help=note or None)
        return
    yield from _names(context, {n: Shape.of_field(schema, f) for n, f in verb.params.items()}, incomplete, verb.params)


def _names(
    context: click.Context, top: dict[str, Shape], incomplete: str, params: object
) -> Iterator[CompletionItem[str]]:
    given = {str(word).partition("=")[0] for word in context.params.get("words") or ()}
    holder, dot, _ = incomplete.rpartition(".")
    shape = _shape_at(top, holder) if dot else None
    if dot and shape is None:
        return
    fields = shape.fields if shape else {}
    members = {f"{holder}.{n}": Shape.of_field(shape.schema, f) for n, f in fields.items()} if shape else top
    for name, inner in members.items():
        if name.startswith(incomplete) and name not in given:
            deeper = inner.kind in {"object", "union"} and bool(inner.fields)
            yield CompletionItem(f"{name}." if deeper else f"{name}=")


def _shape_at(top: dict[str, Shape], path: str) -> Shape | None:
    first, *rest = path.split(".")
    shape = top.get(first)
    for name in rest:
        if shape is None:
            return None
        if shape.kind == "list" and name.isdecimal():
            shape = shape.item
        elif shape.kind == "map":
            shape = shape.value
        else:
            shape = shape.field(name) if name in shape.fields else None
    return shape


def _values(context: click.Context, name: str, shape: Shape) -> Iterator[tuple[str, str]]:
    if shape.kind == "enum" and shape.declared is not None:
        for value, spec in shape.declared.values.items():
            yield spec.label or value, first_sentence(spec.doc)
    elif shape.kind == "boolean":
        yield from (("true", ""), ("false", ""))
    elif snake(name.rpartition(".")[2]) in VM_NAMES:
        yield from _vm_ids(context.find_object(Options) or Options())


def _vm_ids(options: Options) -> Iterator[tuple[str, str]]:
    """Ids of the VMs of the node with their names; nothing when it does not answer at once."""
    try:
        with connected(options, timeout=LIVE_SECONDS) as connection:
            raw = connection.call("Host.getVMList", b'{"onlyUUID":false}', timeout=LIVE_SECONDS)
    except (Failure, WireError):
        return
    for vm in msgspec.json.decode(raw):
        if isinstance(vm, dict):
            yield str(vm.get("vmId", "")), f"{vm.get('vmName', '')} {vm.get('status', '')}".strip()
        else:
            yield str(vm), ""
