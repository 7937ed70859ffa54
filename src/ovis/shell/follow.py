"""`ovis node events`: a line for each event, as it comes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ovis.client.untyped import RpcError
from ovis.schema.model import Schema
from ovis.shell.api import Shape, node_schema
from ovis.shell.clean import clean
from ovis.shell.display_text import printable
from ovis.shell.failures import usage
from ovis.shell.options import node_options
from ovis.shell.output import as_json_line, as_yaml, write
from ovis.shell.talk import Options, connected, refused

if TYPE_CHECKING:
    from ovis.client.events import Event, Lost

_NOT_SHOWN = {"notify_time", "seq"}


def events_command() -> click.Command:
    return click.Command(
        "events",
        params=[*node_options(output_only=True), click.Argument(["pattern"], default="*")],
        callback=_follow,
        options_metavar="[-o json|yaml]",
        help="Follow the events of the node: a line each, until Ctrl-C. PATTERN is that of a shell over the whole "
        "name, such as '|virt|*' or '*VM_status*'; without it all events are shown.",
        epilog="Events that the agent had to drop because they were not read in time are reported. When the connection "
        "is lost the command ends with exit code 3.",
    )


def _follow(pattern: str) -> None:
    options = click.get_current_context().ensure_object(Options)
    output = options.output or ("table" if sys.stdout.isatty() else "json")
    for item in _items(options, pattern):
        write(text_of(item, output, typed=options.clean))


def _items(options: Options, pattern: str) -> Iterator[Event | Lost]:
    from ovis.client.events import BadPattern

    with connected(options) as connection:
        try:
            events = connection.subscribe(pattern, timeout=options.timeout or 10.0)
            if sys.stderr.isatty():
                click.echo(f"Following {pattern} at {connection.address}, Ctrl-C ends", err=True)
            for item in events:
                if item is not None:
                    yield item
        except BadPattern as problem:
            raise usage(f"PATTERN: {problem}") from problem
        except RpcError as error:
            raise refused(node_schema(), "rpc.subscribe", error) from error


def text_of(item: Event | Lost, output: str, *, typed: bool = False) -> str:
    from ovis.client.events import Lost

    if isinstance(item, Lost):
        if output == "table":
            click.echo(f"ovis: {item.count} events were lost ({item.first_seq} to {item.last_seq})", err=True)
            return ""
        members = {"count": item.count, "first": item.first_seq, "last": item.last_seq}
        return _structured({"lost": members}, output)
    params = msgspec.json.decode(item.params)
    if output == "table":
        return line(node_schema(), item.name, params, time.localtime()) + "\n"
    shown = _clean_params(node_schema(), item.name, params) if typed else params
    return _structured({"event": item.name, "params": shown}, output)


def _structured(value: Any, output: str) -> str:
    return as_json_line(value) if output == "json" else "---\n" + as_yaml(value)


def line(schema: Schema, name: str, params: dict[str, Any], at: time.struct_time) -> str:
    """`12:00:05 virt VM_status 7a…: status=Up cpuUser=3`; `at` is local time of arrival."""
    subject = name.strip("|").split("|")
    shown = _clean_params(schema, name, {k: v for k, v in params.items() if k not in _NOT_SHOWN})
    about = subject[-1] if len(subject) > 2 else ""
    if set(shown) == {about} and isinstance(shown[about], dict):
        shown = shown[about]  # |virt| events repeat the id as the only member
    if about == "no_id":
        subject = subject[:-1]
    members = " ".join(f"{key}={_value(value)}" for key, value in shown.items())
    return printable(f"{time.strftime('%H:%M:%S', at)} {' '.join(subject)}  {members}".rstrip())


def _clean_params(schema: Schema, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """By the description of the event, where an object that is not there stands for the parameters themselves."""
    described = next((event for prefix, event in schema.events.items() if name.startswith(prefix)), None)
    for field_name, field in (described.params if described else {}).items():
        shape = Shape.of_field(schema, field)
        if field_name in params:
            params = {**params, field_name: clean(shape, params[field_name])}
        elif shape.kind in {"map", "object"}:
            params = clean(shape, params)
    return params


def _value(value: Any) -> str:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f'"{text}"' if not text or " " in text else text
