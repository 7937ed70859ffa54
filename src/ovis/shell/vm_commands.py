"""What `ovis node vm` offers beside the verbs of its class: a VM is named by its id or its name there."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from ovis.shell.console import console_command, id_of
from ovis.shell.display_text import printable
from ovis.shell.options import node_options
from ovis.shell.output import chosen_format, read_json, show, write
from ovis.shell.talk import MARGIN_SECONDS, Options, connected, refused

TEXTS = {
    "console": "Open the serial console of a VM.",
    "diff": "Show what the host changed in the description of a VM.",
}
METHOD = "VM.getXmlDifference"
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def vm_command(name: str) -> click.Command:
    return console_command() if name == "console" else _diff_command()


def _diff_command() -> click.Command:
    return click.Command(
        "diff",
        params=[*node_options(output_only=True), click.Argument(["vm"])],
        callback=_diff,
        options_metavar="",
        help="Show what the host changed in the description of a VM, named by its id or its name, before libvirt got "
        "it. By meaning: order, white space and units do not count.",
    )


def _diff(vm: str) -> None:
    from ovis.client.untyped import RpcError
    from ovis.shell.api import node_schema

    options = click.get_current_context().ensure_object(Options)
    schema = node_schema()
    verb = schema.verb(METHOD)
    assert verb is not None
    vm_id = id_of(options, vm)
    with connected(options) as connection:
        try:
            raw = connection.call(
                METHOD,
                msgspec.json.encode({"vmID": vm_id}),
                timeout=options.timeout or verb.deadline + MARGIN_SECONDS,
                flow=options.flow,
            )
        except RpcError as error:
            raise refused(schema, METHOD, error) from error
    if chosen_format(options.output) == "table":
        changes: list[dict[str, Any]] = read_json(raw)
        write("".join(f"{_line(change)}\n" for change in changes) or "Nothing was changed\n")
    else:
        show(schema, verb.result, raw, wanted=options.output, typed=options.clean)


def _line(change: dict[str, Any]) -> str:
    values = [str(change[name]) for name in ("before", "after") if change.get(name) is not None]
    return printable(f"{SIGNS.get(change['kind'], '?')} {change['path']}: {' -> '.join(values)}")
